import type { PolicyDocument } from "../policy/document";
import { subjectPatterns, type TrustRule } from "./circleci";
import { ASSUME } from "./statement";

/** The tokens that a role trusts: of this issuer, for one of the audiences, and matching one of the rules. */
export interface Trust {
  /** The ARN of the IAM OpenID Connect provider. */
  readonly providerArn: string;
  /** The issuer without `https://`. */
  readonly issuer: string;
  /** The CircleCI organization, a lower-case UUID. */
  readonly organizationId: string;
  /** The accepted values of a token's `aud`; at least one. */
  readonly audiences: readonly string[];
  /** At least one. */
  readonly rules: readonly TrustRule[];
}

/** A condition of a trust policy, with the arguments of Terraform's `aws_iam_policy_document`. */
export interface TrustCondition {
  readonly test: "StringEquals" | "StringLike";
  readonly variable: string;
  readonly values: readonly string[];
}

/**
 * The conditions of a trust policy: equality for the audience, patterns for the subject. AWS does not require them for
 * the issuer of an organization; without them, every token of the issuer would be trusted.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
 */
export function trustConditions(trust: Omit<Trust, "providerArn">): TrustCondition[] {
  const subjects = trust.rules.flatMap((rule) => subjectPatterns(rule, trust.organizationId));
  if (trust.audiences.length === 0 || subjects.length === 0) {
    throw new Error(`a trust policy for ${trust.issuer} must have at least one audience and one subject`);
  }
  return [
    { test: "StringEquals", variable: `${trust.issuer}:aud`, values: sortedUnique(trust.audiences) },
    { test: "StringLike", variable: `${trust.issuer}:sub`, values: sortedUnique(subjects) },
  ];
}

/** The trust policy as Terraform renders it and AWS stores it. */
export function trustPolicy(trust: Trust): PolicyDocument {
  const conditions = trustConditions(trust).map(({ test, variable, values: [first = "", ...rest] }) => {
    return [test, { [variable]: rest.length === 0 ? first : [first, ...rest] }] as const;
  });
  const Principal = { Federated: trust.providerArn };
  const Condition = Object.fromEntries(conditions);
  return { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: ASSUME, Principal, Condition }] };
}

// AWS ignores the order of values. Sorted, a new order of the rules does not change the plan.
function sortedUnique(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}
