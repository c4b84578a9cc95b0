import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors";
import { decodeUtf8, JsonError, parseExactJson } from "../json";

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
    maxBuffer: 2 ** 30,
  });
  if (status !== 0) {
    const reason = error?.message ?? stderr.toString().trim();
    throw new UserError(`cannot read the plan of ${stack}: ${terraform} show: ${reason}`);
  }
  try {
    return parseExactJson(decodeUtf8(stdout));
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new UserError(`cannot read the plan of ${stack}: the output of ${terraform} show ${error.message}`);
  }
}
