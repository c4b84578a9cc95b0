import type { ConditionElement, OneOrMany, Statement } from "../../policy/document";
import { ANY_USER, formatRef, formatSubject, parseRef, type SubjectParts, UUID } from "../circleci";
import type { Account } from "../provider";
import type { Condition, TrustStatement } from "../statement";
import { conditionsOn } from "../statement";

/** An id that no project has: a statement that names it lets nobody in until the right one is written. */
export const NO_PROJECT = "00000000-0000-0000-0000-000000000000";
/** Likewise a repository, and an account. */
export const NO_REPOSITORY = "github.com/OWNER/REPOSITORY";
export const NO_ACCOUNT: Account = { accountId: "000000000000", partition: "aws" };

type Value = OneOrMany<string | number | boolean>;

/** The statement with another condition in place of one, or without it. */
export function replaced(
  { statement }: TrustStatement,
  { operator, key }: Condition,
  by?: [operator: string, key: string, value: Value],
): Statement {
  const { [key]: _, ...rest } = statement.Condition?.[operator] ?? {};
  const without = { ...statement.Condition, [operator]: rest };
  return withCondition(statement, by === undefined ? without : added(without, by));
}

function added(conditions: ConditionElement, [operator, key, value]: [string, string, Value]): ConditionElement {
  return { ...conditions, [operator]: { ...conditions[operator], [key]: value } };
}

function withCondition(statement: Statement, conditions: ConditionElement): Statement {
  return {
    ...statement,
    Condition: Object.fromEntries(Object.entries(conditions).filter(([, keys]) => Object.keys(keys).length > 0)),
  };
}

/** The statement with its conditions on the audience replaced by the safe one: CircleCI's own, by equality. */
export function withAudience(trust: TrustStatement): Statement {
  return withOnly(trust, "aud", ["StringEquals", `${trust.issuer}:aud`, trust.organization]);
}

/** The statement with its conditions on the subject replaced by one that names a single branch of a single project. */
export function withSubject(trust: TrustStatement, parts?: SubjectParts): Statement {
  return withOnly(trust, "sub", ["StringLike", `${trust.issuer}:sub`, safeSubject(trust, parts)]);
}

function withOnly(trust: TrustStatement, claim: "aud" | "sub", condition: [string, string, Value]): Statement {
  const bare = conditionsOn(trust, claim).reduce(
    (statement, old) => replaced({ ...trust, statement }, old),
    trust.statement,
  );
  return withCondition(bare, added(bare.Condition ?? {}, condition));
}

/** The statement with one value of a condition replaced, under `StringLike`. */
export function withValue(trust: TrustStatement, condition: Condition, value: string, by: string): Statement {
  const values = condition.values.map((old) => (old === value ? by : old));
  const operator = condition.operator.includes("StringLike") ? condition.operator : "StringLike";
  return replaced(trust, condition, [operator, condition.key, values.length === 1 ? (values[0] ?? by) : values]);
}

/** A pattern that keeps of a subject what pins it, and that no branch name can forge. */
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
