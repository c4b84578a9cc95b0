import type { PolicyDocument } from "./document";

/** A request to AWS. */
export interface Request {
  /** The ARN of a user, role or assumed-role session; of the issuer's provider for a web identity. */
  readonly principal: { readonly kind: "AWS" | "Federated" | "Service"; readonly id: string };
  /** E.g. `s3:GetObject`. Case-insensitive. */
  readonly action: string;
  /** The resource's ARN, or `*` for an action without resources. */
  readonly resource: string;
  /** Condition keys and their values. Names are case-insensitive; keys that are not listed are absent from the request. */
  readonly context: { readonly [key: string]: string | readonly string[] };
}

/** The policies that apply to a request. */
export interface Policies {
  /** Identity policies: a role's managed and inline policies. */
  readonly identity?: readonly NamedPolicy[];
  /** Resource policies: a role's trust policy, a bucket's policy. */
  readonly resource?: readonly NamedPolicy[];
  /** The permissions boundary: both it and the identity policies must allow. */
  readonly boundary?: NamedPolicy;
  /** Session policies passed when the session was created: one of them must allow too. */
  readonly session?: readonly NamedPolicy[];
}

/** A policy document, and its name in decisions. */
export interface NamedPolicy {
  readonly name: string;
  readonly document: PolicyDocument;
}

/** Whether a role's trust policy decides the action. */
export function isTrustAction(action: string): boolean {
  return /^sts:(AssumeRole|TagSession|SetSourceIdentity)/i.test(action);
}
