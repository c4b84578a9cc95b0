import type { Words } from "../rich-text";

/**
 * What happens to somebody's access. `unclear` is said and counted as a gain: a review must not soothe when it does
 * not know.
 */
export type Effect = "gain" | "loss" | "unclear";

/** What kind of change of access a finding is. */
export type FindingKind =
  | "newly trusted"
  | "broadened"
  | "narrowed"
  | "no longer trusted"
  | "permission gained"
  | "permission lost"
  | "boundary lifted"
  | "boundary set"
  | "provider"
  | "could not tell: treat as gain";

/** One sentence of "who gains and who loses". */
export interface Finding {
  /** Whose access it is about: `role deploy`, `provider oidc.circleci.com/…`, … */
  readonly subject: string;
  readonly kind: FindingKind;
  readonly effect: Effect;
  /** It makes an administrator, or lets somebody make himself one. */
  readonly administrator: boolean;
  readonly what: Words;
  /** The subject patterns of tokens that it is about, as AWS compares them; for trust alone. */
  readonly tokens?: readonly string[];
}

/** A finding about one subject, e.g. `role deploy`. */
export function finding(
  subject: string,
  kind: FindingKind,
  effect: Effect,
  what: Words,
  more: Partial<Pick<Finding, "administrator" | "tokens">> = {},
): Finding {
  return { subject, kind, effect, administrator: false, what, ...more };
}
