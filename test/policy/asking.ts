import type { ConditionElement, Statement } from "../../keyless/policy/document";
import type { NamedPolicy, Request } from "../../keyless/policy/evaluate";

export const account = "123456789012";
export const user = `arn:aws:iam::${account}:user/ada`;
export const role = `arn:aws:iam::${account}:role/deploy`;
export const session = `arn:aws:sts::${account}:assumed-role/deploy/job-7`;
export const bucketObject = "arn:aws:s3:::site/index.html";

/** A request to read an object, with changes. */
export function asking(changes: Partial<Request> = {}): Request {
  return {
    principal: { kind: "AWS", id: session },
    action: "s3:GetObject",
    resource: bucketObject,
    context: {},
    ...changes,
  };
}

export function policy(...statements: readonly unknown[]): NamedPolicy {
  return { name: "under test", document: { Version: "2012-10-17", Statement: statements as readonly Statement[] } };
}

/** A policy without Version, which defaults to 2008-10-17. */
export function oldPolicy(...statements: readonly unknown[]): NamedPolicy {
  return { name: "under test", document: { Statement: statements as readonly Statement[] } };
}

export function allow(changes: object = {}): Statement {
  return { Effect: "Allow", Action: "s3:GetObject", Resource: "*", ...changes };
}

export function deny(changes: object = {}): Statement {
  return allow({ Effect: "Deny", ...changes });
}

export function when(condition: ConditionElement): { readonly Condition: ConditionElement } {
  return { Condition: condition };
}
