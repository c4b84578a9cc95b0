import type { Command } from "commander";
import { verifyPlan } from "../../pipeline/verify-plan";
import { note, readPlanJson } from "../lib/files";
import { exportToJob } from "../lib/job-environment";
import { environmentNamed, loadConfig } from "../lib/load-config";

export function register(program: Command): void {
  program
    .command("verify")
    .argument("<environment>", "the environment whose plan, saved by `cdktf diff`, is about to be deployed")
    .requiredOption("--reviewed <file>", "the reviewed plan, as `terraform show -json` prints it")
    .description("refuse a saved plan that differs from the reviewed one; make `cdktf deploy` apply exactly that plan")
    .action((name: string, { reviewed }: { reviewed: string }) => {
      // TERRAFORM_BINARY_NAME is the script that applies the verified plan if this ran before.
      const terraform = process.env.KEYLESS_TERRAFORM ?? process.env.TERRAFORM_BINARY_NAME ?? "terraform";
      const environment = environmentNamed(loadConfig(), name);
      const { isEmpty, variables } = verifyPlan(environment, readPlanJson(reviewed, "the reviewed plan"), terraform);
      note(
        isEmpty
          ? `${name}: the saved plan has no changes: there is nothing left to deploy`
          : `${name}: the saved plan matches the reviewed plan; cdktf deploy applies it`,
      );
      exportToJob(variables);
    });
}
