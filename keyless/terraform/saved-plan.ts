import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors";

/**
 * The plan that `cdktf diff` has saved for a stack, as `terraform show -json` prints it.
 *
 * @param folder the stack's, e.g. `cdktf.out/stacks/dev`
 * @throws {UserError} when there is no plan, or Terraform cannot show it
 */
export function savedPlan(stack: string, folder: string, terraform: string): string {
  if (!existsSync(join(folder, "plan"))) {
    throw new UserError(`no saved plan of ${stack} in ${folder}: run \`npx cdktf diff ${stack}\` first`);
  }
  const { status, stdout, stderr, error } = spawnSync(terraform, ["show", "-no-color", "-json", "plan"], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 2 ** 30,
  });
  if (status === 0) return stdout;
  throw new UserError(`cannot read the plan of ${stack}: ${terraform} show: ${error?.message ?? stderr.trim()}`);
}
