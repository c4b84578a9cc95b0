import { asArray, isObject, type Statement } from "../policy/document";
import { matchesPattern } from "../policy/pattern";
import { organizationOf, parseSubject, type SubjectParts } from "./circleci";
import { issuerOfArn } from "./provider";

/** What a trust policy is to allow for tokens, and nothing else. */
export const ASSUME = "sts:AssumeRoleWithWebIdentity";

/** One statement about tokens of a CircleCI issuer, read for what can be said about it. */
export interface TrustStatement {
  readonly statement: Statement;
  /** `Statement[0]` and so on. */
  readonly place: string;
  readonly allows: boolean;
  readonly issuer: string;
  readonly organization: string;
  readonly conditions: readonly Condition[];
}

/** One condition on one key. */
export interface Condition {
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
  /** The claim in lower case, when the key is one of the issuer's: `aud`, `sub` and so on. */
  readonly claim?: string;
  readonly where: string;
}

/** A value that a token's subject may have. */
export interface TrustedSubject {
  readonly condition: Condition;
  readonly value: string;
  readonly parts?: SubjectParts;
}

/** Whether a condition says what a value must not be. */
export const isNegated = ({ operator }: Condition) => /Not(Equals|Like)/.test(operator);
/** Whether a condition is met by a request that lacks the key. */
export const isOptional = ({ operator }: Condition) => /^ForAllValues:|IfExists$/.test(operator);
/** Whether a condition takes wildcards. */
export const isLike = ({ operator }: Condition) => /StringLike/.test(operator);

/** Whether a value has so much of a statement's form that it can be judged; what else is wrong with it, the engine tells. */
export function isStatement(value: unknown): value is Statement {
  if (!isObject(value)) return false;
  const { Condition = {} } = value;
  return isObject(Condition) && Object.values(Condition).every(isObject);
}

/** Reads a statement: once for each CircleCI issuer that it is about, so mostly once, or not at all. */
export function readStatement(statement: Statement, index: number, servers: readonly string[]): TrustStatement[] {
  if (!isAbout(statement)) return [];
  return issuersOf(statement).flatMap((issuer) => {
    const organization = organizationOf(issuer, servers);
    if (organization === undefined) return [];
    const place = `Statement[${index}]`;
    const allows = statement.Effect === "Allow";
    return [{ statement, place, allows, issuer, organization, conditions: readConditions(statement, issuer, place) }];
  });
}

/** Whether a statement allows tokens of a CircleCI issuer, or everybody, to assume the role, under whatever conditions. */
export function opensToCircleCi(statement: Statement, servers: readonly string[]): boolean {
  const allows = statement.Effect === "Allow" && isAbout(statement);
  return allows && (isAboutEverybody(statement) || readStatement(statement, 0, servers).length > 0);
}

/** Whether a statement names no principal in particular. */
export function isAboutEverybody({ Principal, NotPrincipal }: Statement): boolean {
  if (Principal === undefined) return NotPrincipal !== undefined;
  return Principal === "*" || (isObject(Principal) && asArray<unknown>(Principal.AWS).includes("*"));
}

function isAbout({ Action, NotAction }: Statement): boolean {
  const matches = (action: unknown) => matchesPattern(String(action).toLowerCase(), ASSUME.toLowerCase());
  return Action === undefined
    ? NotAction !== undefined && !asArray(NotAction).some(matches)
    : asArray(Action).some(matches);
}

/** The issuers whose tokens a statement is about: by its principal, or, where that names none, by its condition keys. */
export function issuersOf({ Principal, Condition = {} }: Statement): string[] {
  const federated = isObject(Principal) ? asArray<unknown>(Principal.Federated) : [];
  const named = federated.map((arn) => issuerOfArn(String(arn)));
  const keys = Object.values(Condition).flatMap((values) => Object.keys(values));
  const spelt = keys.flatMap((key) => /^(?:https:\/\/)?(.+):(?:aud|sub)$/.exec(key)?.[1] ?? []);
  return [...new Set(named.length > 0 ? named : spelt)];
}

function readConditions({ Condition = {} }: Statement, issuer: string, place: string): Condition[] {
  const prefix = `${issuer}:`.toLowerCase();
  return Object.entries(Condition).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, value]) => ({
      operator,
      key,
      values: asArray(value).map(String),
      ...(key.toLowerCase().startsWith(prefix) && { claim: key.slice(prefix.length).toLowerCase() }),
      where: `${place}.Condition.${operator}["${key}"]`,
    })),
  );
}

/** The conditions on a claim that compare it. */
export function conditionsOn({ conditions }: TrustStatement, claim: "aud" | "sub"): Condition[] {
  return conditions.filter((condition) => condition.claim === claim && condition.operator !== "Null");
}

/** The subjects that a statement names as those that get in. */
export function trustedSubjects(trust: TrustStatement): TrustedSubject[] {
  return conditionsOn(trust, "sub")
    .filter((condition) => !isNegated(condition))
    .flatMap((condition) => condition.values.map((value) => ({ condition, value, parts: parseSubject(value) })));
}
