import { resolve } from "node:path";
import type { Command } from "commander";
import { bootstrap } from "../../state/bootstrap";
import { withTerraformEnvironment } from "../../terraform/environment";
import { synthesizeStack } from "../../terraform/synthesize";
import { environmentNamed, loadConfigWithWarnings, stateBackendOf } from "../lib/load-config";
import { withProgress } from "../lib/progress";

export function register(program: Command): void {
  program
    .command("bootstrap")
    .argument("<environment>", "an environment of config.ts")
    .option("--adopt", "import a bucket and table that already exist, and configure them according to config.ts")
    .description("create or update the S3 bucket and the lock table for an environment's state; idempotent")
    .action(async (name: string, { adopt = false }: { adopt?: boolean }) => {
      const config = loadConfigWithWarnings();
      const environment = environmentNamed(config, name);
      const backend = stateBackendOf(config, environment);
      const { bucket, lockTable } = environment.state;
      const outcome = await withProgress(`State backend ${backend.name}`, (progress) => {
        // Named by account and bucket, so that a changed name does not resume the run of another backend.
        const folder = resolve(".keyless", "bootstrap", `${backend.accountId}-${bucket}`);
        const stack = synthesizeStack(backend.name);
        return withTerraformEnvironment(progress, (env) => bootstrap({ backend, stack, folder, adopt, env, progress }));
      });
      const what = `bucket ${bucket}${lockTable === undefined ? "" : ` and table ${lockTable}`}`;
      const results = {
        created: "created; their state is now stored in the bucket",
        changed: "updated",
        unchanged: "no changes",
      };
      console.log(`${what}: ${results[outcome]}.\nNext: npx cdktf deploy ${name}`);
    });
}
