import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { terraformEnvironment } from "../../terraform/environment";

/** The environment in which this command runs Terraform: which binary, and where its provider comes from. */
export async function terraformForRun(progress: (line: string) => void) {
  const work = mkdtempSync(join(tmpdir(), "keyless-terraform-"));
  const chosen = await terraformEnvironment({ folder: resolve(".keyless"), env: process.env, progress, work });
  return {
    env: { ...process.env, ...chosen },
    cleanUp: () => rmSync(work, { recursive: true, force: true }),
  };
}
