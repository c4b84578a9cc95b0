import { resolve } from "node:path";
import type { Command } from "commander";
import type { StateBackend } from "../../config/resolved";
import { bootstrap } from "../../state/bootstrap";
import { synthesizeStack } from "../../terraform/synthesize";
import { environmentNamed, loadConfig } from "../lib/load-config";
import { withProgress } from "../lib/progress";
import { terraformForRun } from "../lib/terraform-for-run";

export function register(program: Command): void {
  program
    .command("bootstrap")
    .argument("<environment>", "an environment of config.ts")
    .option("--adopt", "take over a bucket and table that already exist, and set them up as config.ts says")
    .description("create the bucket and the lock table for an environment's state, or update them; safe to run again")
    .action(async (name: string, { adopt = false }: { adopt?: boolean }) => {
      const config = loadConfig();
      const { state } = environmentNamed(config, name);
      const backend = config.stateBackends.find((candidate) => candidate.state.bucket === state.bucket) as StateBackend;
      const { outcome } = await withProgress(`State backend ${backend.name}`, async (progress) => {
        // By account and bucket: what another pair of names has left there is not taken up.
        const folder = resolve(".keyless", "bootstrap", `${backend.accountId}-${state.bucket}`);
        const terraform = await terraformForRun(progress);
        try {
          return await bootstrap({
            backend,
            stack: synthesizeStack(backend.name),
            folder,
            adopt,
            env: terraform.env,
            progress,
          });
        } finally {
          terraform.cleanUp();
        }
      });
      const what = [`bucket ${state.bucket}`, ...(state.lockTable === undefined ? [] : [`table ${state.lockTable}`])];
      const said = {
        created: "made, and their state moved in",
        changed: "brought up to date",
        unchanged: "nothing to change",
      };
      console.log(`${what.join(" and ")}: ${said[outcome]}.\nNext: npx cdktf deploy ${name}`);
    });
}
