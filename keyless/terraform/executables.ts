import { execFile } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

/** Variables by name, as in `process.env`. */
export type Env = Readonly<Record<string, string | undefined>>;

/** The path of an executable on `PATH`, or undefined. */
export function onPath(name: string, env: Env): string | undefined {
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

const run = promisify(execFile);

/** What a program prints on its standard output, or undefined where it cannot be run or fails. */
export async function output(file: string, args: readonly string[], env: Env): Promise<string | undefined> {
  try {
    const { stdout } = await run(file, args, { env });
    return stdout;
  } catch {
    return undefined;
  }
}
