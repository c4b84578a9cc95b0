import type { ConditionElement, PolicyDocument, Statement } from "../../policy/document";
import {
  ANY_USER,
  formatRef,
  formatSubject,
  isAnyRef,
  PROJECT_CLAIM,
  parseRef,
  type SubjectParts,
  UUID,
} from "../circleci";
import type { Account } from "../provider";
import { isRefName } from "../ref-name";
import {
  type ClaimCondition,
  conditionsOn,
  isLike,
  isNegated,
  NO_ID,
  type TrustStatement,
  trustedSubjects,
} from "../statement";
import { refReading } from "./forgery";

/** The account id of a provider that no account has. */
export const NO_ACCOUNT: Account = { accountId: "000000000000", partition: "aws" };
const NO_REPOSITORY = "github.com/OWNER/REPOSITORY";

/** The placeholders in a fixed policy that the user must replace, each with what to replace it by. */
export function placeholdersIn(policy: PolicyDocument): { readonly placeholder: string; readonly by: string }[] {
  const json = JSON.stringify(policy);
  return [
    {
      placeholder: NO_ID,
      by: json.includes(`org/${NO_ID}`) ? "the organization's or project's id" : "the project's id",
    },
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

/**
 * The statement with conditions replaced by one with this operator, or an equivalent one if the statement has another
 * condition with the operator on the same key.
 */
export function withOperator(
  trust: Pick<TrustStatement, "statement">,
  removed: readonly ClaimCondition[],
  [operator, key, values]: ConditionEntry,
): Statement {
  const left = withConditions(trust, removed).Condition ?? {};
  const free = [operator, `ForAnyValue:${operator}`].find((each) => left[each]?.[key] === undefined) ?? operator;
  return withConditions(trust, removed, [free, key, values]);
}

/** The statement with its conditions on the audience replaced by equality with those that it lists, or the default. */
export function withAudience(trust: TrustStatement): Statement {
  const conditions = conditionsOn(trust, "aud");
  const listed = conditions
    .filter((condition) => !isNegated(condition))
    .flatMap((condition) =>
      condition.values.filter((value) => !value.includes("${") && !(isLike(condition) && /[*?]/.test(value))),
    );
  const audience: ConditionEntry = [
    "StringEquals",
    `${trust.issuer}:aud`,
    listed.length === 0 ? [trust.organization] : listed,
  ];
  return withConditions(trust, conditions, audience);
}

/** The statement with its conditions on the subject replaced by one that trusts one branch of one project. */
export function withSubject(trust: TrustStatement, parts?: Partial<SubjectParts>): Statement {
  const subject: ConditionEntry = ["StringLike", `${trust.issuer}:sub`, [safeSubject(trust, parts)]];
  return withConditions(trust, conditionsOn(trust, "sub"), subject);
}

/** The statement with one value of a condition replaced, compared by `StringLike`. */
export function withValue(trust: TrustStatement, condition: ClaimCondition, value: string, by: string): Statement {
  const values = condition.values.map((each) => (each === value ? by : each));
  if (/String(Not)?Like/.test(condition.operator))
    return withConditions(trust, [condition], [condition.operator, condition.key, values]);
  const operator = isNegated(condition) ? "StringNotLike" : "StringLike";
  return withOperator(trust, [condition], [operator, condition.key, values]);
}

/** The project that the statement names, if any. */
function namedProject(trust: TrustStatement): string | undefined {
  return [
    ...trustedSubjects(trust).map(({ parts }) => parts?.project ?? ""),
    ...conditionsOn(trust, PROJECT_CLAIM)
      .filter((condition) => !isNegated(condition))
      .flatMap(({ values }) => values),
  ].find((id) => UUID.test(id));
}

/** A pattern that keeps the literal parts of a subject, and that no branch name can forge. */
export function safeSubject(trust: TrustStatement, parts: Partial<SubjectParts> = {}): string {
  const literal = (part: string | undefined) =>
    part === undefined || /[*?]|:\/\//.test(part) ? undefined : part.replace(/\.git$/, "");
  const id = (part: string | undefined) =>
    part !== undefined && UUID.test(part.toLowerCase()) ? part.toLowerCase() : undefined;
  const { ref = "", user = "" } = parts;
  const userStart = user.split(/[*/]/)[0] ?? "";
  const users = userStart + ANY_USER.slice(userStart.length);
  const { kind = "branch", name = ref } = parseRef(ref) ?? {};
  const isSafe = isAnyRef(ref) || (name !== ref && refReading(ref) === "intended");
  const ending = /[^*?/][^*?]*$/.exec(name)?.[0] ?? "main";
  return formatSubject({
    organization: (trust.isRoot ? id(parts.organization) : undefined) ?? trust.organization,
    project: id(parts.project?.split(/[*/]/)[0]) ?? namedProject(trust) ?? NO_ID,
    user: id(user) ?? (/^[0-9a-f?]{8}(-[0-9a-f?]{4}){3}-[0-9a-f?]{12}$/.test(users) ? users : ANY_USER),
    repository: literal(parts.repository) ?? NO_REPOSITORY,
    ref: isSafe ? ref : formatRef({ kind, name: name.endsWith("/") || !isRefName(ending) ? "main" : ending }),
  });
}
