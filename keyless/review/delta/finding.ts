import type { RichText } from "../rich-text";

/**
 * What a change does to access: `gain` grants it, `loss` revokes it. If the effect is `unknown`, assume that access was
 * granted.
 */
export type Effect = "gain" | "loss" | "unknown";

interface KindOfFinding {
  readonly effect: Effect;
  /** How a finding of this kind begins, and how the verdict counts one. */
  readonly label: string;
  /** How the verdict counts several. Absent for losses, which it does not count. */
  readonly plural?: string;
}

/** Every kind of finding, in the order in which the verdict counts them. */
export const FINDING_KINDS = {
  "newly-trusted": { effect: "gain", label: "newly trusted", plural: "newly trusted" },
  "trust-broadened": { effect: "gain", label: "trust broadened", plural: "trusts broadened" },
  "trust-narrowed": { effect: "loss", label: "trust narrowed" },
  "no-longer-trusted": { effect: "loss", label: "no longer trusted" },
  "permission-granted": { effect: "gain", label: "permission granted", plural: "permissions granted" },
  "permission-revoked": { effect: "loss", label: "permission revoked" },
  "boundary-removed": { effect: "gain", label: "boundary removed", plural: "boundaries removed" },
  "boundary-set": { effect: "loss", label: "boundary set" },
  "provider-broadened": { effect: "gain", label: "provider broadened", plural: "providers broadened" },
  "provider-narrowed": { effect: "loss", label: "provider narrowed" },
  "unknown-effect": { effect: "unknown", label: "unknown effect", plural: "unknown effects" },
} as const satisfies { readonly [kind: string]: KindOfFinding };

/** What kind of change of access a finding is. */
export type FindingKind = keyof typeof FINDING_KINDS;

/** One change of access. */
export interface AccessFinding {
  /** What the change is about: `role deploy`, `provider oidc.circleci.com/…`, the address of a resource. */
  readonly subject: string;
  readonly kind: FindingKind;
  /** The effect of this kind. */
  readonly effect: Effect;
  /** Whether it grants an administrator's permissions, or permissions to obtain them. */
  readonly administrator: boolean;
  readonly what: RichText;
  /** The subject patterns of the tokens in question, as AWS compares them. Absent unless the finding is about trust. */
  readonly tokens?: readonly string[];
}

/** A finding about one subject, e.g. `role deploy`. */
export function accessFinding(
  subject: string,
  kind: FindingKind,
  what: RichText,
  more: Partial<Pick<AccessFinding, "administrator" | "tokens">> = {},
): AccessFinding {
  return { subject, kind, effect: FINDING_KINDS[kind].effect, administrator: false, what, ...more };
}

/** A finding about a change whose effect is unknown. */
export function unknownEffect(subject: string, what: RichText): AccessFinding {
  return accessFinding(subject, "unknown-effect", what);
}
