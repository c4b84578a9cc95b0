import type { Command } from "commander";
import { UsageError } from "../../errors";
import { requireTip } from "../../pipeline/tip";
import { verifyPlan } from "../../pipeline/verify-plan";
import { note, readPlanJson } from "../lib/files";
import { exportToJob } from "../lib/job-environment";
import { environmentNamed, loadConfig } from "../lib/load-config";

interface VerifyOptions {
  readonly reviewed: string;
  readonly branch: string;
  readonly anyCommit?: true;
}

export function register(program: Command): void {
  program
    .command("verify")
    .argument("<environment>", "the environment whose plan, saved by `cdktf diff`, is about to be deployed")
    .requiredOption("--reviewed <file>", "the reviewed plan, as `terraform show -json` prints it")
    .option("--branch <name>", "the branch of origin whose tip may be deployed", "main")
    .option("--any-commit", "outside of a pipeline: allow other commits and uncommitted changes")
    .description("refuse a saved plan that differs from the reviewed one; make `cdktf deploy` apply exactly that plan")
    .action((name: string, { reviewed, branch, anyCommit }: VerifyOptions) => {
      if (anyCommit && process.env.CIRCLECI) throw new UsageError("--any-commit is not allowed in a CircleCI job");
      // TERRAFORM_BINARY_NAME is the script that applies the verified plan if this ran before.
      const terraform = process.env.KEYLESS_TERRAFORM ?? process.env.TERRAFORM_BINARY_NAME ?? "terraform";
      const environment = environmentNamed(loadConfig(), name);
      const { isEmpty, variables } = verifyPlan(environment, readPlanJson(reviewed, "the reviewed plan"), {
        terraform,
        checkSources: anyCommit ? () => {} : () => requireTip(branch, process.cwd(), process.env),
      });
      note(
        isEmpty
          ? `${name}: no changes: the account matches config.ts, and nothing is left to deploy`
          : `${name}: the saved plan matches the reviewed plan; cdktf deploy applies it`,
      );
      exportToJob(variables);
    });
}
