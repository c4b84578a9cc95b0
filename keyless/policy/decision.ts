/** Why a request was decided as it was. */
export type Reason =
  | "allowed"
  /** A Deny matches. */
  | "explicit-deny"
  /** No Allow matches. */
  | "no-matching-allow"
  /** The permissions boundary does not allow what the other policies do. */
  | "boundary"
  /** The session policies do not allow what the other policies do. */
  | "session"
  /** It depends on something that cannot be read or evaluated: `because` names it. */
  | "unsupported";

/** What AWS would answer to a request, and why. */
export interface Decision {
  readonly outcome: "allowed" | "refused";
  readonly reason: Reason;
  /** One sentence. */
  readonly because: string;
  readonly policies: readonly PolicyResult[];
}

/** `unsupported`: could not be evaluated. Never grants; in a Deny it counts as denying. */
export type Verdict = "matched" | "not-matched" | "unsupported";

/** What a policy is attached to or set as. */
export type PolicyKind = "identity" | "resource" | "boundary" | "session";

/** How one policy bears on a request. */
export interface PolicyResult {
  readonly name: string;
  readonly kind: PolicyKind;
  /** What is wrong with the document as a whole, if something is; then it has no statements. */
  readonly unsupported?: string;
  readonly statements: readonly StatementResult[];
}

/** How one statement bears on a request. */
export interface StatementResult {
  /** From 0. */
  readonly index: number;
  readonly sid?: string;
  /** As written; anything but "Allow" is taken for a Deny. */
  readonly effect: string;
  readonly verdict: Verdict;
  /** What of the statement cannot be evaluated, if something cannot. */
  readonly unsupported?: string;
  readonly elements: readonly ElementResult[];
  readonly conditions: readonly ConditionResult[];
}

/** The elements of a statement that are compared with a request, conditions apart. */
export type ElementName = "Principal" | "NotPrincipal" | "Action" | "NotAction" | "Resource" | "NotResource";

/** What an element asks for, and what the request has. */
export interface ElementResult {
  readonly element: ElementName;
  /** What the policy asks for. */
  readonly wanted: readonly string[];
  /** What the request has. */
  readonly actual: string;
  readonly verdict: Verdict;
  readonly note?: string;
}

/** What one condition asks for, and what the request has. */
export interface ConditionResult {
  readonly operator: string;
  readonly key: string;
  /** The policy's values. */
  readonly wanted: readonly string[];
  /** The request's values; none when the key is absent. */
  readonly actual?: readonly string[];
  readonly verdict: Verdict;
  readonly note?: string;
}

/** Matched when all are; one that is surely not outweighs what cannot be told. */
export function every(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes("not-matched")) return "not-matched";
  return verdicts.includes("unsupported") ? "unsupported" : "matched";
}

/** Matched when one is, whatever the others are. */
export function some(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes("matched")) return "matched";
  return verdicts.includes("unsupported") ? "unsupported" : "not-matched";
}

/** The opposite; what cannot be told stays so. */
export function not(verdict: Verdict): Verdict {
  if (verdict === "unsupported") return verdict;
  return verdict === "matched" ? "not-matched" : "matched";
}

/** A yes or no as a verdict. */
export function verdictOf(matched: boolean): Verdict {
  return matched ? "matched" : "not-matched";
}

/** A value of a document as it can be shown, whatever it is. */
export function shown(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
