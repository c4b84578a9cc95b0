// Makes the golden plans again, with Terraform against the sandbox: `node build.js test/review/golden-plans.js [folder…]`.
//
// Each folder of golden/ has the planned configuration in main.tf. If there is a before.tf, it is applied first. If there
// is an outside.tf, it is applied too, and the state is restored: to Terraform it is a change that others made.

import { execFile } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startSandbox } from "../../keyless/sandbox";

/** The parts of a plan that the review reads. */
const READ = [
  ...["format_version", "terraform_version", "resource_changes", "resource_drift", "deferred_changes"],
  ...["output_changes", "checks", "errored", "complete", "configuration"],
];

const golden = join("test", "review", "golden");
const isFolder = (name: string) => existsSync(join(golden, name, "main.tf"));

async function makePlans(names: readonly string[]): Promise<void> {
  for (const [index, name] of names.entries()) {
    const sandbox = await startSandbox();
    const cwd = mkdtempSync(join(tmpdir(), "keyless-golden-"));
    try {
      const env = sandbox.environment;
      const options = { cwd, env, maxBuffer: 2 ** 30 };
      // Asynchronous: the sandbox runs in this process.
      const terraform = async (...args: string[]) =>
        (await promisify(execFile)(env.TERRAFORM_BINARY_NAME ?? "terraform", args, options)).stdout;
      const source = (file: string) => join(golden, name, file);
      copyFileSync(join(golden, "provider.tf"), join(cwd, "provider.tf"));
      await terraform("init", "-input=false");
      for (const step of ["before.tf", "outside.tf"]) {
        if (!existsSync(source(step))) continue;
        copyFileSync(source(step), join(cwd, "main.tf"));
        const state = join(cwd, "terraform.tfstate");
        const isOutside = step === "outside.tf";
        if (isOutside && existsSync(state)) cpSync(state, `${state}.before`);
        await terraform("apply", "-auto-approve", "-input=false");
        if (isOutside && existsSync(`${state}.before`)) cpSync(`${state}.before`, state);
        else if (isOutside) rmSync(state);
      }
      copyFileSync(source("main.tf"), join(cwd, "main.tf"));
      await terraform("plan", "-out=plan", "-input=false");
      const plan = JSON.parse(await terraform("show", "-json", "plan")) as Record<string, unknown>;
      const parts = READ.flatMap((part) => (plan[part] === undefined ? [] : [[part, plan[part]]]));
      writeFileSync(source("plan.json"), `${JSON.stringify(Object.fromEntries(parts), null, 1)}\n`);
      console.error(`${index + 1}/${names.length} ${name}`);
    } finally {
      await sandbox.stop();
      rmSync(cwd, { recursive: true, force: true });
    }
  }
}

const [, , ...given] = process.argv;
makePlans(given.length > 0 ? given : readdirSync(golden).filter(isFolder)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
