/**
 * The JSON policy language of AWS IAM, as types.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
export interface PolicyDocument {
  /** The version of the policy language; only 2012-10-17 has policy variables. Default: 2008-10-17. */
  readonly Version?: "2012-10-17" | "2008-10-17";
  readonly Id?: string;
  readonly Statement: Statement | readonly Statement[];
}

/** One value or a list: the policy grammar allows both for most elements. */
export type OneOrMany<T> = T | readonly T[];

/** The principals of a statement: `"*"`, or ARNs, account IDs, services and issuers by kind. */
export type PrincipalElement =
  | "*"
  | { readonly [kind in "AWS" | "Federated" | "Service" | "CanonicalUser"]?: OneOrMany<string> };

/** Operator → condition key → values, e.g. `{ StringEquals: { "aws:RequestedRegion": "us-east-1" } }`. */
export type ConditionElement = {
  readonly [operator: string]: { readonly [key: string]: OneOrMany<string | number | boolean> };
};

/** A statement; with a principal in a trust policy, with a resource in an identity policy. */
export interface Statement {
  readonly Sid?: string;
  readonly Effect: "Allow" | "Deny";
  readonly Principal?: PrincipalElement;
  readonly NotPrincipal?: PrincipalElement;
  readonly Action?: OneOrMany<string>;
  readonly NotAction?: OneOrMany<string>;
  readonly Resource?: OneOrMany<string>;
  readonly NotResource?: OneOrMany<string>;
  readonly Condition?: ConditionElement;
}

/** The policy in IAM's percent-encoded JSON; see {@link parseDocument}. */
export function decodeDocument(encoded = "{}"): PolicyDocument {
  return parseDocument(decodeURIComponent(encoded));
}

/** The policy in JSON. Text that is not JSON is returned unchanged: the policy engine reports it as malformed. */
export function parseDocument(json: string): PolicyDocument {
  try {
    return JSON.parse(json);
  } catch {
    return json as unknown as PolicyDocument;
  }
}

/** Whether a value is a JSON object; false for lists and null. */
export function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A single value as a list of one, a list unchanged, undefined as an empty list. */
export function asArray<T>(value: OneOrMany<T> | undefined): readonly T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value as T];
}

/** The statements of a document; `Statement` can be a single statement or a list. */
export function statements(document: PolicyDocument): readonly Statement[] {
  return asArray(document.Statement);
}

/**
 * The size of a document in characters, as AWS counts it for its quotas: without white space between JSON tokens. AWS
 * does not document whether white space in strings counts; it is counted here.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
export function policySize(document: PolicyDocument): number {
  return JSON.stringify(document).length;
}
