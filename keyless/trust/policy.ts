import type { PolicyDocument } from "../policy/document";
import { subjectPatterns, type TrustRule } from "./circleci";

/** Whom a role's trust policy is about: tokens of this issuer, for these audiences, that one of these rules names. */
export interface Trust {
  /** The ARN of the IAM OpenID Connect provider. */
  readonly providerArn: string;
  /** The issuer without its `https://`. */
  readonly issuer: string;
  /** The CircleCI organization, a lower-case UUID. */
  readonly organizationId: string;
  /** The values of a token's `aud` that are taken; at least one. */
  readonly audiences: readonly string[];
  /** At least one. */
  readonly rules: readonly TrustRule[];
}

/** One condition of a trust policy, in the terms of Terraform's `aws_iam_policy_document`. */
export interface TrustCondition {
  readonly test: "StringEquals" | "StringLike";
  readonly variable: string;
  readonly values: readonly string[];
}

/**
 * The conditions of a trust policy: the audience by equality, the subject by pattern. Both are always present: AWS
 * demands neither for an issuer of an organization's own, and without them it would let in every token of the issuer.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
 */
export function trustConditions(trust: Omit<Trust, "providerArn">): TrustCondition[] {
  const subjects = trust.rules.flatMap((rule) => subjectPatterns(rule, trust.organizationId));
  if (trust.audiences.length === 0 || subjects.length === 0) {
    throw new Error(`a trust policy for ${trust.issuer} needs at least one audience and one subject`);
  }
  return [
    { test: "StringEquals", variable: `${trust.issuer}:aud`, values: sortedUnique(trust.audiences) },
    { test: "StringLike", variable: `${trust.issuer}:sub`, values: sortedUnique(subjects) },
  ];
}

/** The trust policy as AWS stores it once Terraform has rendered and applied it. */
export function trustPolicy(trust: Trust): PolicyDocument {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: "sts:AssumeRoleWithWebIdentity",
        Principal: { Federated: trust.providerArn },
        Condition: Object.fromEntries(
          trustConditions(trust).map(({ test, variable, values }) => [
            test,
            { [variable]: values.length === 1 && values[0] !== undefined ? values[0] : values },
          ]),
        ),
      },
    ],
  };
}

// The order of values means nothing to AWS; sorted, reordering the rules changes nothing in the plan.
function sortedUnique(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}
