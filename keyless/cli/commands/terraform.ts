import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { terraformEnvironment } from "../../terraform/environment";
import { setForLaterSteps } from "../lib/job-environment";

export function register(program: Command): void {
  program
    .command("terraform")
    .description("find Terraform for the later steps of a CircleCI job, or download and check the pinned version")
    .action(async () => {
      const folder = resolve(".keyless");
      mkdirSync(folder, { recursive: true });
      const progress = (line: string) => console.error(line);
      const chosen = await terraformEnvironment({ folder, env: process.env, progress, work: folder });
      setForLaterSteps({
        ...chosen,
        // Two pipelines may plan the same environment at once: the later one waits for the lock of its state.
        TF_CLI_ARGS_plan: "-lock-timeout=5m",
        TF_CLI_ARGS_apply: "-lock-timeout=5m",
      });
      console.error(`Terraform for the later steps: ${chosen.TERRAFORM_BINARY_NAME}`);
    });
}
