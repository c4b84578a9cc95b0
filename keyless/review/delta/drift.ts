import type { Plan, ResourceChange } from "../../plan/schema";
import { isMap, type Value } from "../../plan/value";
import { attachmentId, separatelyAttached } from "./iam";

/**
 * The changes made outside Terraform. Terraform also reports policies that other resources of the plan attached to a
 * role as drift of the role: they are left out.
 */
export function driftOf(plan: Plan): ResourceChange[] {
  const attached = separatelyAttached(plan.changes);
  const withoutAttached = (role: ResourceChange["after"]): ResourceChange["after"] => {
    if (role === null) return null;
    const isOwn = (policy: Value) => !attached.has(attachmentId(role.name, isMap(policy) ? policy.name : policy));
    const lists = ["inline_policy", "managed_policy_arns"].flatMap((name) => {
      const policies = role[name];
      return Array.isArray(policies) ? [[name, policies.filter(isOwn)]] : [];
    });
    return { ...role, ...Object.fromEntries(lists) };
  };
  return plan.drift
    .filter(({ mode }) => mode === "managed")
    .map((change) => {
      if (change.type !== "aws_iam_role") return change;
      return { ...change, before: withoutAttached(change.before), after: withoutAttached(change.after) };
    });
}
