import type { PolicyDocument } from "../../policy/document";
import type { SubjectParts } from "../circleci";
import type { Account } from "../provider";
import type { Claims } from "../token";

/** A token, the role that it is meant for, and what is known about both. */
export interface Question {
  readonly claims: Claims;
  /** Where the token was found; a token's form alone does not tell a V1 token from a webhook's. Default: `file`. */
  readonly source?: TokenSource;
  readonly trustPolicy: PolicyDocument;
  /** Where a reader changes the trust, e.g. `environments.dev.roles.deploy.trust in config.ts`. */
  readonly place: string;
  readonly account: Account;
  /**
   * The client ids of the account's provider for the token's issuer; `absent` when the account has no such provider.
   * Default: not known.
   */
  readonly audiences?: readonly string[] | "absent";
  /** Default: not checked. */
  readonly signature?: Signature;
  readonly now: Date;
}

/** The variable that a token was in, a file, or claims given in its place. */
export type TokenSource = "CIRCLE_OIDC_TOKEN" | "CIRCLE_OIDC_TOKEN_V2" | "file" | "claims";

/** Whether a token's signature is the issuer's, and how that was found out or why it was not. */
export interface Signature {
  readonly verdict: "valid" | "invalid" | "unchecked";
  readonly note: string;
}

/** One of the things that AWS checks before it trades a token for credentials. */
export interface Check {
  readonly name: "issuer" | "signature" | "audience" | "trust policy" | "lifetime";
  readonly outcome: "passed" | "failed" | "unknown";
  readonly detail: string;
}

/** A condition that failed: what the token has beside what the role wants. */
export interface Mismatch {
  readonly operator: string;
  readonly key: string;
  /** The token's values; none when it lacks the key. */
  readonly actual: readonly string[];
  /** All of the policy's values. */
  readonly expected: readonly string[];
  /** The one of them that differs from the token in the fewest parts, as late as possible. */
  readonly closest: string;
  /** How many characters of the token's value agree with `closest`, its wildcards considered. */
  readonly firstDifference: number;
  /** For subjects: part by part. */
  readonly parts?: readonly PartComparison[];
  /** Why the condition can never be met, if so. */
  readonly note?: string;
}

/** One part of a subject, beside what the role wants there. */
export interface PartComparison {
  readonly part: keyof SubjectParts;
  /** Absent from a subject that does not say it. */
  readonly actual?: string;
  /** `*` for anything, absent when the subject must end before it. */
  readonly expected?: string;
  readonly matches: boolean;
  /** Of `actual`, as in `Mismatch`. */
  readonly firstDifference: number;
}
