import type { PolicyDocument, Statement } from "../policy/document";
import { type AnyRefRule, conditionClaims, PROJECT_CLAIM, subjectPatterns, type TrustRule } from "./circleci";
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
 * The conditions of each statement of a trust policy: equality for the audience, patterns for the subject. AWS does not
 * require them for the issuer of an organization; without them, every token of the issuer would be trusted.
 *
 * Rules for any ref have a statement of their own, which also pins their projects by id if AWS has the condition key: in
 * one statement with other rules, the pin would have to list the projects of those too.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
 */
export function trustConditions({
  issuer,
  organizationId,
  audiences,
  rules,
}: Omit<Trust, "providerArn">): TrustCondition[][] {
  const isPinned = (rule: TrustRule) => pinsProjectId(rule, issuer);
  const statements = [rules.filter((rule) => !isPinned(rule)), rules.filter(isPinned)].flatMap((group) => {
    const projects = group.flatMap((rule) => (pinsProjectId(rule, issuer) ? rule.project : []));
    const subjects = group.flatMap((rule) => subjectPatterns(rule, organizationId));
    const conditions: TrustCondition[] = [
      { test: "StringEquals", variable: `${issuer}:aud`, values: sortedUnique(audiences) },
      { test: "StringEquals", variable: `${issuer}:${PROJECT_CLAIM}`, values: sortedUnique(projects) },
      { test: "StringLike", variable: `${issuer}:sub`, values: sortedUnique(subjects) },
    ];
    return subjects.length === 0 ? [] : [conditions.filter(({ values }) => values.length > 0)];
  });
  if (audiences.length === 0 || statements.length === 0) {
    throw new Error(`a trust policy for ${issuer} must have at least one audience and one subject`);
  }
  return statements;
}

/** Whether the trust policy of a rule has a condition on the project's id, which AWS has for some issuers only. */
export function pinsProjectId(rule: TrustRule, issuer: string): rule is AnyRefRule {
  return "refs" in rule && conditionClaims(issuer).includes(PROJECT_CLAIM);
}

/** The trust policy as Terraform renders it and AWS stores it. */
export function trustPolicy(trust: Trust): PolicyDocument {
  const Principal = { Federated: trust.providerArn };
  const Statement = trustConditions(trust).map((conditions): Statement => {
    const Condition: Record<string, Record<string, string | string[]>> = {};
    for (const { test, variable, values } of conditions) {
      const [first = "", ...rest] = values;
      Condition[test] = { ...Condition[test], [variable]: rest.length === 0 ? first : [first, ...rest] };
    }
    return { Effect: "Allow", Action: ASSUME, Principal, Condition };
  });
  return { Version: "2012-10-17", Statement };
}

// AWS ignores the order of values. Sorted, a new order of the rules does not change the plan.
function sortedUnique(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}
