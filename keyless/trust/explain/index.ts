import type { PolicyDocument } from "../../policy/document";
import type { ConditionResult, Decision, StatementResult } from "../../policy/evaluate";
import { duration } from "../../text";
import { parseSubject, SUBJECT_PARTS } from "../circleci";
import { decideTrust, isRequestKey, unknownKeyFor } from "../decide";
import { issuerOfArn, providerArn } from "../provider";
import { hasWildcardPrincipal, readStatements } from "../statement";
import { audiencesOf, type Claims, issuerOfClaims } from "../token";
import { type Remedy, remedyFor } from "./causes";
import { commonStart, matchesAs } from "./compare";
import type { Check, Mismatch, PartComparison, Question } from "./types";

/** Whether the token gets in, and what led to it. */
export interface Explanation {
  readonly decision: "allowed" | "refused" | "unknown";
  readonly checks: readonly Check[];
  /** The condition of the trust policy that failed, when one did. */
  readonly mismatch?: Mismatch;
  /** What to do, the most likely thing alone. Absent when the token is let in. */
  readonly remedy?: Remedy;
}

/**
 * Tells whether AWS trades a token for a role's credentials, and if not, why not and what to do.
 *
 * The checks are AWS's: the account's provider for the issuer, the signature, the audience against the provider's client
 * ids, the role's trust policy, the token's lifetime. A decision that hangs on what only AWS knows, such as the caller's
 * address, is "unknown", and never "allowed".
 */
export function explain(question: Question): Explanation {
  const { trustPolicy, claims, account, now } = question;
  const decision = decideTrust(trustPolicy, claims, account, now);
  const checks = [
    checkIssuer(question),
    checkSignature(question),
    checkAudience(question),
    checkTrust(decision),
    checkLifetime(claims, now),
  ];
  const failed = checks.find(({ outcome }) => outcome === "failed");
  const undecided = checks.find(({ outcome, name }) => outcome === "unknown" && name === "trust policy");
  if (failed === undefined && undecided === undefined) return { decision: "allowed", checks };
  const mismatch = mismatchIn(failed, decision, question);
  return {
    decision: failed === undefined ? "unknown" : "refused",
    checks,
    ...(mismatch !== undefined && { mismatch }),
    remedy: remedyFor({
      question,
      check: failed ?? (undecided as Check),
      mismatch,
      trusted: trustedProviders(trustPolicy),
    }),
  };
}

/** The ARNs of the OpenID Connect providers whose tokens a trust policy is about. */
export function trustedProviders(trustPolicy: PolicyDocument): string[] {
  const federated = readStatements(trustPolicy).flatMap(({ normalized: { Effect, Principal = [] } }) =>
    Effect === "Allow" ? Principal.filter(({ kind }) => kind === "Federated").map(({ id }) => id) : [],
  );
  return [...new Set(federated)];
}

function checkIssuer({ claims, account, audiences, trustPolicy }: Question): Check {
  const issuer = issuerOfClaims(claims);
  const arn = providerArn(issuer, account);
  const trusted = trustedProviders(trustPolicy);
  const check = { name: "issuer", outcome: "failed" } as const;
  if (!claims.iss.startsWith("https://")) return { ...check, detail: `${claims.iss} is not an https:// URL` };
  const everybody = readStatements(trustPolicy).some(({ normalized }) => hasWildcardPrincipal(normalized));
  if (trusted.length > 0 && !everybody && !trusted.includes(arn))
    return { ...check, detail: `${claims.iss} is not whom the role trusts` };
  if (audiences === "absent")
    return { ...check, detail: `account ${account.accountId} has no provider for ${claims.iss}` };
  return { name: "issuer", outcome: "passed", detail: claims.iss };
}

function checkSignature({ signature }: Question): Check {
  const { verdict, note } = signature ?? { verdict: "unchecked", note: "not checked" };
  const outcome = { valid: "passed", invalid: "failed", unchecked: "unknown" } as const;
  return { name: "signature", outcome: outcome[verdict], detail: note };
}

function checkAudience({ claims, audiences }: Question): Check {
  const actual = audiencesOf(claims).join(", ");
  if (audiences === undefined || audiences === "absent") {
    return { name: "audience", outcome: "unknown", detail: "the provider's client ids are not known" };
  }
  const taken = audiencesOf(claims).some((audience) => audiences.includes(audience));
  return taken
    ? { name: "audience", outcome: "passed", detail: actual }
    : {
        name: "audience",
        outcome: "failed",
        detail: `${actual} is not among the provider's client ids: ${audiences.join(", ")}`,
      };
}

/** By the engine's reasons rather than its outcome alone: what hangs on the call and not on the token is not known. */
function checkTrust(decision: Decision): Check {
  const name = "trust policy";
  const all = decision.policies.flatMap((policy) => policy.statements);
  const deny = all.filter(({ effect }) => effect !== "Allow");
  const allow = all.filter(({ effect }) => effect === "Allow");
  if (decision.reason === "unsupported") return { name, outcome: "unknown", detail: decision.because };
  if (deny.some(surely)) return { name, outcome: "failed", detail: decision.because };
  const open = deny.filter(hangsOnCall);
  const letting = allow.find(surely);
  if (open.length === 0 && letting !== undefined) {
    return { name, outcome: "passed", detail: `statement ${letting.index + 1} lets it in` };
  }
  const maybe = [...open, ...allow.filter(hangsOnCall)].flatMap(callersConditions)[0];
  if (maybe !== undefined && allow.some((statement) => surely(statement) || hangsOnCall(statement))) {
    return {
      name,
      outcome: "unknown",
      detail: `${maybe.operator} on ${maybe.key} hangs on the call, not on the token`,
    };
  }
  return { name, outcome: "failed", detail: "no statement lets it in" };
}

const TIME_KEYS = ["aws:currenttime", "aws:epochtime"];

function callersConditions({ conditions }: StatementResult): ConditionResult[] {
  return conditions.filter(({ key }) => isRequestKey(key) && !TIME_KEYS.includes(key.toLowerCase()));
}

function surely(statement: StatementResult): boolean {
  return statement.verdict === "matched" && callersConditions(statement).length === 0;
}

/** Whether a statement matches in all but conditions on the call, so that these decide. */
function hangsOnCall(statement: StatementResult): boolean {
  const open = callersConditions(statement);
  const parts = [...statement.elements, ...statement.conditions.filter((condition) => !open.includes(condition))];
  return open.length > 0 && parts.every(({ verdict }) => verdict === "matched");
}

function checkLifetime({ exp, nbf }: Claims, now: Date): Check {
  const name = "lifetime";
  const seconds = now.getTime() / 1000;
  const time = (at: number) => new Date(at * 1000).toISOString().replace(".000Z", "Z");
  if (exp === undefined) return { name, outcome: "unknown", detail: "no claim tells when the token expires" };
  if (exp <= seconds)
    return { name, outcome: "failed", detail: `expired at ${time(exp)}, ${duration(seconds - exp)} ago` };
  if (nbf !== undefined && nbf > seconds) return { name, outcome: "failed", detail: `not valid before ${time(nbf)}` };
  return { name, outcome: "passed", detail: `expires at ${time(exp)}, in ${duration(exp - seconds)}` };
}

/** What to show beside what, if the check that failed compared something. */
function mismatchIn(failed: Check | undefined, decision: Decision, question: Question): Mismatch | undefined {
  const { claims, audiences, trustPolicy } = question;
  switch (failed?.name) {
    case "issuer":
      return compareText("issuer", [issuerOfClaims(claims)], trustedProviders(trustPolicy).map(issuerOfArn));
    case "audience":
      return Array.isArray(audiences) ? compareText("audience", audiencesOf(claims), audiences) : undefined;
    case "trust policy":
      return closestMismatch(decision, claims);
    default:
      return undefined;
  }
}

/** Undefined when they do not differ. */
function compareText(what: string, actual: readonly string[], expected: readonly string[]): Mismatch | undefined {
  const text = actual.join(", ");
  const [closest] = expected
    .map((value) => ({ closest: value, firstDifference: commonStart("StringEquals", value, text) }))
    .sort((a, b) => b.firstDifference - a.firstDifference);
  if (closest === undefined || expected.includes(text)) return undefined;
  return { operator: what, key: "of the token", actual, expected, ...closest };
}

/** The failed condition of the Allow that comes closest to letting the token in. */
function closestMismatch(decision: Decision, claims: Claims): Mismatch | undefined {
  const allows = decision.policies
    .flatMap((policy) => policy.statements)
    .filter(({ effect, verdict }) => effect === "Allow" && verdict !== "matched");
  const candidates = allows.flatMap((statement) => {
    const failed = statement.conditions.filter(({ verdict, key }) => verdict === "not-matched" && !isRequestKey(key));
    const elements = statement.elements.filter(({ verdict }) => verdict !== "matched").length;
    const [first] = failed.map((condition) => compare(condition, claims)).sort(byImportance);
    return first === undefined
      ? []
      : [{ mismatch: first, distance: elements * 10 + failed.length, differing: differing(first) }];
  });
  candidates.sort((a, b) => a.distance - b.distance || a.differing - b.differing);
  return candidates[0]?.mismatch;
}

// What can never be met comes first, then the audience, then the subject.
function byImportance(a: Mismatch, b: Mismatch): number {
  const rank = ({ note, key }: Mismatch) =>
    note !== undefined ? 0 : key.endsWith(":aud") ? 1 : key.endsWith(":sub") ? 2 : 3;
  return rank(a) - rank(b);
}

function differing({ parts = [] }: Mismatch): number {
  return parts.filter(({ matches }) => !matches).length;
}

function compare({ operator, key, wanted, actual = [], note }: ConditionResult, claims: Claims): Mismatch {
  const isSubject = key.toLowerCase() === `${issuerOfClaims(claims)}:sub`.toLowerCase();
  const value = actual[0] ?? "";
  const compared = wanted.map((expected) => {
    const parts = isSubject ? compareParts(value, expected, operator) : undefined;
    return {
      closest: expected,
      firstDifference: commonStart(operator, expected, value),
      ...(parts !== undefined && { parts }),
    };
  });
  const different = (candidate: (typeof compared)[number]) =>
    candidate.parts?.filter(({ matches }) => !matches).length ?? SUBJECT_PARTS.length;
  compared.sort((a, b) => different(a) - different(b) || b.firstDifference - a.firstDifference);
  const [closest = { closest: "", firstDifference: 0 }] = compared;
  const hopeless = actual.length === 0 || unknownKeyFor(issuerOfClaims(claims))(key) !== undefined ? note : undefined;
  return { operator, key, actual, expected: wanted, ...closest, ...(hopeless !== undefined && { note: hopeless }) };
}

/** Part by part, if both can be taken apart. A pattern that ends with a wildcard leaves the parts that it lacks open. */
function compareParts(subject: string, pattern: string, operator: string): PartComparison[] | undefined {
  const actual = parseSubject(subject);
  const expected = parseSubject(pattern);
  if (actual?.project === undefined || expected === undefined) return undefined;
  const rest = pattern.endsWith("*") ? "*" : undefined;
  return SUBJECT_PARTS.map(([part]) => {
    const wanted = part === "ref" ? (expected.ref ?? rest) : (expected[part]?.replace(/\/\*$/, "") ?? rest);
    const given = actual[part];
    const open = wanted === undefined || wanted === "*";
    return {
      part,
      actual: given,
      expected: wanted,
      matches: given === undefined ? open : wanted !== undefined && matchesAs(operator, wanted, given),
      firstDifference: commonStart(operator, wanted ?? "", given ?? ""),
    };
  });
}
