import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../errors";
import { projectFolder } from "../project-folder";

/**
 * The text of a stack's `cdk.tf.json`. Runs the app, as cdktf does, into a temporary output folder: `cdktf.out` is not
 * changed.
 *
 * @throws {UserError} with the app's message if the app fails, for example because the linter rejects a trust policy
 */
export function synthesizeStack(name: string): string {
  const outdir = mkdtempSync(join(tmpdir(), "keyless-synth-"));
  try {
    const env = { ...process.env, CDKTF_OUTDIR: outdir };
    const { status, stderr, error } = spawnSync(process.execPath, [join(projectFolder, "build.js"), "app.js"], {
      env,
      encoding: "utf8",
    });
    if (status !== 0) throw new UserError(error?.message ?? stderr.trim());
    return readFileSync(join(outdir, "stacks", name, "cdk.tf.json"), "utf8");
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}
