import type { PolicyDocument } from "../../policy/document";
import type { SubjectParts } from "../circleci";
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

/** The checks in AWS's order, and the outcome of each reason. */
export const CHECK_OUTCOMES = {
  issuer: {
    "trusted-issuer": "passed",
    "other-issuer": "failed",
    "not-https": "failed",
    "other-account": "failed",
    "no-provider": "failed",
  },
  signature: { valid: "passed", invalid: "failed", unchecked: "unknown" },
  audience: { "accepted-audience": "passed", "other-audience": "failed", "unknown-client-ids": "unknown" },
  "trust policy": {
    allowed: "passed",
    "explicit-deny": "failed",
    "no-allow": "failed",
    /** Conditions on the request, such as the caller's address, decide. */
    "request-condition": "unknown",
    unsupported: "unknown",
  },
  lifetime: { "not-expired": "passed", expired: "failed", "not-yet-valid": "failed", "no-expiry": "unknown" },
} as const;

type CheckOutcomes = typeof CHECK_OUTCOMES;

/** A check that AWS makes before it issues credentials of a role. */
export type Check = {
  readonly [Name in keyof CheckOutcomes]: {
    readonly name: Name;
    readonly outcome: "passed" | "failed" | "unknown";
    readonly reason: keyof CheckOutcomes[Name];
    /** The reason, with its values. */
    readonly detail: string;
  };
}[keyof CheckOutcomes];

/** Values of the token that differ from those that the role or the provider accepts. */
export interface Mismatch {
  /** The condition's operator; `issuer` or `audience` if a check before the trust policy failed. */
  readonly operator: string;
  readonly key: string;
  /** The claim that the key names. */
  readonly claim?: "aud" | "sub";
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
  /** Why no token can have the key. Absent if tokens of the issuer have it. */
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
