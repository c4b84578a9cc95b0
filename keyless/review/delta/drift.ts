import type { Plan, ResourceChange } from "../../plan/schema";
import { isMap, type Value } from "../../plan/value";
import { heldPolicies, holding } from "./iam";

/**
 * What was changed behind Terraform's back. Terraform calls it drift too when a role shows the policies that resources
 * of their own have just put on it: those are left out.
 */
export function driftOf(plan: Plan): ResourceChange[] {
  const held = heldPolicies(plan.changes);
  const withoutHeld = (role: ResourceChange["after"]): ResourceChange["after"] => {
    if (role === null) return null;
    const isNotHeld = (policy: Value) => !held.has(holding(role.name, isMap(policy) ? policy.name : policy));
    const lists = ["inline_policy", "managed_policy_arns"].flatMap((name) => {
      const policies = role[name];
      return Array.isArray(policies) ? [[name, policies.filter(isNotHeld)]] : [];
    });
    return { ...role, ...Object.fromEntries(lists) };
  };
  return plan.drift
    .filter(({ mode }) => mode === "managed")
    .map((change) => {
      if (change.type !== "aws_iam_role") return change;
      return { ...change, before: withoutHeld(change.before), after: withoutHeld(change.after) };
    });
}
