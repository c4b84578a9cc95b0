/** An error that the user can fix. The launcher prints its message without a stack. */
export class UserError extends Error {
  readonly isUserError = true;
}
