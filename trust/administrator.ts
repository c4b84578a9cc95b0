import type { PolicyDocument } from "../policy/document";
import { evaluate } from "../policy/evaluate";
import type { Account } from "./token";

/** A policy of a role: one of AWS's is known by its ARN, though nobody wrote its document here. */
export interface RolePolicy {
  /** The ARN of a managed policy, the name of an inline one. */
  readonly name: string;
  readonly document?: PolicyDocument;
}

/** AWS's own policies that give every permission, or the means to take it. */
const ADMINISTRATORS = /^arn:[\w-]+:iam::aws:policy\/(AdministratorAccess|IAMFullAccess)$/;

/** What lets a role give itself or another every permission, if it may be done to anything in the account. */
const ESCALATIONS = [
  "iam:AttachRolePolicy",
  "iam:PutRolePolicy",
  "iam:AttachUserPolicy",
  "iam:PutUserPolicy",
  "iam:CreateAccessKey",
  "iam:UpdateAssumeRolePolicy",
];

/** Whether a policy makes an administrator: it allows one of these actions on an entity that it cannot know of. */
export function makesAdministrator({ name, document }: RolePolicy, { partition, accountId }: Account): boolean {
  if (ADMINISTRATORS.test(name)) return true;
  if (document === undefined) return false;
  return ESCALATIONS.some((action) => {
    const kind = /User|AccessKey/.test(action) ? "user" : "role";
    const request = {
      principal: { kind: "AWS", id: `arn:${partition}:sts::${accountId}:assumed-role/probe/probe` },
      action,
      resource: `arn:${partition}:iam::${accountId}:${kind}/f7c1e0b4-made-up`,
      context: {},
    } as const;
    return evaluate({ identity: [{ name, document }] }, request).outcome === "allowed";
  });
}
