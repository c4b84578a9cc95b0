import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { UserError } from "../../errors";

/**
 * Writes what an option such as `--out` asks for, and makes the file's folder where there is none.
 *
 * @throws {UserError} naming the option and the file
 */
export function writeOutput(option: string, file: string, text: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  } catch (error) {
    throw new UserError(`${option} ${file} cannot be written: ${(error as Error).message}`);
  }
}
