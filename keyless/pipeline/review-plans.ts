import { existsSync } from "node:fs";
import { join } from "node:path";
import { boundaryPolicyName } from "../config/names";
import type { Config } from "../config/resolved";
import { Concealer } from "../plan/concealment";
import { readPlan } from "../plan/schema";
import { type Review, review } from "../review/review";
import type { Env } from "../terraform/executables";
import { readSavedPlan } from "../terraform/saved-plan";
import { administratorRoles, derivedPolicies } from "./administrator";

/** Where to read plans from. */
export interface PlanLocations {
  /** By environment, a function that reads the JSON of its plan from a file, as `terraform show -json` prints it. */
  readonly files: ReadonlyMap<string, () => unknown>;
  /** The folder with the stacks' folders, in which `cdktf diff` saves plans: `cdktf.out/stacks`. */
  readonly folder: string;
}

/**
 * Reviews the plans of environments: from a file if there is one, else the saved plan.
 *
 * @param env the environment variables: `TERRAFORM_BINARY_NAME` is the Terraform that made the plans
 * @throws {UserError} a plan is missing or cannot be read
 */
export function reviewPlans(
  config: Config,
  environments: readonly string[],
  { files, folder }: PlanLocations,
  env: Env,
): Review {
  const terraform = env.TERRAFORM_BINARY_NAME || "terraform";
  const read = environments.map((name) => {
    const readFile = files.get(name);
    return { name, json: readFile ? readFile() : readSavedPlan(name, join(folder, name), terraform) };
  });
  // They are shown together, so that a secret of one is hidden in all.
  const concealer = new Concealer(read.map(({ json }) => json));
  const plans = read.map(({ name, json }) => readPlan(name, json, { concealer }));
  const managed = config.environments.map((environment) => [environment.name, administratorRoles(environment)]);
  const boundaries = config.environments.map(({ name }) => [name, boundaryPolicyName(name)]);
  const derived = config.environments.map((environment) => [environment.name, derivedPolicies(environment)]);
  return review(plans, {
    derivedPolicies: Object.fromEntries(derived),
    administratorRoles: Object.fromEntries(managed),
    boundaryPolicies: Object.fromEntries(boundaries),
  });
}

/**
 * Why there is no plan, if that is no error: CircleCI runs pull requests from forks without credentials, and sets
 * CIRCLE_PR_NUMBER for these only.
 *
 * @see https://circleci.com/docs/variables/#built-in-environment-variables
 */
export function reasonForNoPlan(
  environments: readonly string[],
  { files, folder }: PlanLocations,
  env: Env,
): string | undefined {
  const isPlanned = environments.every((name) => files.has(name) || existsSync(join(folder, name, "plan")));
  return isPlanned || !env.CIRCLE_PR_NUMBER
    ? undefined
    : "the pull request comes from a fork, whose jobs get no credentials";
}
