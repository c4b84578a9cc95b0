import type { PolicyDocument } from "./document";

/** What is asked of AWS: who, what, on which resource, with which condition keys present. */
export interface Request {
  /** Who asks: an ARN (user, role, assumed-role session), or the issuer's provider ARN for a web identity. */
  readonly principal: { readonly kind: "AWS" | "Federated" | "Service"; readonly id: string };
  /** E.g. `s3:GetObject`. Compared without regard to case. */
  readonly action: string;
  /** The resource's ARN, or `*` for an action that has none. */
  readonly resource: string;
  /** Condition keys and their values; a key's name is compared without regard to case. An absent key is absent. */
  readonly context: { readonly [key: string]: string | readonly string[] };
}

/** The policies that decide about a request. */
export interface Policies {
  /** Identity policies: a role's managed and inline policies. Named, so that a reason can say which one it was. */
  readonly identity?: readonly NamedPolicy[];
  /** Resource policies: a role's trust policy, a bucket's policy. */
  readonly resource?: readonly NamedPolicy[];
  /** The permissions boundary: both it and the identity policies must allow. */
  readonly boundary?: NamedPolicy;
  /** Session policies given when the session was made: one of them must allow as well. */
  readonly session?: readonly NamedPolicy[];
}

/** A policy document, and what reasons call it. */
export interface NamedPolicy {
  readonly name: string;
  readonly document: PolicyDocument;
}

/** The actions that a role's trust policy is about. */
export function isTrustAction(action: string): boolean {
  return /^sts:(AssumeRole|TagSession|SetSourceIdentity)/i.test(action);
}
