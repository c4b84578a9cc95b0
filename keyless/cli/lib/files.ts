import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "../../errors";
import { projectFolder } from "../../project-folder";
import { redact } from "../../redact";
import { escapeInvisible, oneLine } from "../../text";

/** The text of a file of this project, by its path from the project's folder. */
export function readProjectFile(path: string): string {
  return readFileSync(join(projectFolder, path), "utf8");
}

/**
 * The text of a file that the command line names.
 *
 * @param file the path, or `-` for standard input
 * @param what what the file contains, for the error message: `the token`
 * @throws {UserError} if the file cannot be read
 */
export function readInput(file: string, what: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new UserError(`cannot read ${what}: ${(error as Error).message}`);
  }
}

/** The JSON in a file that the command line names; see {@link readInput}. Throws the same if it is not JSON. */
export function readJson(file: string, what: string): unknown {
  const text = readInput(file, what);
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the file, which can contain secrets.
    throw new UserError(`cannot read ${what}: ${file} is not JSON`);
  }
}

/**
 * Writes the file that an option such as `--out` names. Creates its folder if it does not exist.
 *
 * @throws {UserError} if the file cannot be written
 */
export function writeOutput(option: string, file: string, text: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  } catch (error) {
    throw new UserError(`cannot write ${option} ${file}: ${(error as Error).message}`);
  }
}

/** Prints to standard output, with credentials concealed and invisible characters escaped. */
export function print(text: string): void {
  process.stdout.write(escapeInvisible(redact(text)));
}

/** Prints one line to standard error, so that a file or a pipe receives the command's output only. */
export function note(text: string): void {
  process.stderr.write(`${oneLine(redact(text))}\n`);
}

/** What a command prints as JSON: the same envelope for every command. docs/commands.md documents it. */
export function toEnvelope(command: string, data: unknown): string {
  return escapeInvisible(`${JSON.stringify({ version: 1, command, data }, null, 2)}\n`);
}
