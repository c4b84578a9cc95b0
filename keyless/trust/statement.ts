import { isObject, type PolicyDocument, type Statement, statements } from "../policy/document";
import { type NormalizedCondition, type NormalizedStatement, normalizeStatement } from "../policy/normal-form";
import { matchesPattern } from "../policy/pattern";
import {
  CIRCLECI_CLOUD,
  type ConditionClaim,
  organizationOf,
  parseIssuer,
  parseSubject,
  type SubjectParts,
  UUID,
} from "./circleci";
import { type Account, issuerOfArn, parseProviderArn } from "./provider";

/** The action with which a web identity, such as a CircleCI job, assumes a role. */
export const ASSUME = "sts:AssumeRoleWithWebIdentity";

/** An id that no organization and no project has. */
export const NO_ID = "00000000-0000-0000-0000-000000000000";

/** A statement of a trust policy. */
export interface ReadStatement {
  /** From 0. */
  readonly index: number;
  /** As written in the policy. */
  readonly statement: Statement;
  readonly normalized: NormalizedStatement;
}

/** A statement that applies to the tokens of a CircleCI issuer. */
export interface TrustStatement extends ReadStatement {
  readonly issuer: string;
  /** For a root issuer, the organization that the conditions name, {@link NO_ID} if they name none. */
  readonly organization: string;
  /** Whether the issuer signs the tokens of every organization of its host: `https://oidc.circleci.com`. */
  readonly isRoot: boolean;
  /** The account of the issuer's provider. Absent if the statement names no provider. */
  readonly account?: Account;
  readonly conditions: readonly ClaimCondition[];
}

/** A condition of a statement that applies to the tokens of an issuer. */
export interface ClaimCondition extends NormalizedCondition {
  /** The claim in lower case, if the key is one of the issuer's: `aud`, `sub` and so on. */
  readonly claim?: string;
}

/** A subject that a statement trusts. */
export interface TrustedSubject {
  readonly condition: ClaimCondition;
  /** A literal or a pattern, depending on the operator. */
  readonly value: string;
  readonly parts?: SubjectParts;
}

/** Whether a condition lists values that the key must not have. */
export const isNegated = ({ operator }: Pick<ClaimCondition, "operator">) => /Not(Equals|Like)/.test(operator);
/** Whether a condition is true for a request without the key. */
export const isOptional = ({ operator }: ClaimCondition) => /^ForAllValues:|IfExists$/.test(operator);
/** Whether a condition compares patterns. */
export const isLike = ({ operator }: ClaimCondition) => /String(Not)?Like/.test(operator);

/** The statements of a policy, except those whose form is too malformed to judge their content. */
export function readStatements(document: unknown): ReadStatement[] {
  return statements((isObject(document) ? document : {}) as unknown as PolicyDocument).flatMap((statement, index) => {
    const { Condition = {} } = isObject(statement) ? statement : { Condition: undefined };
    const isReadable = isObject(statement) && isObject(Condition) && Object.values(Condition).every(isObject);
    return isReadable ? [{ index, statement, normalized: normalizeStatement(statement) }] : [];
  });
}

/** The statement for each CircleCI issuer to whose tokens it applies: usually one, or none. */
export function trustStatements(read: ReadStatement, servers: readonly string[]): TrustStatement[] {
  if (!appliesToWebIdentity(read.normalized)) return [];
  return issuersOf(read.normalized).flatMap(({ issuer, account }): TrustStatement[] => {
    const prefix = `${issuer}:`.toLowerCase();
    const conditions = read.normalized.conditions.map((condition) => {
      const key = condition.key.toLowerCase();
      return { ...condition, ...(key.startsWith(prefix) && { claim: key.slice(prefix.length) }) };
    });
    const named = organizationOf(issuer, servers) ?? organizationOfServer(issuer);
    if (named !== undefined) return [{ ...read, issuer, organization: named, isRoot: false, account, conditions }];
    const subjects = conditionValues(conditions, "sub");
    if (![CIRCLECI_CLOUD, ...servers].includes(issuer) && !subjects.some((value) => SUBJECT_START.test(value)))
      return [];
    const ids = [...subjects.map((value) => parseSubject(value)?.organization), ...conditionValues(conditions, "aud")];
    const organization = ids.find((id) => id !== undefined && UUID.test(id)) ?? NO_ID;
    return [{ ...read, issuer, organization, isRoot: true, account, conditions }];
  });
}

/** The beginning of the subjects of an organization of CircleCI. */
const SUBJECT_START = /^org\/([0-9a-f-]{36}|\*)\//;

/** The organization of an issuer in the form of a CircleCI server's. */
function organizationOfServer(issuer: string): string | undefined {
  const organization = parseIssuer(issuer)?.organization;
  return organization !== undefined && UUID.test(organization) ? organization : undefined;
}

function conditionValues(conditions: readonly ClaimCondition[], claim: string): readonly string[] {
  return conditions.filter((condition) => condition.claim === claim).flatMap(({ values }) => values);
}

/** Whether a policy trusts tokens of a CircleCI issuer, or every principal, under any conditions. */
export function trustsCircleCi(document: unknown, servers: readonly string[] = []): boolean {
  return readStatements(document).some(
    (read) =>
      read.normalized.Effect === "Allow" &&
      ((hasWildcardPrincipal(read.normalized) && appliesToWebIdentity(read.normalized)) ||
        trustStatements(read, servers).length > 0),
  );
}

/** Whether a statement applies to every principal, or to all except some. */
export function hasWildcardPrincipal({ Principal, NotPrincipal }: NormalizedStatement): boolean {
  if (Principal === undefined) return NotPrincipal !== undefined;
  return Principal.some(({ kind, id }) => kind === "AWS" && id === "*");
}

function appliesToWebIdentity({ Action, NotAction }: NormalizedStatement): boolean {
  const matches = (action: string) => matchesPattern(action.toLowerCase(), ASSUME.toLowerCase());
  return Action === undefined ? NotAction !== undefined && !NotAction.some(matches) : Action.some(matches);
}

/** The issuers that a statement names: by its principal, or if that names none, by its condition keys. */
export function issuersOf({ Principal = [], conditions }: NormalizedStatement) {
  const providers = Principal.filter(({ kind }) => kind === "Federated").map(({ id }) => id);
  const keys = conditions.flatMap(({ key }) => /^(?:https:\/\/)?(.+):(?:aud|sub)$/.exec(key)?.[1] ?? []);
  const named = (providers.length > 0 ? providers : keys).map((text) => {
    const account: Account | undefined = parseProviderArn(text);
    return { issuer: issuerOfArn(text), account };
  });
  return named.filter(({ issuer }, index) => named.findIndex((other) => other.issuer === issuer) === index);
}

/** The conditions on a claim that compare its value. */
export function conditionsOn({ conditions }: TrustStatement, claim: ConditionClaim): ClaimCondition[] {
  return conditions.filter((condition) => condition.claim === claim && condition.operator !== "Null");
}

/** The subjects that a statement trusts by name or pattern. */
export function trustedSubjects(trust: TrustStatement): TrustedSubject[] {
  return conditionsOn(trust, "sub")
    .filter((condition) => !isNegated(condition))
    .flatMap((condition) => condition.values.map((value) => ({ condition, value, parts: parseSubject(value) })));
}
