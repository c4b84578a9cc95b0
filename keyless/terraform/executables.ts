import { execFile } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

/** Variables by name, as in `process.env`. */
export type Env = Readonly<Record<string, string | undefined>>;

/** The path of the first executable of this name on `PATH`, or undefined. */
export function findOnPath(name: string, env: Env): string | undefined {
  const folders = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Runs a program. Rejects if it cannot be started or exits with an error. */
export const execute = promisify(execFile);

/** A program's standard output, or undefined if it cannot be started or exits with an error. */
export async function outputOf(file: string, args: readonly string[], env: Env): Promise<string | undefined> {
  return execute(file, args, { env }).then(
    ({ stdout }) => stdout,
    () => undefined,
  );
}
