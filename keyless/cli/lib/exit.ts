import { type Command, CommanderError } from "commander";
import { EXIT_STATUS, UserError } from "../../errors";
import { redact } from "../../redact";
import { oneLine } from "../../text";

/** The part of every command's help that lists the exit statuses. */
export const EXIT_STATUS_HELP = `
Exit status:
  0   success
  1   the check failed: refused, closed, different, or with findings
  2   the command could not decide, or could not do it
  64  wrong usage, or an error in config.ts`;

/** Runs the command line. Every error of a command is reported here, and sets the exit status. */
export async function runProgram(program: Command): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", ignoreClosedPipe);
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** A reader such as `head` may close the pipe before everything is written. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

/** Prints an error and returns the exit status. */
function report(error: unknown): number {
  // Commander has printed its message.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_STATUS.success : EXIT_STATUS.usage;
  const isUserError = error instanceof UserError;
  const text = isUserError ? error.message : error instanceof Error ? error.stack : undefined;
  const lines = redact(text ?? String(error)).split("\n");
  process.stderr.write(`${lines.map(oneLine).join("\n")}\n`);
  return isUserError ? error.exitStatus : EXIT_STATUS.failure;
}
