import { groupBy } from "../../group-by";
import type { References } from "../../plan/references";
import type { ResourceChange } from "../../plan/schema";
import { displayed, elements, type Value } from "../../plan/value";

/** Before or after the plan is applied. */
export type Side = "before" | "after";

export type Attributes = { readonly [attribute: string]: Value };

/** A role, a user or a group of a plan. */
export interface IdentityName {
  readonly kind: IdentityKind;
  /** Contains the address or the provider if the name alone does not identify it. */
  readonly name: string;
  /** The names of the identities that it can be: one, unless the plan does not determine it. */
  readonly candidates: readonly string[];
}

type IdentityKind = "role" | "user" | "group";

const IDENTITY_KINDS = ["role", "user", "group"] as const;

/** The identity that a resource of a type is. */
export const IDENTITY_TYPES = new Map<string, IdentityKind>(IDENTITY_KINDS.map((kind) => [`aws_iam_${kind}`, kind]));

/** The attributes that name the identities of a resource, by its type. */
const IDENTITY_ATTRIBUTES = new Map<string, readonly (readonly [kind: IdentityKind, attribute: string])[]>([
  ...IDENTITY_KINDS.flatMap((kind) => [
    [`aws_iam_${kind}_policy`, [[kind, kind]]] as const,
    [`aws_iam_${kind}_policy_attachment`, [[kind, kind]]] as const,
    [`aws_iam_${kind}_policies_exclusive`, [[kind, `${kind}_name`]]] as const,
    [`aws_iam_${kind}_policy_attachments_exclusive`, [[kind, `${kind}_name`]]] as const,
  ]),
  ["aws_iam_policy_attachment", IDENTITY_KINDS.map((kind) => [kind, `${kind}s`] as const)],
  ["aws_iam_group_membership", [["user", "users"]]],
  ["aws_iam_user_group_membership", [["user", "user"]]],
]);

/** Whether a resource of a type is an identity, or changes the policies or the groups of identities. */
export function concernsIdentities(type: string): boolean {
  return IDENTITY_TYPES.has(type) || IDENTITY_ATTRIBUTES.has(type);
}

/**
 * The attributes on one side. Forgotten resources remain in AWS, and so do the attachments of an exclusive list that is
 * destroyed.
 */
export function attributesOf({ action, type, before, after }: ResourceChange, side: Side): Attributes | null {
  const remains = action === "forget" || (action === "destroy" && type.endsWith("_exclusive"));
  return side === "before" || remains ? before : after;
}

/**
 * Names the identities of a list of changes. A plan can contain identities with the same name in several accounts: they
 * are told apart by their provider configurations and addresses.
 */
export class Identities {
  private readonly shared: ReadonlySet<string>;
  private readonly managed: readonly ResourceChange[];

  constructor(
    private readonly changes: readonly ResourceChange[],
    private readonly references: References,
    private readonly severalAccounts: boolean,
  ) {
    this.managed = changes.filter(
      ({ type, mode, deposedKey }) => IDENTITY_TYPES.has(type) && mode === "managed" && deposedKey === undefined,
    );
    this.shared = new Set([...this.repeatedNames(), ...this.namesOfSeveralAccounts()]);
  }

  /** Whether several identities of the plan have the name. */
  isShared(kind: IdentityKind, name: Value | undefined): boolean {
    return this.shared.has(keyOf(kind, name));
  }

  /** The identities that a change is about. */
  named(change: ResourceChange, attributes: Attributes, side: Side): readonly IdentityName[] {
    const own = IDENTITY_TYPES.get(change.type);
    if (own !== undefined) return [identityName(own, this.nameOf(change, own, side))];
    const places = IDENTITY_ATTRIBUTES.get(change.type) ?? [];
    return places.flatMap((place) => this.namesIn(change, attributes, place, side));
  }

  /** The identities of one kind in an attribute, which is a name or a list of names. */
  namesIn(
    change: ResourceChange,
    attributes: Attributes,
    [kind, attribute]: readonly [kind: IdentityKind, attribute: string],
    side: Side,
  ): readonly IdentityName[] {
    const value = attributes[attribute] ?? null;
    const names = attribute.endsWith("s") ? elements(value) : [value];
    return names.map((name) => {
      if (typeof name === "string" && !this.isShared(kind, name)) return identityName(kind, name);
      const { candidates, complete } = this.candidates(change, name, [kind, attribute], side);
      const possible = candidates.map((each) => this.nameOf(each, kind, side));
      if (complete && possible[0] !== undefined && possible.length === 1) return identityName(kind, possible[0]);
      if (possible.length > 0) return { kind, name: alternatives(possible, complete), candidates: possible };
      const provider = this.references.providerOf(change);
      if (typeof name !== "string") return identityName(kind, `of ${change.address} (name ${displayed(name)})`);
      return identityName(kind, provider === undefined ? name : `${name} (of provider ${provider})`);
    });
  }

  /** The identities that a name that is unknown or not unique can mean. */
  private candidates(
    change: ResourceChange,
    name: Value,
    [kind, attribute]: readonly [kind: IdentityKind, attribute: string],
    side: Side,
  ): { readonly candidates: readonly ResourceChange[]; readonly complete: boolean } {
    const provider = this.references.providerOf(change);
    const sameAccount = this.managed.filter(
      (each) =>
        IDENTITY_TYPES.get(each.type) === kind &&
        provider !== undefined &&
        this.references.providerOf(each) === provider &&
        attributesOf(each, side)?.name === name,
    );
    if (typeof name === "string" && sameAccount.length === 1) return { candidates: sameAccount, complete: true };
    const { candidates, complete } = this.references.resolve(change, attribute);
    return { candidates: candidates.filter(({ type }) => IDENTITY_TYPES.get(type) === kind), complete };
  }

  private nameOf(identity: ResourceChange, kind: IdentityKind, side: Side): string {
    const name = attributesOf(identity, side)?.name ?? null;
    if (typeof name !== "string") return identity.address;
    return this.isShared(kind, name) ? `${name} (${identity.address})` : name;
  }

  /** The names that two identities have on one side. */
  private repeatedNames(): readonly string[] {
    return (["before", "after"] as const).flatMap((side) => {
      const names = this.managed.flatMap((each) => {
        const name = attributesOf(each, side)?.name;
        return typeof name === "string" ? [keyOf(IDENTITY_TYPES.get(each.type), name)] : [];
      });
      return [...groupBy(names, (name) => name)].flatMap(([name, { length }]) => (length > 1 ? [name] : []));
    });
  }

  /**
   * The names that resources of several provider configurations use. The configuration of a resource that it no longer
   * contains is unknown.
   */
  private namesOfSeveralAccounts(): readonly string[] {
    const providers = this.changes.flatMap((change) => this.references.providerOf(change) ?? []);
    if (!this.severalAccounts && new Set(providers).size < 2) return [];
    const uses = this.changes
      .filter(({ type, mode }) => concernsIdentities(type) && mode === "managed")
      .flatMap((change) => {
        const provider = this.references.providerOf(change);
        const attributes = IDENTITY_ATTRIBUTES.get(change.type) ?? [[IDENTITY_TYPES.get(change.type), "name"] as const];
        return [change.before, change.after].flatMap((side) =>
          attributes.flatMap(([kind, attribute]) => {
            const value = side?.[attribute] ?? null;
            const names = Array.isArray(value) ? elements(value) : [value];
            return names
              .filter((name) => typeof name === "string")
              .map((name) => ({ key: keyOf(kind, name), provider }));
          }),
        );
      });
    return [...groupBy(uses, ({ key }) => key)].flatMap(([key, all]) =>
      new Set(all.map(({ provider }) => provider)).size > 1 ? [key] : [],
    );
  }
}

const keyOf = (kind: IdentityKind | undefined, name: Value | undefined) => JSON.stringify([kind, name]);

const identityName = (kind: IdentityKind, name: string): IdentityName => ({ kind, name, candidates: [name] });

/** The maximum number of identities in a name. */
const LISTED = 3;

/** Names as alternatives, e.g. `a or b`. */
export function alternatives(names: readonly string[], complete: boolean): string {
  const more = names.length > LISTED ? [`${names.length - LISTED} more`] : [];
  return [...names.slice(0, LISTED), ...more, ...(complete ? [] : ["another one"])].join(" or ");
}
