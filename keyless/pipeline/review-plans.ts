import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config/resolved";
import { UserError } from "../errors";
import { readPlan } from "../plan/schema";
import { type PullRequest, parsePullRequest } from "../review/github";
import { type Review, review } from "../review/review";
import type { Env } from "../terraform/executables";
import { readPlanFile, readSavedPlan } from "../terraform/saved-plan";
import { administratorRoles } from "./administrator";

/** Where to read plans from. */
export interface PlanLocations {
  /** Files that contain plans as `terraform show -json` prints them, by environment. */
  readonly files: ReadonlyMap<string, string>;
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
  const plans = environments.map((name) => {
    const file = files.get(name);
    const json = file ? readPlanFile(file, `the plan of ${name}`) : readSavedPlan(name, join(folder, name), terraform);
    return readPlan(name, json);
  });
  const managed = config.environments.map((environment) => [environment.name, administratorRoles(environment)]);
  return review(plans, { administratorRoles: Object.fromEntries(managed) });
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

/** The GitHub token in the environment variables. */
export function githubToken(env: Env): string | undefined {
  return env.GITHUB_TOKEN || env.GH_TOKEN;
}

/**
 * The pull request to comment on. Undefined if there is none.
 *
 * @param url the page of the pull request. Default: the one in `CIRCLE_PULL_REQUEST`
 * @throws {UserError} the URL is not the page of a pull request, or there is no token
 */
export function findPullRequest(url: string | undefined, env: Env): PullRequest | undefined {
  const page = url ?? env.CIRCLE_PULL_REQUEST;
  if (!page) return undefined;
  const pullRequest = parsePullRequest(page, env.GITHUB_API_URL || undefined);
  const token = githubToken(env);
  if (!token) throw new UserError("no token: set GITHUB_TOKEN to a token with the permission pull-requests: write");
  return { ...pullRequest, token };
}
