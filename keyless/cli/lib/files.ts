import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "../../errors";
import { decodeUtf8, JsonError, parseExactJson } from "../../json";
import { describeOther } from "../../plan/schema";
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
 * @throws {UserError} if the file cannot be read, or is not UTF-8
 */
export function readInput(file: string, what: string): string {
  return readWith(file, what, decodeUtf8);
}

/**
 * The JSON in a file that the command line names; see {@link readInput}.
 *
 * @throws {UserError} also if it is not JSON, repeats a key in an object, or is nested too deep
 */
export function readJson(file: string, what: string): unknown {
  return readWith(file, what, (bytes) => parseExactJson(decodeUtf8(bytes)));
}

/** The JSON of a plan in a file that the command line names; see {@link readJson}. Names the file if it is another one. */
export function readPlanJson(file: string, what: string): unknown {
  return readWith(file, what, (bytes) => {
    // A saved plan is a ZIP archive.
    if (Buffer.from(bytes.subarray(0, 4)).equals(Buffer.from("PK\x03\x04"))) {
      throw new JsonError(`is a saved plan, not its JSON: run \`terraform show -json ${file}\``);
    }
    try {
      return parseExactJson(decodeUtf8(bytes));
    } catch (error) {
      const other = error instanceof JsonError ? describeOther(error.first) : undefined;
      throw other === undefined ? error : new JsonError(`is ${other}`);
    }
  });
}

function readWith<T>(file: string, what: string, read: (bytes: Uint8Array) => T): T {
  try {
    return read(readFileSync(file === "-" ? 0 : file));
  } catch (error) {
    const message = error instanceof JsonError ? `${file} ${error.message}` : (error as Error).message;
    throw new UserError(`cannot read ${what}: ${message}`);
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
