import type { PolicyDocument } from "../policy/document";
import { ESCALATING_ACTIONS, isAdministratorPolicy } from "../policy/escalation";
import { evaluate } from "../policy/evaluate";
import type { Account } from "./provider";

/** A policy of a role: one of AWS's is known by its ARN, though nobody wrote its document here. */
export interface RolePolicy {
  /** The ARN of a managed policy, the name of an inline one. */
  readonly name: string;
  readonly document?: PolicyDocument;
}

/** Whether a policy makes an administrator: it allows an escalating action on an entity that it cannot know of. */
export function makesAdministrator({ name, document }: RolePolicy, { partition, accountId }: Account): boolean {
  if (isAdministratorPolicy(name)) return true;
  if (document === undefined) return false;
  return ESCALATING_ACTIONS.some((action) => {
    const request = {
      principal: { kind: "AWS", id: `arn:${partition}:sts::${accountId}:assumed-role/probe/probe` },
      action,
      resource: `arn:${partition}:iam::${accountId}:${kindOf(action)}/f7c1e0b4-made-up`,
      context: {},
    } as const;
    return evaluate({ identity: [{ name, document }] }, request).outcome === "allowed";
  });
}

/** What an action is done to. */
function kindOf(action: (typeof ESCALATING_ACTIONS)[number]): string {
  if (/User|AccessKey|LoginProfile/.test(action)) return /ToGroup$/.test(action) ? "group" : "user";
  if (/Group/.test(action)) return "group";
  return /PolicyVersion/.test(action) ? "policy" : "role";
}
