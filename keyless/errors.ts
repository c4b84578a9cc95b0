/** The exit statuses of every command. docs/commands.md documents them. */
export const EXIT_STATUS = { success: 0, refused: 1, failure: 2, usage: 64 } as const;

/** An error with a message for the user, printed without a stack. The command could not do or decide what it was asked to. */
export class UserError extends Error {
  readonly isUserError = true;
  readonly exitStatus: number = EXIT_STATUS.failure;
}

/** Wrong usage of a command, or an error in config.ts. */
export class UsageError extends UserError {
  override readonly exitStatus = EXIT_STATUS.usage;
}

/** A check that failed: the command did its work, and the answer is no. */
export class RefusedError extends UserError {
  override readonly exitStatus = EXIT_STATUS.refused;
}
