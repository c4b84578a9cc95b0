import type { RichText } from "../rich-text";

/**
 * What a change does to access: `gain` grants it, `loss` revokes it. If the effect is `unknown`, assume that access was
 * granted. `none` is the effect of a change that was not assessed and cannot grant access in AWS.
 */
export type Effect = "gain" | "loss" | "unknown" | "none";

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
  "guardrail-removed": { effect: "gain", label: "guardrail removed", plural: "guardrails removed" },
  "guardrail-set": { effect: "loss", label: "guardrail set" },
  "provider-broadened": { effect: "gain", label: "provider broadened", plural: "providers broadened" },
  "provider-narrowed": { effect: "loss", label: "provider narrowed" },
  "credential-issued": { effect: "gain", label: "credential issued", plural: "credentials issued" },
  "credential-revoked": { effect: "loss", label: "credential revoked" },
  "role-passed": { effect: "gain", label: "role passed", plural: "roles passed" },
  "role-withdrawn": { effect: "loss", label: "role withdrawn" },
  "exposure-widened": { effect: "gain", label: "exposure widened", plural: "exposures widened" },
  "exposure-narrowed": { effect: "loss", label: "exposure narrowed" },
  "session-lengthened": { effect: "gain", label: "session lengthened", plural: "sessions lengthened" },
  "session-shortened": { effect: "loss", label: "session shortened" },
  "not-assessed": { effect: "unknown", label: "not assessed", plural: "not assessed" },
} as const satisfies { readonly [kind: string]: KindOfFinding };

/** What kind of change of access a finding is. */
export type FindingKind = keyof typeof FINDING_KINDS;

/** One change of access. */
export interface AccessFinding {
  /** What the change is about: `role deploy`, `provider oidc.circleci.com/…`, the address of a resource. */
  readonly subject: string;
  readonly kind: FindingKind;
  /** The effect of this kind; for `not-assessed` it can be `none`. */
  readonly effect: Effect;
  /** Whether it grants an administrator's permissions, or permissions to obtain them. */
  readonly administrator: boolean;
  readonly what: RichText;
  /** The subject patterns of the tokens in question, as AWS compares them. Absent unless the finding is about trust. */
  readonly tokens?: readonly string[];
  /** The resources of the statement in question. Absent unless the finding is about permissions of one statement. */
  readonly resources?: readonly string[];
  /** Whether it follows from a role that the plan adds or removes, which a policy of the pipeline lists by name. */
  readonly consequence?: boolean;
}

/** A finding about one subject, e.g. `role deploy`. */
export function accessFinding(
  subject: string,
  kind: FindingKind,
  what: RichText,
  more: Partial<Pick<AccessFinding, "administrator" | "tokens" | "resources">> = {},
): AccessFinding {
  return { subject, kind, effect: FINDING_KINDS[kind].effect, administrator: false, what, ...more };
}

/**
 * A finding about a change that this review could not assess.
 *
 * @param what the reason
 * @param effect `none` if the change cannot grant access in AWS. Default: `unknown`
 */
export function notAssessed(subject: string, what: RichText, effect: "unknown" | "none" = "unknown"): AccessFinding {
  return { ...accessFinding(subject, "not-assessed", what), effect };
}
