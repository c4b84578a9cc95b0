import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors";

/**
 * Reads the plan that `cdktf diff` saved for a stack, by `terraform show -json`.
 *
 * @param folder the stack's folder, e.g. `cdktf.out/stacks/dev`
 * @throws {UserError} there is no plan, or Terraform cannot read it
 */
export function readSavedPlan(stack: string, folder: string, terraform: string): unknown {
  if (!existsSync(join(folder, "plan"))) {
    throw new UserError(`no saved plan of ${stack} in ${folder}: run \`npx cdktf diff ${stack}\` first`);
  }
  const { status, stdout, stderr, error } = spawnSync(terraform, ["show", "-no-color", "-json", "plan"], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 2 ** 30,
  });
  const label = `the plan of ${stack}`;
  if (status === 0) return parsePlan(stdout, label, `the output of ${terraform} show`);
  throw new UserError(`cannot read ${label}: ${terraform} show: ${error?.message ?? stderr.trim()}`);
}

/**
 * Reads a plan from a file that `terraform show -json` printed.
 *
 * @param file the path, or `-` for standard input
 * @param label what messages call the plan, e.g. `the reviewed plan`
 * @throws {UserError} the file cannot be read, or is not JSON
 */
export function readPlanFile(file: string, label: string): unknown {
  try {
    return parsePlan(readFileSync(file === "-" ? 0 : file, "utf8"), label, file);
  } catch (error) {
    throw error instanceof UserError ? error : new UserError(`cannot read ${label}: ${(error as Error).message}`);
  }
}

function parsePlan(text: string, label: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the plan, which can contain secrets.
    throw new UserError(`cannot read ${label}: ${source} is not JSON`);
  }
}
