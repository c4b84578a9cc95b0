import { References } from "../../plan/references";
import type { Plan, ResourceChange } from "../../plan/schema";
import { displayed, elements, Hidden, isMap, isUnknown, same, type Value } from "../../plan/value";
import { richText } from "../rich-text";
import { type Document, documentOfDataSource, readDocument } from "./documents";
import type { Grant } from "./permissions";

/** Before the apply, or after it. */
export type Side = "before" | "after";

/** A role on one side of a plan: who may assume it and what it may do, as far as the plan shows. */
export interface Role {
  trust?: Document;
  boundary: Value;
  readonly grants: Grant[];
}

export interface Provider {
  readonly audiences: Value;
  readonly thumbprints: Value;
}

/** What IAM looks like on one side of a plan. */
export interface Iam {
  /** By name; a role whose name is known only after apply, or that shares its name, goes by its address too. */
  readonly roles: Map<string, Role>;
  /** By URL without `https://`. */
  readonly providers: Map<string, Provider>;
  /** Customer managed policies by ARN, or by address until they have one. */
  readonly policies: Map<string, Document>;
  /** Policies of other things (buckets, keys, users, …), by address. */
  readonly others: Map<string, Document>;
}

type Attributes = { readonly [attribute: string]: Value };

/** Reads a list of changes (a plan's, or its drift) as IAM before and after. */
export class IamReader {
  private readonly references: References;
  private readonly shared: ReadonlySet<string>;
  private readonly held: ReadonlySet<string>;

  constructor(
    private readonly changes: readonly ResourceChange[],
    plan: Plan,
  ) {
    this.references = new References(plan);
    this.shared = sharedNames(changes);
    this.held = heldPolicies(plan.changes);
  }

  read(side: Side): Iam {
    const iam: Iam = { roles: new Map(), providers: new Map(), policies: new Map(), others: new Map() };
    const present = this.changes.flatMap((change) => {
      const attributes = change.mode === "managed" ? attributesOf(change, side) : null;
      return attributes === null ? [] : [{ change, attributes }];
    });
    // Policies first: an attachment is looked up among them.
    for (const { change, attributes } of present.filter(({ change }) => change.type === "aws_iam_policy")) {
      const document = this.document(change, attributes, "policy");
      if (document) iam.policies.set(policyKey(change, side), document);
    }
    for (const { change, attributes } of present) this.add(iam, change, attributes, side);
    return iam;
  }

  /** The roles that a change is about. */
  rolesOf(change: ResourceChange): readonly string[] {
    return [
      ...new Set(
        (["before", "after"] as const).flatMap((side) => {
          const attributes = attributesOf(change, side);
          return attributes === null ? [] : this.roleNames(change, attributes, side);
        }),
      ),
    ];
  }

  private roleNames(change: ResourceChange, attributes: Attributes, side: Side): readonly string[] {
    switch (change.type) {
      case "aws_iam_role":
        return [this.roleKey(change, side)];
      case "aws_iam_role_policy":
      case "aws_iam_role_policy_attachment":
        return this.named(change, "role", attributes.role ?? null, side);
      case "aws_iam_role_policies_exclusive":
      case "aws_iam_role_policy_attachments_exclusive":
        return this.named(change, "role_name", attributes.role_name ?? null, side);
      case "aws_iam_policy_attachment":
        return elements(attributes.roles).flatMap((role) => this.named(change, "roles", role, side));
      default:
        return [];
    }
  }

  /** The keys of the roles that an attribute names; found through the configuration when the name is not known yet. */
  private named(change: ResourceChange, attribute: string, value: Value, side: Side): readonly string[] {
    if (typeof value === "string" && !this.shared.has(value)) return [value];
    const roles = this.references.resolve(change, attribute).filter(({ type }) => type === "aws_iam_role");
    if (roles.length > 0) return roles.map((role) => this.roleKey(role, side));
    return [typeof value === "string" ? value : `of ${change.address} (name ${displayed(value)})`];
  }

  private roleKey(role: ResourceChange, side: Side): string {
    const name = attributesOf(role, side)?.name ?? null;
    if (typeof name !== "string") return role.address;
    return this.shared.has(name) ? `${name} (${role.address})` : name;
  }

  private add(iam: Iam, change: ResourceChange, attributes: Attributes, side: Side): void {
    const roles = this.roleNames(change, attributes, side).map((name) => roleIn(iam, name));
    const grant = (...grants: readonly Grant[]) => {
      for (const role of roles) role.grants.push(...grants);
    };
    switch (change.type) {
      case "aws_iam_role":
        for (const role of roles) {
          role.trust = this.document(change, attributes, "assume_role_policy");
          role.boundary = attributes.permissions_boundary ?? null;
        }
        grant(...this.ownGrants(iam, change, attributes, side));
        break;
      case "aws_iam_role_policy": {
        const document = this.document(change, attributes, "policy");
        const name = displayed(attributes.name ?? null);
        if (document) grant({ source: richText`inline policy ${name}`, document });
        break;
      }
      case "aws_iam_role_policy_attachment":
      case "aws_iam_policy_attachment":
        grant(this.managed(iam, change, attributes.policy_arn ?? null));
        break;
      case "aws_iam_role_policy_attachments_exclusive":
        grant(...elements(attributes.policy_arns).map((arn) => this.managed(iam, change, arn)));
        break;
      case "aws_iam_openid_connect_provider":
        iam.providers.set(displayed(attributes.url ?? null).replace(/^https:\/\//, ""), {
          audiences: attributes.client_id_list ?? null,
          thumbprints: attributes.thumbprint_list ?? null,
        });
        break;
      case "aws_iam_policy":
      case "aws_iam_role_policies_exclusive":
        break;
      default: {
        const document = this.document(change, attributes, "policy");
        if (document && this.isPolicy(change, document)) iam.others.set(change.address, document);
      }
    }
  }

  /**
   * The policies that a role resource lists itself. The provider also computes both lists from whatever is attached by
   * others, so what stands on both sides, or is held by a resource of its own, says nothing: only what the role's own
   * change brings or takes counts.
   */
  private ownGrants(iam: Iam, change: ResourceChange, attributes: Attributes, side: Side): Grant[] {
    const other = attributesOf(change, side === "before" ? "after" : "before");
    const own = (attribute: string): readonly Value[] => {
      const unknown = attributes[attribute] instanceof Hidden;
      const otherUnknown = other?.[attribute] instanceof Hidden;
      if (!this.references.sets(change, attribute) && (unknown || otherUnknown)) return [];
      if (unknown) return [attributes[attribute] as Hidden];
      return elements(attributes[attribute]).filter(
        (each) =>
          !elements(other?.[attribute]).some((twin) => same(twin, each)) &&
          !this.held.has(holding(attributes.name, isMap(each) ? each.name : each)),
      );
    };
    return [
      ...own("managed_policy_arns").map((arn) => this.managed(iam, change, arn)),
      ...own("inline_policy").flatMap((block) => {
        const { name, policy } =
          block instanceof Hidden ? { name: block, policy: block } : ((block ?? {}) as { [argument: string]: Value });
        const document = readDocument(policy);
        return document ? [{ source: richText`inline policy ${displayed(name ?? null)}`, document }] : [];
      }),
    ];
  }

  private managed(iam: Iam, change: ResourceChange, arn: Value): Grant {
    const known = typeof arn === "string" ? iam.policies.get(arn) : undefined;
    if (typeof arn === "string") {
      return known
        ? { source: richText`policy ${arn}`, document: known }
        : { source: richText`managed policy ${arn}`, arn };
    }
    const attribute = change.type === "aws_iam_role_policy_attachments_exclusive" ? "policy_arns" : "policy_arn";
    const candidates = this.references
      .resolve(change, change.type === "aws_iam_role" ? "managed_policy_arns" : attribute)
      .filter(({ type }) => type === "aws_iam_policy");
    const [policy] = candidates;
    const document = policy && candidates.length === 1 ? iam.policies.get(policyKey(policy, "after")) : undefined;
    if (policy && document)
      return { source: richText`policy ${displayed(policy.after?.name ?? policy.address)}`, document };
    const source = richText`a managed policy of ${change.address}`;
    return { source, document: { statements: [], unclear: displayed(arn), source: arn } };
  }

  /** The policy in an attribute; one that is known only after apply is read from the data source that makes it. */
  private document(change: ResourceChange, attributes: Attributes, attribute: string): Document | undefined {
    const value = attributes[attribute];
    if (!isUnknown(value)) return readDocument(value);
    const sources = this.references
      .resolve(change, attribute)
      .filter(({ type, mode }) => mode === "data" && type === "aws_iam_policy_document");
    const [source] = sources;
    if (!source?.after || sources.length > 1) return readDocument(value);
    return documentOfDataSource(source.address, source.after);
  }

  /**
   * An attribute named `policy` need not be one of IAM's; one that cannot be read counts where the configuration sets
   * it.
   */
  private isPolicy(change: ResourceChange, { statements, unclear }: Document): boolean {
    return statements.length > 0 || (unclear !== undefined && this.references.sets(change, "policy"));
  }

  /** The customer managed policies of the plan that nothing in it attaches to a role, before or after. */
  detachedPolicies(...sides: readonly Iam[]): readonly string[] {
    const attached = new Set(
      sides.flatMap(({ roles }) => [...roles.values()].flatMap(({ grants }) => grants.map(({ document }) => document))),
    );
    const keys = this.changes
      .filter(({ type }) => type === "aws_iam_policy")
      .map((change) => policyKey(change, "before"));
    return keys.filter((key) => !sides.some(({ policies }) => attached.has(policies.get(key) as Document)));
  }
}

/**
 * The attributes on one side. What is forgotten stays as it is in AWS, and so does what an exclusive list held
 * together.
 */
function attributesOf({ action, type, before, after }: ResourceChange, side: Side): Attributes | null {
  const stays = action === "forget" || (action === "destroy" && /_exclusive$/.test(type));
  return side === "before" || stays ? before : after;
}

function policyKey(policy: ResourceChange, side: Side): string {
  const arn = attributesOf(policy, side)?.arn;
  return typeof arn === "string" ? arn : policy.address;
}

function roleIn({ roles }: Iam, name: string): Role {
  const role = roles.get(name) ?? { boundary: null, grants: [] };
  roles.set(name, role);
  return role;
}

/** What resources of their own hold on a role so far: attachments by ARN, inline policies by name. */
export function heldPolicies(changes: readonly ResourceChange[]): ReadonlySet<string> {
  return new Set(
    changes.flatMap(({ type, before }) => {
      if (type === "aws_iam_role_policy") return [holding(before?.role, before?.name)];
      return type === "aws_iam_role_policy_attachment" ? [holding(before?.role, before?.policy_arn)] : [];
    }),
  );
}

/** The key of one role's holding of one policy. */
export const holding = (role: unknown, policy: unknown) => JSON.stringify([role, policy]);

/** A name that two roles of one side have: roles of two accounts in one plan. */
function sharedNames(changes: readonly ResourceChange[]): ReadonlySet<string> {
  const shared = new Set<string>();
  for (const side of ["before", "after"] as const) {
    const seen = new Set<string>();
    for (const change of changes.filter(
      ({ type, mode, deposedKey }) => type === "aws_iam_role" && mode === "managed" && deposedKey === undefined,
    )) {
      const name = attributesOf(change, side)?.name;
      if (typeof name !== "string") continue;
      if (seen.has(name)) shared.add(name);
      seen.add(name);
    }
  }
  return shared;
}
