import type { PolicyDocument } from "../../policy/document";
import type { ConditionResult, Decision, StatementResult } from "../../policy/evaluate";
import { duration } from "../../text";
import { parseSubject, SUBJECT_PARTS } from "../circleci";
import { decideTrust, isRequestKey, unknownKeyFor } from "../decide";
import { issuerOfArn, providerArn } from "../provider";
import { hasWildcardPrincipal, readStatements } from "../statement";
import { audiencesOf, type Claims, issuerOfClaims, type TokenError } from "../token";
import { type Remedy, remedyFor, remedyForFault } from "./causes";
import { commonStart, matchesAs } from "./compare";
import { CHECK_OUTCOMES, type Check, type Mismatch, type PartComparison, type Question } from "./types";

/** Whether a role trusts a token, and the reasons. */
export interface Explanation {
  readonly decision: "allowed" | "refused" | "unknown";
  readonly checks: readonly Check[];
  /** The values that made a check fail, if it compares values. */
  readonly mismatch?: Mismatch;
  /** The most likely cause and its fix. Absent if the token is allowed. */
  readonly remedy?: Remedy;
}

/**
 * Explains whether AWS exchanges a token for credentials of a role and, if not, why.
 *
 * The checks are those of AWS: the account's provider for the issuer, the signature, the audience, the trust policy, the
 * lifetime. A decision that depends on the request, e.g. on the caller's address, is `unknown`.
 *
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export function explain(question: Question): Explanation {
  const { trustPolicy, claims, account, now } = question;
  const decision = decideTrust(trustPolicy, claims, account, now);
  const trust = checkTrust(decision);
  const checks = [
    checkIssuer(question),
    signatureCheck(question),
    checkAudience(question),
    trust,
    checkLifetime(question),
  ];
  const failed = checks.find(({ outcome }) => outcome === "failed");
  const decisive = failed ?? (trust.outcome === "unknown" ? trust : undefined);
  if (decisive === undefined) return { decision: "allowed", checks };
  const mismatch = findMismatch(decisive, decision, question);
  return {
    decision: failed === undefined ? "unknown" : "refused",
    checks,
    ...(mismatch !== undefined && { mismatch }),
    remedy: remedyFor(question, decisive, trustedProviders(trustPolicy), mismatch),
  };
}

/** Explains why a text is not a token. */
export function explainTokenError({ fault, message }: TokenError): Explanation & { readonly remedy: Remedy } {
  return { decision: "refused", checks: [], remedy: remedyForFault(fault, message) };
}

/** The ARNs of the OIDC providers that the Allow statements of a trust policy name. */
export function trustedProviders(trustPolicy: PolicyDocument): string[] {
  const federated = readStatements(trustPolicy).flatMap(({ normalized: { Effect, Principal = [] } }) =>
    Effect === "Allow" ? Principal.filter(({ kind }) => kind === "Federated").map(({ id }) => id) : [],
  );
  return [...new Set(federated)];
}

function check<Name extends Check["name"]>(
  name: Name,
  reason: Extract<Check, { name: Name }>["reason"],
  detail: string,
): Check {
  const outcomes: { readonly [reason: string]: Check["outcome"] } = CHECK_OUTCOMES[name];
  return { name, outcome: outcomes[reason], reason, detail } as Check;
}

function checkIssuer({ claims, account, audiences, trustPolicy }: Question): Check {
  const issuer = issuerOfClaims(claims);
  const trusted = trustedProviders(trustPolicy);
  if (!claims.iss.startsWith("https://")) return check("issuer", "not-https", `${claims.iss} is not an https:// URL`);
  const isWildcard = readStatements(trustPolicy).some(({ normalized }) => hasWildcardPrincipal(normalized));
  if (trusted.length > 0 && !isWildcard && !trusted.includes(providerArn(issuer, account))) {
    const elsewhere = trusted.find((arn) => issuerOfArn(arn) === issuer);
    return elsewhere === undefined
      ? check("issuer", "other-issuer", `${claims.iss} is not an issuer that the role trusts`)
      : check("issuer", "other-account", `${elsewhere} is not a provider of account ${account.accountId}`);
  }
  return audiences === "absent"
    ? check("issuer", "no-provider", `account ${account.accountId} has no OIDC provider for ${claims.iss}`)
    : check("issuer", "trusted-issuer", claims.iss);
}

function signatureCheck({ signature = { verdict: "unchecked", note: "not checked" } }: Question): Check {
  return check("signature", signature.verdict, signature.note);
}

function checkAudience({ claims, audiences }: Question): Check {
  if (audiences === undefined || audiences === "absent") {
    return check("audience", "unknown-client-ids", "the provider's client ids are unknown");
  }
  const actual = audiencesOf(claims);
  return actual.some((audience) => audiences.includes(audience))
    ? check("audience", "accepted-audience", actual.join(", "))
    : check(
        "audience",
        "other-audience",
        `${actual.join(", ")} is not one of the provider's client ids: ${audiences.join(", ")}`,
      );
}

/** The decision of the trust policy, except that conditions on the request make it unknown. */
function checkTrust({ reason, because, policies }: Decision): Check {
  const statements = policies.flatMap((policy) => policy.statements);
  const [allows, denies] = [true, false].map((allow) =>
    statements.filter(({ effect }) => (effect === "Allow") === allow),
  );
  if (reason === "unsupported") return check("trust policy", "unsupported", because);
  const deny = denies?.find(matchesUnconditionally);
  if (deny !== undefined)
    return check("trust policy", "explicit-deny", `statement ${deny.index + 1} explicitly denies it`);
  const uncertainDenies = denies?.filter(dependsOnRequest) ?? [];
  const allow = allows?.find(matchesUnconditionally);
  if (uncertainDenies.length === 0 && allow !== undefined)
    return check("trust policy", "allowed", `statement ${allow.index + 1} allows it`);
  const uncertainAllows = allows?.filter(dependsOnRequest) ?? [];
  const [condition] = [...uncertainDenies, ...uncertainAllows].flatMap(requestConditions);
  if (condition === undefined || (allow === undefined && uncertainAllows.length === 0))
    return check("trust policy", "no-allow", "no statement allows it");
  return check("trust policy", "request-condition", `${condition.operator} on ${condition.key} depends on the request`);
}

const TIME_KEYS = ["aws:currenttime", "aws:epochtime"];

/** Whether a condition depends on the request in a way that the token and the time do not determine. */
function isRequestCondition({ key }: ConditionResult): boolean {
  return isRequestKey(key) && !TIME_KEYS.includes(key.toLowerCase());
}

function requestConditions({ conditions }: StatementResult): ConditionResult[] {
  return conditions.filter(isRequestCondition);
}

function matchesUnconditionally(statement: StatementResult): boolean {
  return statement.verdict === "matched" && requestConditions(statement).length === 0;
}

/** Whether a statement matches except for conditions on the request. */
function dependsOnRequest(statement: StatementResult): boolean {
  const others = statement.conditions.filter((condition) => !isRequestCondition(condition));
  return (
    others.length < statement.conditions.length &&
    [...statement.elements, ...others].every(({ verdict }) => verdict === "matched")
  );
}

function checkLifetime({ claims: { exp, nbf }, now }: Question): Check {
  const seconds = now.getTime() / 1000;
  const time = (at: number) => new Date(at * 1000).toISOString().replace(".000Z", "Z");
  if (exp === undefined) return check("lifetime", "no-expiry", "unknown: no exp claim");
  if (exp <= seconds) return check("lifetime", "expired", `expired at ${time(exp)}, ${duration(seconds - exp)} ago`);
  if (nbf !== undefined && nbf > seconds) return check("lifetime", "not-yet-valid", `not valid before ${time(nbf)}`);
  return check("lifetime", "not-expired", `expires at ${time(exp)}, in ${duration(exp - seconds)}`);
}

/** The values that a failed check compared. */
function findMismatch({ name, reason }: Check, decision: Decision, question: Question): Mismatch | undefined {
  const { claims, audiences, trustPolicy } = question;
  if (name === "issuer") {
    return compareText("issuer", [issuerOfClaims(claims)], trustedProviders(trustPolicy).map(issuerOfArn));
  }
  if (name === "audience" && Array.isArray(audiences)) return compareText("audience", audiencesOf(claims), audiences);
  return reason === "no-allow" ? closestMismatch(decision, claims) : undefined;
}

/** Undefined if the values are equal. */
function compareText(what: string, actual: readonly string[], expected: readonly string[]): Mismatch | undefined {
  const text = actual.join(", ");
  const [closest] = expected
    .map((value) => ({ closest: value, firstDifference: commonStart("StringEquals", value, text) }))
    .sort((a, b) => b.firstDifference - a.firstDifference);
  if (closest === undefined || expected.includes(text)) return undefined;
  return { operator: what, key: "of the token", actual, expected, ...closest };
}

/** The failed condition of the Allow statement that is closest to a match. */
function closestMismatch(decision: Decision, claims: Claims): Mismatch | undefined {
  const allows = decision.policies
    .flatMap((policy) => policy.statements)
    .filter(({ effect, verdict }) => effect === "Allow" && verdict !== "matched");
  const candidates = allows.flatMap((statement) => {
    const failed = statement.conditions.filter(
      (condition) => condition.verdict === "not-matched" && !isRequestCondition(condition),
    );
    const elements = statement.elements.filter(({ verdict }) => verdict !== "matched").length;
    const [mismatch] = failed.map((condition) => compareCondition(condition, claims)).sort(byImportance);
    return mismatch === undefined ? [] : [{ mismatch, distance: elements * 10 + failed.length }];
  });
  candidates.sort((a, b) => a.distance - b.distance || countDifferences(a.mismatch) - countDifferences(b.mismatch));
  return candidates[0]?.mismatch;
}

/** Conditions that never match first, then the audience, then the subject. */
function byImportance(a: Mismatch, b: Mismatch): number {
  const rank = ({ note, claim }: Mismatch) => (note !== undefined ? 0 : claim === "aud" ? 1 : claim === "sub" ? 2 : 3);
  return rank(a) - rank(b);
}

function countDifferences({ parts }: Pick<Mismatch, "parts">, unknown = 0): number {
  return parts?.filter(({ matches }) => !matches).length ?? unknown;
}

function compareCondition({ operator, key, wanted, actual = [] }: ConditionResult, claims: Claims): Mismatch {
  const issuer = issuerOfClaims(claims);
  const note = unknownKeyFor(issuer)(key);
  const claim = (["aud", "sub"] as const).find((name) => key.toLowerCase().endsWith(`:${name}`));
  const value = actual[0] ?? "";
  const [closest = { closest: "", firstDifference: 0 }] = wanted
    .map((expected) => {
      const parts = note === undefined && claim === "sub" ? compareParts(value, expected, operator) : undefined;
      const firstDifference = commonStart(operator, expected, value);
      return { closest: expected, firstDifference, ...(parts !== undefined && { parts }) };
    })
    .sort(
      (a, b) =>
        countDifferences(a, SUBJECT_PARTS.length) - countDifferences(b, SUBJECT_PARTS.length) ||
        b.firstDifference - a.firstDifference,
    );
  return { operator, key, ...(claim && { claim }), actual, expected: wanted, ...closest, ...(note && { note }) };
}

/** Undefined if one of the two is not a subject of a job. A pattern that ends with `*` allows any value for missing parts. */
function compareParts(subject: string, pattern: string, operator: string): PartComparison[] | undefined {
  const actual = parseSubject(subject);
  const expected = parseSubject(pattern);
  if (actual?.project === undefined || expected === undefined) return undefined;
  const rest = pattern.endsWith("*") ? "*" : undefined;
  return SUBJECT_PARTS.map(([part]) => {
    const wanted = part === "ref" ? (expected.ref ?? rest) : (expected[part]?.replace(/\/\*$/, "") ?? rest);
    const given = actual[part];
    const isOptional = wanted === undefined || wanted === "*";
    return {
      part,
      actual: given,
      expected: wanted,
      matches: given === undefined ? isOptional : wanted !== undefined && matchesAs(operator, wanted, given),
      firstDifference: commonStart(operator, wanted ?? "", given ?? ""),
    };
  });
}
