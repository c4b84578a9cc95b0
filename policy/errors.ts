/** An error whose message is for people, complete as it is: the launcher prints it without a stack trace. */
export class UserError extends Error {
  readonly forPeople = true;
}
