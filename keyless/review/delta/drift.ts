import { References } from "../../plan/references";
import type { Plan, ResourceChange } from "../../plan/schema";
import { isMap, type Value } from "../../plan/value";
import { attachmentId, separatelyAttached } from "./iam";
import type { Attributes } from "./identities";

/**
 * The changes made outside Terraform. Terraform also reports as drift of a resource what other resources of the plan
 * changed: the policies that they attached to a role, the policy that they set on a bucket. They are left out; a change of
 * them outside Terraform is drift of the other resource.
 */
export function driftOf(plan: Plan): ResourceChange[] {
  const attached = separatelyAttached(plan.changes);
  const references = new References(plan);
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
      if (change.type === "aws_iam_role")
        return { ...change, before: withoutAttached(change.before), after: withoutAttached(change.after) };
      const suffixes = suffixesOfParts(change, plan);
      const isOwn = (name: string) =>
        references.sets(change, name) || !suffixes.some((suffix) => isManagedBy(name, suffix));
      const own = (side: Attributes | null) =>
        side && Object.fromEntries(Object.entries(side).filter(([name]) => isOwn(name)));
      return suffixes.length === 0 ? change : { ...change, before: own(change.before), after: own(change.after) };
    });
}

/** What the types of the resources that manage a part of a resource add to its type: `policy` of `aws_sns_topic_policy`. */
function suffixesOfParts({ type, before, after }: ResourceChange, { changes }: Plan): readonly string[] {
  const names = ["id", "arn", "name", "bucket", "url"].map((name) => (after ?? before)?.[name]);
  const own = new Set(names.filter((name) => typeof name === "string" && name !== ""));
  return changes
    .filter((part) => part.mode === "managed" && part.type.startsWith(`${type}_`))
    .filter((part) => Object.values(part.before ?? {}).some((value) => own.has(value as string)))
    .map((part) => part.type.slice(type.length + 1));
}

/** Whether a resource with this suffix of its type manages the attribute: `aws_s3_bucket_versioning` manages `versioning`. */
function isManagedBy(attribute: string, suffix: string): boolean {
  return attribute === suffix || (attribute === "grant" && suffix === "acl");
}
