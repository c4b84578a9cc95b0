import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { InvalidArgumentError } from "commander";
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
    const reason = error instanceof JsonError ? error.message : reasonOf(error as NodeJS.ErrnoException);
    throw new UserError(`cannot read ${what} from ${file}: it ${reason}`);
  }
}

/**
 * The argument of an option such as `--out`, checked before the command does its work.
 *
 * @throws {InvalidArgumentError} the file is a folder, or its folder does not exist
 */
export function outputFile(file: string): string {
  const folder = dirname(file);
  if (!isFolder(folder)) throw new InvalidArgumentError(`The folder ${folder} does not exist.`);
  if (isFolder(file)) throw new InvalidArgumentError(`${file} is a folder.`);
  return file;
}

function isFolder(path: string): boolean {
  return existsSync(`${path}/.`);
}

/**
 * Writes the file that an option such as `--out` names; see {@link outputFile}.
 *
 * @throws {UserError} if the file cannot be written
 */
export function writeOutput(option: string, file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new UserError(`cannot write ${option} ${file}: it ${reasonOf(error as NodeJS.ErrnoException)}`);
  }
}

/** Why a file cannot be read or written, as a predicate of the file. */
function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: "is not found",
    ENOTDIR: "is not found",
    EISDIR: "is a folder",
    EACCES: "cannot be accessed: permission denied",
  };
  return reasons[code ?? ""] ?? `cannot be accessed: ${message}`;
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
