import type { PolicyDocument } from "../../policy/document";
import { type ConditionResult, type Decision, evaluate, type StatementResult } from "../../policy/evaluate";
import { duration } from "../../text";
import { PROJECT_CLAIM, parseSubject, SUBJECT_PARTS } from "../circleci";
import { claimOfKey, isRequestKey, unknownKeyFor, webIdentityRequest } from "../decide";
import { issuerOfArn, providerArn } from "../provider";
import { hasWildcardPrincipal, readStatements } from "../statement";
import { audiencesOf, type Claims, issuerOfClaims } from "../token";
import { type Remedy, remedyFor } from "./causes";
import { firstDifference, matchesAs } from "./compare";
import {
  CHECK_REASONS,
  type Check,
  type CheckReason,
  type Mismatch,
  type PartComparison,
  type Question,
} from "./types";

/** Whether a role trusts a token, and the reasons. */
export interface Explanation {
  readonly decision: "allowed" | "refused" | "unknown";
  readonly checks: readonly Check[];
  /** The values that made a check fail, if it compares values. */
  readonly mismatch?: Mismatch;
  /** The most likely cause and its fix. Absent if the token is allowed. */
  readonly remedy?: Remedy;
  /** Conditions of the trust policy that restrict nothing. Absent if there is none. */
  readonly warnings?: readonly string[];
}

/**
 * Explains whether AWS exchanges a token for credentials of a role and, if not, why.
 *
 * The checks are those of AWS: the account's provider for the issuer, the signature, the audience, the trust policy, the
 * lifetime. A decision that depends on the request, e.g. on the caller's address, is `unknown`. A condition key that AWS
 * does not have for the issuer is absent, as in AWS; {@link decideTrust} refuses such an Allow.
 *
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export function explain(question: Question): Explanation {
  const { trustPolicy, claims, account, now } = question;
  const resource = [{ name: "trust policy", document: trustPolicy }];
  const decision = evaluate({ resource }, webIdentityRequest(claims, account, now));
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
  const found = alwaysMet(decision, claims);
  const warnings = found.length > 0 && { warnings: found };
  if (decisive === undefined) return { decision: "allowed", checks, ...warnings };
  const mismatch = findMismatch(decisive, decision, question);
  const remedy = remedyFor(question, decisive, trustedProviders(trustPolicy).map(issuerOfArn), mismatch);
  return { decision: failed ? "refused" : "unknown", checks, ...(mismatch && { mismatch }), remedy, ...warnings };
}

/** The conditions that every token meets, because AWS does not have their key for the issuer. */
function alwaysMet({ policies }: Decision, claims: Claims): string[] {
  const unknownKey = unknownKeyFor(issuerOfClaims(claims));
  const conditions = policies.flatMap(({ statements }) => statements.flatMap((statement) => statement.conditions));
  return conditions.flatMap(({ operator, key, verdict }) => {
    const note = unknownKey(key);
    return note === undefined || verdict !== "matched" ? [] : [`${operator} on ${key} is always met: ${note}`];
  });
}

/** The ARNs of the OIDC providers that the Allow statements of a trust policy name. */
export function trustedProviders(trustPolicy: PolicyDocument): string[] {
  const federated = readStatements(trustPolicy).flatMap(({ normalized: { Effect, Principal = [] } }) =>
    Effect === "Allow" ? Principal.filter(({ kind }) => kind === "Federated").map(({ id }) => id) : [],
  );
  return [...new Set(federated)];
}

function resultOf(reason: CheckReason, detail: string): Check {
  const [name, outcome] = CHECK_REASONS[reason];
  return { name, outcome, reason, detail };
}

function checkIssuer({ claims, account, audiences, trustPolicy }: Question): Check {
  const { accountId } = account;
  const trusted = trustedProviders(trustPolicy);
  const isWildcard = readStatements(trustPolicy).some(({ normalized }) => hasWildcardPrincipal(normalized));
  if (!claims.iss.startsWith("https://")) return resultOf("not-https", `${claims.iss} is not an https:// URL`);
  if (trusted.length > 0 && !isWildcard && !trusted.includes(providerArn(issuerOfClaims(claims), account))) {
    const elsewhere = trusted.find((arn) => issuerOfArn(arn) === issuerOfClaims(claims));
    return elsewhere === undefined
      ? resultOf("other-issuer", `${claims.iss} is not an issuer that the role trusts`)
      : resultOf("other-account", `${elsewhere} is not a provider of account ${accountId}`);
  }
  return audiences === "absent"
    ? resultOf("no-provider", `account ${accountId} has no OIDC provider for ${claims.iss}`)
    : resultOf("trusted-issuer", claims.iss);
}

function signatureCheck({ signature = { verdict: "unchecked", note: "not checked" } }: Question): Check {
  return resultOf(signature.verdict, signature.note);
}

function checkAudience({ claims, audiences = "absent" }: Question): Check {
  const actual = audiencesOf(claims);
  if (actual.length !== 1)
    return resultOf("several-audiences", `the token has ${actual.length} audiences: ${actual.join(", ")}`);
  if (audiences === "absent") return resultOf("unknown-client-ids", "the provider's client ids are unknown");
  return actual.some((audience) => audiences.includes(audience))
    ? resultOf("accepted-audience", actual.join(", "))
    : resultOf(
        "other-audience",
        `${actual.join(", ")} is not one of the provider's client ids: ${audiences.join(", ")}`,
      );
}

/** The decision of the trust policy, except that conditions on the request make it unknown. */
function checkTrust({ reason, because, policies }: Decision): Check {
  if (reason === "unsupported") return resultOf("unsupported", because);
  const statements = policies.flatMap((policy) => policy.statements);
  const allows = statements.filter(({ effect }) => effect === "Allow");
  const denies = statements.filter(({ effect }) => effect === "Deny");
  const deny = denies.find(matchesUnconditionally);
  if (deny !== undefined) return resultOf("explicit-deny", `statement ${deny.index + 1} explicitly denies it`);
  const allow = allows.find(matchesUnconditionally);
  const uncertain = [...denies, ...allows].filter(dependsOnRequest);
  if (allow === undefined && !allows.some(dependsOnRequest)) return resultOf("no-allow", "no statement allows it");
  const [condition] = uncertain.flatMap(requestConditions);
  return allow !== undefined && !denies.some(dependsOnRequest)
    ? resultOf("allowed", `statement ${allow.index + 1} allows it`)
    : resultOf("request-condition", `${condition?.operator} on ${condition?.key} depends on the request`);
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
  if (exp === undefined) return resultOf("no-expiry", "unknown: no exp claim");
  if (exp <= seconds) return resultOf("expired", `expired at ${time(exp)}, ${duration(seconds - exp)} ago`);
  if (nbf !== undefined && nbf > seconds) return resultOf("not-yet-valid", `not valid before ${time(nbf)}`);
  return resultOf("not-expired", `expires at ${time(exp)}, in ${duration(exp - seconds)}`);
}

/** The values that a failed check compared. */
function findMismatch({ name, reason }: Check, decision: Decision, question: Question): Mismatch | undefined {
  const { claims, audiences, trustPolicy } = question;
  if (reason === "no-allow") return closestMismatch(decision, claims);
  const [actual, expected] =
    name === "issuer"
      ? [[issuerOfClaims(claims)], trustedProviders(trustPolicy).map(issuerOfArn)]
      : [audiencesOf(claims), name === "audience" && Array.isArray(audiences) ? audiences : []];
  const value = actual.join(", ");
  if (expected.length === 0 || expected.includes(value)) return undefined;
  const closest = closestValue("StringEquals", value, expected);
  return { kind: "other-value", operator: name, key: "of the token", actual, expected, ...closest };
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
    // The subject contains the project's id, too: the difference counts once.
    const named = failed.map(({ key }) => claimOfKey(key));
    const repeated = named.includes("sub") && named.includes(PROJECT_CLAIM) ? 1 : 0;
    return mismatch === undefined ? [] : [{ mismatch, distance: elements * 10 + failed.length - repeated }];
  });
  candidates.sort((a, b) => a.distance - b.distance || countDifferences(a.mismatch) - countDifferences(b.mismatch));
  return candidates[0]?.mismatch;
}

/** Conditions that never match first, then the audience, then the subject. */
function byImportance(a: Mismatch, b: Mismatch): number {
  const rank = ({ kind, claim }: Mismatch) =>
    kind === "unknown-key" ? 0 : claim === "aud" ? 1 : claim === "sub" ? 2 : 3;
  return rank(a) - rank(b);
}

function countDifferences({ parts }: Pick<Mismatch, "parts">, unknown = 0): number {
  return parts?.filter(({ matches }) => !matches).length ?? unknown;
}

function compareCondition({ operator, key, wanted, actual = [] }: ConditionResult, claims: Claims): Mismatch {
  const note = unknownKeyFor(issuerOfClaims(claims))(key);
  const claim = claimOfKey(key);
  const closest = closestValue(operator, actual[0] ?? "", wanted, note === undefined && claim === "sub");
  const kind = note !== undefined ? "unknown-key" : actual.length === 0 ? "absent-key" : "other-value";
  return { kind, operator, key, ...(claim && { claim }), actual, expected: wanted, ...closest, ...(note && { note }) };
}

function closestValue(operator: string, value: string, expected: readonly string[], isSubject = false) {
  const differences = (each: Pick<Mismatch, "parts">) => countDifferences(each, SUBJECT_PARTS.length);
  const [closest = { closest: "", firstDifference: 0 }] = expected
    .map((each) => {
      const parts = isSubject ? compareParts(value, each, operator) : undefined;
      return { closest: each, firstDifference: firstDifference(operator, each, value), ...(parts && { parts }) };
    })
    .sort((a, b) => differences(a) - differences(b) || b.firstDifference - a.firstDifference);
  return closest;
}

/**
 * Compares the parts of a subject with those of a pattern. Undefined if one of the two is not a subject of a job. Where a
 * part of the pattern ends with `*`, the parts that it lacks after that can have any value.
 */
function compareParts(subject: string, pattern: string, operator: string): PartComparison[] | undefined {
  const actual = parseSubject(subject);
  const expected = parseSubject(pattern);
  if (actual?.project === undefined || expected === undefined) return undefined;
  let last = "";
  return SUBJECT_PARTS.map(([part]) => {
    const rest = last.endsWith("*") ? "*" : undefined;
    last = expected[part] ?? last;
    const wanted = part === "ref" ? (expected.ref ?? rest) : (expected[part]?.replace(/\/\*$/, "") ?? rest);
    const given = actual[part];
    const isOptional = wanted === undefined || wanted === "*";
    return {
      part,
      actual: given,
      expected: wanted,
      matches: given === undefined ? isOptional : wanted !== undefined && matchesAs(operator, wanted, given),
      firstDifference: firstDifference(operator, wanted ?? "", given ?? ""),
    };
  });
}
