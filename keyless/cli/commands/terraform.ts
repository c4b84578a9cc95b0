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
        // Terraform must not add a checksum to the lock file.
        TF_CLI_ARGS_init: "-lockfile=readonly",
        // A plan reads the state without its lock: the plan role cannot write one, and a canceled job leaves none behind.
        // Terraform rejects a plan whose state has changed.
        TF_CLI_ARGS_plan: "-lock=false",
        TF_CLI_ARGS_apply: "-lock-timeout=5m",
      });
      note(`Terraform for the later steps: ${chosen.TERRAFORM_BINARY_NAME}`);
    });
}
