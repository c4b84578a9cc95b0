import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { administratorRoles } from "../pipeline/administrator";
import { isEmptyPlan, type NamedPlan, planDifference } from "../pipeline/verify";
import { UserError } from "../policy/errors";
import { changedRoles } from "../review/access";
import { readPlan } from "../review/plan";
import { setForLaterSteps } from "./job-environment";
import { environmentNamed, loadConfig } from "./load-config";

export function register(program: Command): void {
  program
    .command("verify")
    .argument("<environment>", "the environment whose saved plan, of `cdktf diff`, is about to be deployed")
    .requiredOption("--reviewed <file>", "the plan that was reviewed, as `terraform show -json` prints it")
    .description("Refuse a plan that is not the reviewed one; make `cdktf deploy` apply the very plan that is")
    .action((name: string, { reviewed: file }: { reviewed: string }) => {
      const environment = environmentNamed(loadConfig(), name);
      const saved = resolve("cdktf.out", "stacks", name, "plan");
      const fresh = { name: "the plan of now", plan: show(saved) };
      const reviewed = { name: "the reviewed plan", plan: readJson(file) };

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
        TERRAFORM_BINARY_NAME: resolve("pipeline", "apply-verified-plan.sh"),
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

function show(saved: string): unknown {
  const folder = join(saved, "..");
  const { status, stdout, stderr, error } = spawnSync(terraformBinary(), ["show", "-json", "plan"], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 2 ** 30,
  });
  if (status === 0) return JSON.parse(stdout);
  throw new UserError(`no saved plan in ${folder}: run cdktf diff first (${error?.message ?? stderr.trim()})`);
}

/** Terraform itself, also when this has run before. */
function terraformBinary(): string {
  return process.env.KEYLESS_TERRAFORM ?? process.env.TERRAFORM_BINARY_NAME ?? "terraform";
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new UserError(`${file}, the reviewed plan, cannot be read: ${(error as Error).message}`);
  }
}
