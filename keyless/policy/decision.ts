import type { ElementName } from "./normal-form";

/** Why a request was allowed or refused. */
export type Reason =
  | "allowed"
  /** A Deny matches. */
  | "explicit-deny"
  /** No Allow matches. */
  | "no-matching-allow"
  /** The permissions boundary does not allow it. */
  | "boundary"
  /** The session policies do not allow it. */
  | "session"
  /** A part that the decision depends on cannot be evaluated; `because` names it. */
  | "unsupported";

/** The decision that AWS would make, with its reasons. */
export interface Decision {
  readonly outcome: "allowed" | "refused";
  readonly reason: Reason;
  /** One sentence. */
  readonly because: string;
  readonly policies: readonly PolicyResult[];
}

/** `unsupported`: cannot be evaluated. In an Allow it does not match; in a Deny it counts as a match. */
export type Verdict = "matched" | "not-matched" | "unsupported";

/** How a policy is attached. */
export type PolicyKind = "identity" | "resource" | "boundary" | "session";

/** The result of one policy. */
export interface PolicyResult {
  readonly name: string;
  readonly kind: PolicyKind;
  /** What is wrong with the document itself, if anything; `statements` is then empty. */
  readonly unsupported?: string;
  readonly statements: readonly StatementResult[];
}

/** The result of one statement. */
export interface StatementResult {
  /** From 0. */
  readonly index: number;
  readonly sid?: string;
  /** Any value other than "Allow" is read as a Deny. */
  readonly effect: "Allow" | "Deny";
  readonly verdict: Verdict;
  /** What cannot be evaluated, if the verdict is `unsupported`. */
  readonly unsupported?: string;
  readonly elements: readonly ElementResult[];
  readonly conditions: readonly ConditionResult[];
}

/** Whether a part of a statement matches. */
export interface MatchResult {
  readonly verdict: Verdict;
  /** Why, if the values alone do not show it. */
  readonly note?: string;
}

/** The result of one element. */
export interface ElementResult extends MatchResult {
  readonly element: ElementName;
  /** The values in the policy. */
  readonly wanted: readonly string[];
  /** The value in the request. */
  readonly actual: string;
}

/** The result of one condition. */
export interface ConditionResult extends MatchResult {
  readonly operator: string;
  readonly key: string;
  /** The values in the policy. */
  readonly wanted: readonly string[];
  /** The values in the request; absent when the key is absent. */
  readonly actual?: readonly string[];
}

/** A part that cannot be evaluated. */
export function unsupported(note: string): { readonly verdict: "unsupported"; readonly note: string } {
  return { verdict: "unsupported", note };
}

/** Logical AND: `not-matched` takes precedence over `unsupported`. */
export function every(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes("not-matched")) return "not-matched";
  return verdicts.includes("unsupported") ? "unsupported" : "matched";
}

/** Logical OR: `matched` takes precedence over `unsupported`. */
export function some(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes("matched")) return "matched";
  return verdicts.includes("unsupported") ? "unsupported" : "not-matched";
}

/** Logical NOT: `unsupported` stays `unsupported`. */
export function not(verdict: Verdict): Verdict {
  if (verdict === "unsupported") return verdict;
  return verdict === "matched" ? "not-matched" : "matched";
}

/** A boolean as a verdict. */
export function verdictOf(matched: boolean): Verdict {
  return matched ? "matched" : "not-matched";
}
