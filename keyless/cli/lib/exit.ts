import type { CommanderError } from "commander";
import { AccountError } from "../../aws/iam";
import { UserError } from "../../errors";
import { redact } from "../../redact";

/** Exit statuses of a command whose answer is its status: what keeps it from an answer must not look like one. */
export const EXIT = { yes: 0, no: 1, unknown: 2, usage: 64 } as const;

/** For commander's `exitOverride`: wrong usage ends with a status of its own. */
export function exitForUsage({ exitCode }: CommanderError): never {
  process.exit(exitCode === 0 ? EXIT.yes : EXIT.usage);
}

/** Says what kept a command from its answer, and with which status it ends. */
export function explainFailure(error: unknown): number {
  const text = error instanceof UserError ? error.message : error instanceof Error ? error.stack : undefined;
  process.stderr.write(`${redact(text ?? String(error))}\n`);
  return error instanceof UserError && !(error instanceof AccountError) ? EXIT.usage : EXIT.unknown;
}
