/** An error whose message is for the person at the keyboard: the launcher prints it without a stack. */
export class UserError extends Error {
  readonly forPeople = true;
}
