import { isDeepStrictEqual } from "node:util";
import { References } from "../../plan/references";
import { hasEffect, type Plan, type ResourceChange } from "../../plan/schema";
import type { PolicyDocument } from "../../policy/document";
import type { AccessFinding } from "./finding";
import { IamChanges } from "./iam";

/** An inline policy that the configuration derives from its roles: it lists them by ARN. */
export interface DerivedPolicy {
  /** The name of the role that has the policy. */
  readonly role: string;
  readonly roleArn: string;
  /** The name of the policy. */
  readonly name: string;
  readonly document: PolicyDocument;
}

/**
 * Marks the findings that follow from roles which the plan adds or removes: permissions that a derived policy grants or
 * revokes on these roles alone. A role is left out if the plan changes anything else about it, if its policy is not the
 * derived document, and if the finding is administrator-like.
 */
export function markConsequences(
  findings: readonly AccessFinding[],
  plan: Plan,
  derived: readonly DerivedPolicy[],
): readonly AccessFinding[] {
  if (derived.length === 0 || plan.severalAccounts) return findings;
  const iam = new IamChanges(plan.changes, plan, new References(plan));
  const changes = plan.changes.filter((change) => change.mode === "managed" && hasEffect(change));
  const changed = rolesAddedOrRemoved(changes);
  const unchangedOtherwise = derived.filter((policy) => {
    const own = changes.filter((change) => iam.rolesOf(change).includes(policy.role));
    return own.length === 1 && own.every((change) => isUpdateTo(policy, change));
  });
  return findings.map((finding) => {
    const { subject, kind, administrator, resources = [] } = finding;
    const policy = unchangedOtherwise.find(({ role }) => subject === `role ${role}`);
    const isPermission = kind === "permission-granted" || kind === "permission-revoked";
    if (policy === undefined || !isPermission || administrator || resources.length === 0) return finding;
    const account = policy.roleArn.slice(0, policy.roleArn.indexOf(":role/"));
    const arns = new Set([...changed].map((path) => `${account}:role${path}`));
    return resources.every((resource) => arns.has(resource)) ? { ...finding, consequence: true } : finding;
  });
}

/** The paths and names, e.g. `/team/deploy`, of the roles that exist only before or only after the plan. */
function rolesAddedOrRemoved(changes: readonly ResourceChange[]): ReadonlySet<string> {
  const sides = (["before", "after"] as const).map((side) =>
    changes.flatMap(({ type, action, [side]: attributes }) => {
      const isRole = type === "aws_iam_role" && ["create", "destroy", "replace"].includes(action);
      const { name, path } = (isRole && attributes) || {};
      return typeof name === "string" ? `${typeof path === "string" ? path : "/"}${name}` : [];
    }),
  );
  const [before = [], after = []] = sides;
  return new Set([
    ...before.filter((each) => !after.includes(each)),
    ...after.filter((each) => !before.includes(each)),
  ]);
}

function isUpdateTo({ name, document }: DerivedPolicy, { type, action, after }: ResourceChange): boolean {
  if (type !== "aws_iam_role_policy" || action !== "update" || after?.name !== name) return false;
  return typeof after.policy === "string" && isDeepStrictEqual(parsed(after.policy), document);
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
