import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../errors";
import { decodeUtf8, JsonError, parseExactJson } from "../json";

/**
 * Reads the plan that `cdktf diff` saved for a stack, by `terraform show -json`.
 *
 * @param folder the stack's folder, e.g. `cdktf.out/stacks/dev`
 * @param file the plan's file. Default: the one in the folder
 * @throws {UserError} there is no plan, or Terraform cannot read it
 */
export function readSavedPlan(stack: string, folder: string, terraform: string, file = "plan"): unknown {
  requireSavedPlan(stack, folder);
  const { status, stdout, stderr, error } = spawnSync(terraform, ["show", "-no-color", "-json", file], {
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

/** A copy of a saved plan that only the user can read, and that no later command replaces. */
export interface PlanCopy {
  /** In a new folder of the system's temporary folder. */
  readonly file: string;
  /** In hexadecimal digits. */
  readonly sha256: string;
}

/**
 * Copies the plan that `cdktf diff` saved for a stack.
 *
 * @throws {UserError} there is no plan
 */
export function copySavedPlan(stack: string, folder: string): PlanCopy {
  requireSavedPlan(stack, folder);
  // mkdtemp creates the folder with mode 0700.
  const file = join(mkdtempSync(join(tmpdir(), "keyless-plan-")), "plan");
  copyFileSync(join(folder, "plan"), file);
  chmodSync(file, 0o400);
  return { file, sha256: createHash("sha256").update(readFileSync(file)).digest("hex") };
}

function requireSavedPlan(stack: string, folder: string): void {
  if (existsSync(join(folder, "plan"))) return;
  throw new UserError(`no saved plan of ${stack} in ${folder}: run \`npx cdktf diff ${stack}\` first`);
}
