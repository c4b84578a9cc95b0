import { UserError } from "../errors";

/** What is wrong with an argument of a function that builds a policy. */
export interface ArgumentFault {
  /** The field of the argument. Absent: the argument itself, or an item of it. */
  readonly field?: string;
  readonly value?: unknown;
  /** What is wrong and how to fix it; follows the value in a sentence. */
  readonly message: string;
}

/** Wrong arguments of a function that builds a policy. The configuration reports each fault at the place of the call. */
export class ArgumentsError extends UserError {
  constructor(
    builder: string,
    readonly faults: readonly ArgumentFault[],
  ) {
    super(
      faults
        .map(({ value, message }) => `${builder}: ${value === undefined ? "" : `${JSON.stringify(value)} `}${message}`)
        .join("\n"),
    );
  }
}
