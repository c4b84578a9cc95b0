import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Environment } from "../config/resolved";
import { UserError } from "../errors";
import { comparePlans } from "../plan/comparison";
import { changedRoles } from "../review/delta";
import { savedPlan } from "../terraform/saved-plan";
import { administratorRoles } from "./administrator";

/** Whether a saved plan may be applied. */
export interface PlanVerification {
  /** Why it must not be applied; undefined if it may. */
  readonly refusal?: string;
  /** Whether the plan has no changes: then it may be applied, whatever was reviewed. */
  readonly isEmpty: boolean;
  /** The environment variables with which `cdktf deploy` applies this plan and no other. */
  readonly variables: { readonly [name: string]: string };
}

/**
 * Compares the plan that `cdktf diff` saved for an environment with the reviewed one.
 *
 * @param reviewedFile the reviewed plan, as `terraform show -json` prints it
 * @param terraform the Terraform that made the saved plan
 * @throws {UserError} one of the plans is missing or cannot be read
 */
export function verifyPlan(environment: Environment, reviewedFile: string, terraform: string): PlanVerification {
  const { name } = environment;
  const saved = resolve("cdktf.out", "stacks", name, "plan");
  const { fresh, isEmpty, difference } = comparePlans(
    name,
    readReviewed(reviewedFile),
    JSON.parse(savedPlan(name, dirname(saved), terraform)),
  );
  const variables = {
    KEYLESS_TERRAFORM: terraform,
    KEYLESS_VERIFIED_PLAN: saved,
    TERRAFORM_BINARY_NAME: resolve("keyless", "pipeline", "apply-verified-plan.sh"),
  };
  if (isEmpty) return { isEmpty, variables };
  const changed = changedRoles(fresh);
  const own = administratorRoles(environment).filter((role) => changed.has(role));
  if (own.length > 0) {
    const refusal =
      `${name}: the plan changes ${own.join(" and ")}, managed by administrators; the pipeline cannot deploy this change, ` +
      `and nothing was attempted. With an administrator's credentials of the account, run: npx cdktf deploy ${name}. ` +
      "Then rerun this job: it has nothing left to change.";
    return { isEmpty, variables, refusal };
  }
  if (difference !== undefined) {
    const refusal =
      `${name}: the saved plan differs from the reviewed plan; nothing was attempted. The difference:\n\n` +
      `${difference}\nRerun the workflow from its start, review the new plan and approve it.`;
    return { isEmpty, variables, refusal };
  }
  return { isEmpty, variables };
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
    // The parser's message quotes the plan, which may contain secrets.
    throw new UserError(`cannot read the reviewed plan: ${file} is not JSON`);
  }
}
