import type { ConditionElement, PolicyDocument, Statement } from "../../policy/document";
import { ANY_USER, formatRef, formatSubject, parseRef, type SubjectParts, UUID } from "../circleci";
import type { Account } from "../provider";
import { type ClaimCondition, conditionsOn, type TrustStatement } from "../statement";

/** A project id that no project has: a statement with it matches no token until it is replaced. */
export const NO_PROJECT = "00000000-0000-0000-0000-000000000000";
/** The account id of a provider that no account has. */
export const NO_ACCOUNT: Account = { accountId: "000000000000", partition: "aws" };
const NO_REPOSITORY = "github.com/OWNER/REPOSITORY";

/** The placeholders in a fixed policy that the user must replace, each with what to replace it by. */
export function placeholdersIn(policy: PolicyDocument): { readonly placeholder: string; readonly by: string }[] {
  const json = JSON.stringify(policy);
  return [
    { placeholder: NO_PROJECT, by: "the project's id" },
    { placeholder: NO_REPOSITORY, by: "the repository" },
    { placeholder: `::${NO_ACCOUNT.accountId}:`, by: "the account's id" },
  ].filter(({ placeholder }) => json.includes(placeholder));
}

type ConditionEntry = readonly [operator: string, key: string, values: readonly string[]];

/** The statement without some conditions, and with another one if it is given. */
export function withConditions(
  { statement }: Pick<TrustStatement, "statement">,
  removed: readonly ClaimCondition[],
  added?: ConditionEntry,
): Statement {
  const conditions = structuredClone(statement.Condition ?? {}) as Record<string, Record<string, unknown>>;
  for (const { operator, key } of removed) delete conditions[operator]?.[key];
  if (added !== undefined) {
    const [operator, key, values] = added;
    conditions[operator] = { ...conditions[operator], [key]: values.length === 1 ? values[0] : values };
  }
  const left = Object.entries(conditions).filter(([, keys]) => Object.keys(keys).length > 0);
  return { ...statement, Condition: Object.fromEntries(left) as ConditionElement };
}

/** The statement with its conditions on the audience replaced by equality with CircleCI's default audience. */
export function withAudience(trust: TrustStatement): Statement {
  const audience: ConditionEntry = ["StringEquals", `${trust.issuer}:aud`, [trust.organization]];
  return withConditions(trust, conditionsOn(trust, "aud"), audience);
}

/** The statement with its conditions on the subject replaced by one that trusts one branch of one project. */
export function withSubject(trust: TrustStatement, parts?: SubjectParts): Statement {
  const subject: ConditionEntry = ["StringLike", `${trust.issuer}:sub`, [safeSubject(trust, parts)]];
  return withConditions(trust, conditionsOn(trust, "sub"), subject);
}

/** The statement with one value of a condition replaced, compared by `StringLike`. */
export function withValue(trust: TrustStatement, condition: ClaimCondition, value: string, by: string): Statement {
  const operator = condition.operator.includes("StringLike") ? condition.operator : "StringLike";
  const values = condition.values.map((each) => (each === value ? by : each));
  return withConditions(trust, [condition], [operator, condition.key, values]);
}

/** A pattern that keeps the literal parts of a subject, and that no branch name can forge. */
export function safeSubject({ organization }: TrustStatement, parts: Partial<SubjectParts> = {}): string {
  const literal = (part: string | undefined) =>
    part === undefined || /[*?]|:\/\//.test(part) ? undefined : part.replace(/\.git$/, "");
  const id = (part: string | undefined) =>
    part !== undefined && UUID.test(part.toLowerCase()) ? part.toLowerCase() : undefined;
  const { ref = "" } = parts;
  const isSafe = /^[^*?]*\*?$/.test(parseRef(ref)?.name ?? "?");
  return formatSubject({
    organization,
    project: id(parts.project) ?? NO_PROJECT,
    user: id(parts.user) ?? ANY_USER,
    repository: literal(parts.repository) ?? NO_REPOSITORY,
    ref: isSafe ? ref : formatRef({ kind: "branch", name: ref.endsWith("/") ? "main" : literal(ref) || "main" }),
  });
}
