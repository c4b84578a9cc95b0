import { covers, coversArn } from "./containment";
import { every, not, some, type Verdict, verdictOf } from "./decision";
import type { PolicyDocument } from "./document";
import { isWellFormed, type NormalizedCondition, type NormalizedStatement, normalizePolicy } from "./normal-form";
import { matchesPattern } from "./pattern";

/** A policy of a role. */
export interface RolePolicy {
  /** The ARN of a managed policy, the name of an inline policy. */
  readonly name: string;
  /** Absent if only the ARN of a managed policy is known. */
  readonly document?: PolicyDocument;
}

/**
 * Actions with which a principal can grant itself more permissions, by the type of the resource that they act on.
 *
 * @see https://docs.aws.amazon.com/prescriptive-guidance/latest/privilege-escalation-detection/
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
 */
const ESCALATING_ACTIONS = {
  group: ["iam:AddUserToGroup", "iam:AttachGroupPolicy", "iam:PutGroupPolicy"],
  policy: ["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"],
  role: [
    ...["iam:AttachRolePolicy", "iam:DeleteRolePermissionsBoundary", "iam:PassRole"],
    ...["iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "sts:AssumeRole"],
  ],
  user: [
    ...["iam:AttachUserPolicy", "iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:DeleteUserPermissionsBoundary"],
    ...["iam:PutUserPermissionsBoundary", "iam:PutUserPolicy", "iam:UpdateLoginProfile"],
  ],
};

const ADMINISTRATOR_POLICY = /^arn:[\w-]+:iam::aws:policy\/(AdministratorAccess|PowerUserAccess|IAMFullAccess)$/;
const READ_ONLY_POLICY = /^arn:[\w-]+:iam::aws:policy\/.*(ReadOnly(Access)?|ViewOnlyAccess|SecurityAudit)$/;

/** Whether an ARN is that of an AWS managed policy that only reads. */
export function isReadOnlyPolicy(arn: string): boolean {
  return READ_ONLY_POLICY.test(arn);
}

/**
 * Whether a policy, or a list of statements, makes its holder an administrator of the account:
 * - `yes`: it allows an escalating action on every role, user, group or policy of the account, or on all except those
 *   that it names (`NotResource`, or a Deny on some of them);
 * - `no`: it allows no escalating action, or only on some names (`role/ci-*`), or denies them all unconditionally;
 * - `unknown`: it depends on a condition, a policy variable or another role's trust policy (`sts:AssumeRole`), the
 *   document is malformed, or only the ARN is known.
 *
 * Each Allow is judged by itself: two statements that cover every name only together count as `no`. Statements with a
 * principal belong to resource policies and are ignored.
 */
export function grantsAdministrator(policy: RolePolicy | readonly NormalizedStatement[]): "yes" | "no" | "unknown" {
  if ("name" in policy) {
    const { name, document } = policy;
    if (ADMINISTRATOR_POLICY.test(name)) return "yes";
    if (document === undefined) return isReadOnlyPolicy(name) ? "no" : "unknown";
    const normalized = normalizePolicy(document);
    return isWellFormed(normalized) ? grantsAdministrator(normalized.statements) : "unknown";
  }
  const escalations = Object.entries(ESCALATING_ACTIONS).flatMap(([type, actions]) => {
    const covering = policy
      .map((statement) => ({ statement, verdict: coversType(statement, type) }))
      .filter(({ verdict }) => verdict !== "not-matched");
    return actions.map((action) => {
      const applies = (effect: "Allow" | "Deny") =>
        some(
          covering
            .filter(({ statement }) => statement.Effect === effect)
            .map(({ statement, verdict }) => every([verdict, coversAction(statement, action)])),
        );
      // A role must trust its caller too, and its trust policy is not known here.
      return every([applies("Allow"), not(applies("Deny")), action === "sts:AssumeRole" ? "unsupported" : "matched"]);
    });
  });
  return ({ matched: "yes", "not-matched": "no", unsupported: "unknown" } as const)[some(escalations)];
}

/** Whether a statement applies to all resources of a type, or all except those that it names, in every request. */
function coversType(statement: NormalizedStatement, type: string): Verdict {
  const { Principal, NotPrincipal, Resource, NotResource, conditions } = statement;
  if (Principal !== undefined || NotPrincipal !== undefined) return "not-matched";
  return every([
    either(Resource, NotResource, (patterns) => some(patterns.map((pattern) => coversResources(pattern, type)))),
    ...conditions.map((condition) => (isAlwaysTrue(condition) ? "matched" : "unsupported")),
  ]);
}

function coversAction({ Action, NotAction }: NormalizedStatement, action: string): Verdict {
  const matches = (pattern: string) => matchesPattern(pattern.toLowerCase(), action.toLowerCase());
  return either(Action, NotAction, (patterns) => verdictOf(patterns.some(matches)));
}

/** The verdict on an element or on its negated form; a statement with neither is malformed. */
function either<T>(element: T | undefined, negated: T | undefined, verdict: (element: T) => Verdict): Verdict {
  return element ? verdict(element) : negated ? not(verdict(negated)) : "unsupported";
}

/**
 * Whether a pattern covers every IAM resource of a type in an account; any account ID is taken for the role's own. A
 * pattern that does so only if a wildcard matches across a colon is `unsupported`.
 */
function coversResources(pattern: string, type: string): Verdict {
  const anyAccount = pattern
    .replace(/^arn:aws[^:]*:/, "arn:aws*:")
    .replace(/^(arn:[^:]*:[^:]*:[^:]*:)[\d*?]+:/, "$1*:");
  const all = `arn:aws*:iam::????????????:${type}/?*`;
  if (coversArn(anyAccount, all)) return "matched";
  const anyValue = anyAccount.replace(/\$\{[^}*?$][^}]*\}/g, "*");
  return covers(anyValue, all) ? "unsupported" : "not-matched";
}

/** Whether a condition is true for every request: it has a pattern for any value, and is true if the key is absent. */
function isAlwaysTrue({ operator, values }: NormalizedCondition): boolean {
  return (
    /^(ForAllValues:StringLike(IfExists)?|StringLikeIfExists)$/.test(operator) &&
    values.some((value) => /^\*+$/.test(value))
  );
}
