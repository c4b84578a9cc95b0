import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import { UserError } from "../../errors";
import { administratorRoles } from "../../pipeline/administrator";
import { isEmptyPlan, type NamedPlan, planDifference } from "../../plan/comparison";
import { readPlan } from "../../plan/schema";
import { changedRoles } from "../../review/delta";
import { savedPlan } from "../../terraform/saved-plan";
import { setForLaterSteps } from "../lib/job-environment";
import { environmentNamed, loadConfig } from "../lib/load-config";

export function register(program: Command): void {
  program
    .command("verify")
    .argument("<environment>", "the environment whose plan, saved by `cdktf diff`, is about to be deployed")
    .requiredOption("--reviewed <file>", "the plan that was reviewed, as `terraform show -json` prints it")
    .description("refuse a saved plan that differs from the reviewed one; make `cdktf deploy` apply exactly that plan")
    .action((name: string, { reviewed: file }: { reviewed: string }) => {
      const environment = environmentNamed(loadConfig(), name);
      const saved = resolve("cdktf.out", "stacks", name, "plan");
      const fresh = { name: "the plan of now", plan: JSON.parse(savedPlan(name, dirname(saved), terraformBinary())) };
      const reviewed = { name: "the reviewed plan", plan: readReviewed(file) };

      if (isEmptyPlan(fresh)) {
        console.error(`${name}: there is nothing to change any more: whatever was reviewed is deployed.`);
      } else {
        refuseAdministrators(name, fresh, administratorRoles(environment));
        refuseDifference(name, reviewed, fresh);
        console.error(`${name}: the plan is the reviewed one; the deploy applies it and no other.`);
      }
      setForLaterSteps({
        KEYLESS_TERRAFORM: terraformBinary(),
        KEYLESS_VERIFIED_PLAN: saved,
        TERRAFORM_BINARY_NAME: resolve("keyless", "pipeline", "apply-verified-plan.sh"),
      });
    });
}

function refuseAdministrators(name: string, { plan }: NamedPlan, roles: readonly string[]): void {
  const changed = changedRoles(readPlan(name, plan));
  const own = roles.filter((role) => changed.has(role));
  if (own.length === 0) return;
  throw new UserError(
    `${name}: an administrator deploys this. The plan changes ${own.join(" and ")}, which this pipeline may not; nothing ` +
      `was attempted. With an administrator's credentials of the account: npx cdktf deploy ${name}. Then rerun this job, ` +
      "which will find nothing left to change.",
  );
}

function refuseDifference(name: string, reviewed: NamedPlan, fresh: NamedPlan): void {
  const difference = planDifference(reviewed, fresh);
  if (difference === undefined) return;
  throw new UserError(
    `${name}: what would be deployed is not what was reviewed; nothing was attempted. The difference:\n\n${difference}\n` +
      "Rerun the workflow from its start, review the new plan and approve that.",
  );
}

/** Terraform itself, also when this has run before. */
function terraformBinary(): string {
  return process.env.KEYLESS_TERRAFORM ?? process.env.TERRAFORM_BINARY_NAME ?? "terraform";
}

function readReviewed(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new UserError(`cannot read the reviewed plan: ${(error as Error).message}`);
  }
  try {
    return JSON.parse(text);
  } catch {
    // Without the parser's words, which quote the plan.
    throw new UserError(`cannot read the reviewed plan, ${file}: it is not JSON`);
  }
}
