import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { terraformEnvironment } from "../../terraform/environment";
import { note } from "../lib/files";
import { exportToJob } from "../lib/job-environment";

export function register(program: Command): void {
  program
    .command("terraform")
    .description("find Terraform for the later steps of a CircleCI job, or download and verify the pinned version")
    .action(async () => {
      const folder = resolve(".keyless");
      mkdirSync(folder, { recursive: true });
      const chosen = await terraformEnvironment({ folder, env: process.env, progress: note, work: folder });
      exportToJob({
        ...chosen,
        // If two pipelines plan the same environment concurrently, the second one waits for the state lock.
        TF_CLI_ARGS_plan: "-lock-timeout=5m",
        TF_CLI_ARGS_apply: "-lock-timeout=5m",
      });
      note(`Terraform for the later steps: ${chosen.TERRAFORM_BINARY_NAME}`);
    });
}
