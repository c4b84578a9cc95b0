import { resolve } from "node:path";
import { boundaryPolicyName } from "../config/names";
import type { Environment } from "../config/resolved";
import { RefusedError } from "../errors";
import { comparePlans } from "../plan/comparison";
import { changedBoundaries, changedRoles } from "../review/delta";
import { copySavedPlan, readSavedPlan } from "../terraform/saved-plan";
import { administratorRoles } from "./administrator";

/** A saved plan that may be applied. */
export interface VerifiedPlan {
  /** Whether the plan has no changes. */
  readonly isEmpty: boolean;
  /** The environment variables with which `cdktf deploy` applies this plan and no other. */
  readonly variables: { readonly [name: string]: string };
}

/** How to verify a plan. */
export interface VerifyPlanOptions {
  /** The Terraform that made the saved plan. */
  readonly terraform: string;
  /** Called after the saved plan was read: throws if the sources must not be deployed. */
  readonly checkSources: () => void;
}

/**
 * Copies the plan that `cdktf diff` saved for an environment, and compares the copy with the reviewed plan.
 *
 * @param reviewed the JSON of the reviewed plan, as `terraform show -json` prints it
 * @param terraform the Terraform that made the saved plan
 * @throws {RefusedError} the plans differ, or the plan changes roles or permissions boundaries that administrators manage
 * @throws {UserError} the saved plan is missing, or one of them cannot be read
 */
export function verifyPlan(environment: Environment, reviewed: unknown, options: VerifyPlanOptions): VerifiedPlan {
  const { name } = environment;
  const { terraform, checkSources } = options;
  const stack = resolve("cdktf.out", "stacks", name);
  const { file, sha256 } = copySavedPlan(name, stack);
  const json = readSavedPlan(name, stack, terraform, file);
  checkSources();
  const { fresh, isEmpty, difference } = comparePlans(name, reviewed, json);
  const changed = changedRoles(fresh);
  const managed = [
    ...administratorRoles(environment).filter((role) => changed.has(role)),
    ...changedBoundaries(fresh, boundaryPolicyName(name)).map(
      (boundary) => `the permissions boundary ${boundary.kind === "role" ? "of " : ""}${boundary.name}`,
    ),
  ];
  if (managed.length > 0) {
    throw new RefusedError(
      `${name}: the plan changes ${managed.join(" and ")}, managed by administrators; the pipeline cannot deploy this ` +
        "change. With an administrator's credentials of the account, run: " +
        `TF_CLI_ARGS_init=-lockfile=readonly npx cdktf deploy ${name}. Then rerun this job: it has nothing left to change.`,
    );
  }
  if (!isEmpty && difference !== undefined) {
    throw new RefusedError(
      `${name}: the saved plan differs from the reviewed plan. The difference:\n\n${difference}\n` +
        "Rerun the workflow from its start, review the new plan and approve it.",
    );
  }
  const variables = {
    KEYLESS_TERRAFORM: terraform,
    KEYLESS_VERIFIED_STACK: stack,
    KEYLESS_VERIFIED_PLAN: file,
    KEYLESS_VERIFIED_SHA256: sha256,
    TERRAFORM_BINARY_NAME: resolve("keyless", "pipeline", "apply-verified-plan.sh"),
  };
  return { isEmpty, variables };
}
