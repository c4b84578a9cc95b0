/**
 * An error whose message is meant for people: what is wrong, where, and what to do. The launcher prints it without a
 * stack; any other error is a fault of the program and is printed whole.
 */
export class UserError extends Error {
  readonly forPeople = true;
}
