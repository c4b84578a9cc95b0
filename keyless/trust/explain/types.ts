import type { PolicyDocument } from "../../policy/document";
import type { ConditionClaim, SubjectParts } from "../circleci";
import type { Account } from "../provider";
import type { Claims } from "../token";

/** A token, the role that it is for, and what is known of both. */
export interface Question {
  readonly claims: Claims;
  /** Default: `file`. A custom webhook's V2 token has the form of a V1 token; only the source distinguishes them. */
  readonly source?: TokenSource;
  readonly trustPolicy: PolicyDocument;
  /** The path of the role's trust rules in config.ts. Default: the trust policy is not made from config.ts. */
  readonly configPath?: string;
  readonly account: Account;
  /** The client ids of the account's provider for the token's issuer; `absent` if it has no such provider. Default: unknown. */
  readonly audiences?: readonly string[] | "absent";
  /** Default: not checked. */
  readonly signature?: Signature;
  readonly now: Date;
}

/** The variable or the file that contains a token, or claims that were written instead of a token. */
export type TokenSource = "CIRCLE_OIDC_TOKEN" | "CIRCLE_OIDC_TOKEN_V2" | "file" | "claims";

/** Whether a key of the issuer made a token's signature. */
export interface Signature {
  readonly verdict: "valid" | "invalid" | "unchecked";
  /** The issuer whose keys were used, or why the signature was not checked. */
  readonly note: string;
}

/** The check and the outcome that each reason belongs to. */
export const CHECK_REASONS = {
  "trusted-issuer": ["issuer", "passed"],
  "other-issuer": ["issuer", "failed"],
  "not-https": ["issuer", "failed"],
  "other-account": ["issuer", "failed"],
  "no-provider": ["issuer", "failed"],
  valid: ["signature", "passed"],
  invalid: ["signature", "failed"],
  unchecked: ["signature", "unknown"],
  "accepted-audience": ["audience", "passed"],
  "other-audience": ["audience", "failed"],
  "several-audiences": ["audience", "failed"],
  "unknown-client-ids": ["audience", "unknown"],
  allowed: ["trust policy", "passed"],
  "explicit-deny": ["trust policy", "failed"],
  "no-allow": ["trust policy", "failed"],
  /** Conditions on the request, such as the caller's address, decide. */
  "request-condition": ["trust policy", "unknown"],
  unsupported: ["trust policy", "unknown"],
  "not-expired": ["lifetime", "passed"],
  expired: ["lifetime", "failed"],
  "not-yet-valid": ["lifetime", "failed"],
  "no-expiry": ["lifetime", "unknown"],
} as const;

/** The reason for the outcome of a check. */
export type CheckReason = keyof typeof CHECK_REASONS;

/** The result of a check that AWS makes before it issues credentials of a role. */
export interface Check {
  readonly name: (typeof CHECK_REASONS)[CheckReason][0];
  readonly outcome: (typeof CHECK_REASONS)[CheckReason][1];
  readonly reason: CheckReason;
  /** The reason, with its values. */
  readonly detail: string;
}

/** Values of the token that differ from those that the role or the provider accepts. */
export interface Mismatch {
  /** `unknown-key`: AWS does not have the key for tokens of the issuer, so this condition never matches. */
  readonly kind: "unknown-key" | "absent-key" | "other-value";
  /** The condition's operator; `issuer` or `audience` if a check before the trust policy failed. */
  readonly operator: string;
  readonly key: string;
  /** The claim that the key names, even if AWS does not have the key. */
  readonly claim?: ConditionClaim;
  /** The token's values; empty if it does not have the key. */
  readonly actual: readonly string[];
  /** All values that are accepted. */
  readonly expected: readonly string[];
  /** The accepted value that differs from the token in the fewest parts, and after the longest common start. */
  readonly closest: string;
  /** The length of the token's value up to the first character that does not match `closest`. */
  readonly firstDifference: number;
  /** For subjects: the comparison of each part. */
  readonly parts?: readonly PartComparison[];
  /** Why the condition never matches, if the kind is `unknown-key`. */
  readonly note?: string;
}

/** A part of the token's subject, compared with the part of the trusted subject. */
export interface PartComparison {
  readonly part: keyof SubjectParts;
  /** Absent if the token's subject does not have the part. */
  readonly actual?: string;
  /** `*`: any value. Absent: the subject must not have the part. */
  readonly expected?: string;
  readonly matches: boolean;
  /** The length of `actual` up to the first character that does not match. */
  readonly firstDifference: number;
}
