import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../errors";

/** The project's launcher: two folders up from the source, three from its compiled form in `dist/`. */
const launcher = ["../..", "../../.."]
  .map((root) => join(__dirname, root, "build.js"))
  .find((file) => existsSync(file)) as string;

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
    const { status, stderr, error } = spawnSync(process.execPath, [launcher, "app.js"], { env, encoding: "utf8" });
    if (status !== 0) throw new UserError(error?.message ?? stderr.trim());
    return readFileSync(join(outdir, "stacks", name, "cdk.tf.json"), "utf8");
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}
