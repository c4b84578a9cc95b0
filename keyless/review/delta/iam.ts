import { groupBy } from "../../group-by";
import { References } from "../../plan/references";
import type { Plan, ResourceChange } from "../../plan/schema";
import { displayed, elements, Hidden, isMap, isUnknown, same, type Value } from "../../plan/value";
import { type RichText, richText } from "../rich-text";
import { type Document, documentOfDataSource, readDocument } from "./documents";

/** Before or after the plan is applied. */
export type Side = "before" | "after";

/** A policy of a role or of another resource. */
export interface PolicySource {
  /** What contains the policy, e.g. `inline policy publish`. */
  readonly source: RichText;
  /** The ARN of a managed policy whose document is not in the plan. */
  readonly arn?: string;
  readonly document?: Document;
}

/** A role on one side of a plan, as far as the plan contains it. */
export interface PlannedRole {
  trust?: Document;
  boundary: Value;
  readonly policies: PolicySource[];
}

/** An OIDC provider on one side of a plan. */
export interface PlannedProvider {
  readonly audiences: Value;
  readonly thumbprints: Value;
}

/** The policy of a resource other than a role, e.g. of a bucket, a key or a user. */
export interface ResourcePolicy {
  /** The type of the resource, e.g. `aws_s3_bucket_policy`. */
  readonly type: string;
  readonly document: Document;
}

/** IAM on one side of a plan. */
export interface PlannedIam {
  /** By name. The key contains the address if the name is unknown or two roles have it. */
  readonly roles: Map<string, PlannedRole>;
  /** By URL without `https://`. */
  readonly providers: Map<string, PlannedProvider>;
  /** Customer managed policies by ARN, or by address while the ARN is unknown. */
  readonly policies: Map<string, Document>;
  /** By address. */
  readonly resourcePolicies: Map<string, ResourcePolicy>;
}

type Attributes = { readonly [attribute: string]: Value };

/** The attribute that names a resource's roles, by the type of the resource. */
const ROLE_ATTRIBUTES = new Map([
  ["aws_iam_role_policy", "role"],
  ["aws_iam_role_policy_attachment", "role"],
  ["aws_iam_role_policies_exclusive", "role_name"],
  ["aws_iam_role_policy_attachments_exclusive", "role_name"],
  ["aws_iam_policy_attachment", "roles"],
]);

/** Reads IAM before and after a list of changes: a plan's own, or its drift. */
export class IamChanges {
  private readonly references: References;
  private readonly shared: ReadonlySet<string>;
  private readonly attached: ReadonlySet<string>;
  /** The inline policies that are resources, before or after. */
  private readonly inlinePolicies: ReadonlySet<string>;
  /** The inline policies that roles list, before or after. */
  private readonly inlineBlocks: ReadonlyMap<string, Value>;
  /** By name. */
  private readonly rolesBefore: ReadonlyMap<Value | undefined, Attributes>;

  constructor(
    private readonly changes: readonly ResourceChange[],
    plan: Plan,
  ) {
    this.references = new References(plan);
    this.shared = sharedNames(changes);
    this.attached = separatelyAttached(plan.changes);
    const bothSides = (wanted: string) =>
      changes
        .flatMap(({ type, before, after }) => (type === wanted ? [before, after] : []))
        .filter((side) => side !== null);
    // Not by a name that two roles have: the policies of one must not hide a grant to the other.
    const isUnique = ({ name }: Attributes) => typeof name === "string" && !this.shared.has(name);
    this.rolesBefore = new Map(
      changes.flatMap(({ type, before }) =>
        type === "aws_iam_role" && before && isUnique(before) ? [[before.name, before] as const] : [],
      ),
    );
    this.inlinePolicies = new Set(bothSides("aws_iam_role_policy").map(({ role, name }) => attachmentId(role, name)));
    this.inlineBlocks = new Map(
      bothSides("aws_iam_role")
        .filter(isUnique)
        .flatMap(({ name, inline_policy: blocks }) =>
          (elements(blocks).filter(isMap) as Attributes[]).map(
            ({ name: policy, policy: document = null }) => [attachmentId(name, policy), document] as const,
          ),
        ),
    );
  }

  read(side: Side): PlannedIam {
    const iam: PlannedIam = {
      roles: new Map(),
      providers: new Map(),
      policies: new Map(),
      resourcePolicies: new Map(),
    };
    const present = this.changes.flatMap((change) => {
      const attributes = change.mode === "managed" ? attributesOf(change, side) : null;
      const listed = side === "before" && attributes === null ? this.policiesBefore(change) : attributes;
      return listed === null ? [] : [{ change, attributes: listed }];
    });
    // Policies first: attachments refer to them.
    for (const { change, attributes } of present.filter(({ change }) => change.type === "aws_iam_policy")) {
      const document = this.document(change, attributes, "policy");
      if (document) iam.policies.set(policyKey(change, side), document);
    }
    for (const { change, attributes } of present) this.add(iam, change, attributes, side);
    return iam;
  }

  /** What a new exclusive list would have contained: its creation removes the other policies that the role has. */
  private policiesBefore({ type, after }: ResourceChange): Attributes | null {
    const role = type.endsWith("_exclusive") ? this.rolesBefore.get(after?.role_name) : undefined;
    if (after === null || role === undefined) return null;
    const blocks = elements(role.inline_policy).filter(isMap) as Attributes[];
    const names = blocks.map(({ name = null }) => name);
    return { role_name: role.name ?? null, policy_arns: role.managed_policy_arns ?? [], policy_names: names };
  }

  /** The keys of the roles that a change is about. */
  rolesOf(change: ResourceChange): readonly string[] {
    return (["before", "after"] as const).flatMap((side) => {
      const attributes = attributesOf(change, side);
      return attributes === null ? [] : this.roleKeys(change, attributes, side);
    });
  }

  /** The keys of the customer managed policies that are attached to no role, before and after. */
  detachedPolicies(...sides: readonly PlannedIam[]): readonly string[] {
    const roles = sides.flatMap((iam) => [...iam.roles.values()]);
    const attached = new Set(roles.flatMap(({ policies }) => policies.map(({ document }) => document)));
    return this.changes
      .filter(({ type }) => type === "aws_iam_policy")
      .map((change) => policyKey(change, "before"))
      .filter((key) => !sides.some(({ policies }) => attached.has(policies.get(key) as Document)));
  }

  private roleKeys(change: ResourceChange, attributes: Attributes, side: Side): readonly string[] {
    if (change.type === "aws_iam_role") return [this.roleKey(change, side)];
    const attribute = ROLE_ATTRIBUTES.get(change.type);
    if (attribute === undefined) return [];
    const value = attributes[attribute] ?? null;
    const names = attribute === "roles" ? elements(value) : [value];
    return names.flatMap((name) => {
      if (typeof name === "string" && !this.shared.has(name)) return [name];
      // The references of the configuration lead to the role whose name is unknown or not unique.
      const roles = this.references.resolve(change, attribute).candidates.filter(({ type }) => type === "aws_iam_role");
      if (roles.length > 0) return roles.map((role) => this.roleKey(role, side));
      return [typeof name === "string" ? name : `of ${change.address} (name ${displayed(name)})`];
    });
  }

  private roleKey(role: ResourceChange, side: Side): string {
    const name = attributesOf(role, side)?.name ?? null;
    if (typeof name !== "string") return role.address;
    return this.shared.has(name) ? `${name} (${role.address})` : name;
  }

  private add(iam: PlannedIam, change: ResourceChange, attributes: Attributes, side: Side): void {
    const roles = this.roleKeys(change, attributes, side).map((name) => {
      const role = iam.roles.get(name) ?? { boundary: null, policies: [] };
      iam.roles.set(name, role);
      return role;
    });
    const attach = (...policies: readonly PolicySource[]) => {
      for (const role of roles) role.policies.push(...policies);
    };
    switch (change.type) {
      case "aws_iam_role":
        for (const role of roles) {
          role.trust = this.document(change, attributes, "assume_role_policy");
          role.boundary = attributes.permissions_boundary ?? null;
        }
        attach(...this.ownPolicies(iam, change, attributes, side));
        break;
      case "aws_iam_role_policy":
        attach(...inlinePolicy(attributes.name, this.document(change, attributes, "policy")));
        break;
      case "aws_iam_role_policy_attachment":
      case "aws_iam_policy_attachment":
        attach(this.managedPolicy(iam, change, attributes.policy_arn ?? null, "policy_arn"));
        break;
      case "aws_iam_role_policy_attachments_exclusive":
        attach(...elements(attributes.policy_arns).map((arn) => this.managedPolicy(iam, change, arn, "policy_arns")));
        break;
      case "aws_iam_openid_connect_provider":
        iam.providers.set(displayed(attributes.url ?? null).replace(/^https:\/\//, ""), {
          audiences: attributes.client_id_list ?? null,
          thumbprints: attributes.thumbprint_list ?? null,
        });
        break;
      case "aws_iam_role_policies_exclusive":
        attach(...this.listedInlinePolicies(attributes));
        break;
      case "aws_iam_policy":
        break;
      default: {
        const document = this.document(change, attributes, "policy");
        // An attribute named `policy` need not contain an IAM policy: unreadable ones count if the configuration sets them.
        const isSet = document?.unreadable !== undefined && this.references.sets(change, "policy");
        if (document && (isSet || document.statements.length > 0))
          iam.resourcePolicies.set(change.address, { type: change.type, document });
      }
    }
  }

  /**
   * The policies that a role's own change attaches or detaches. The provider also lists policies attached by other
   * resources: those that are on both sides, or that other resources attach, do not count.
   */
  private ownPolicies(iam: PlannedIam, change: ResourceChange, attributes: Attributes, side: Side): PolicySource[] {
    const other = attributesOf(change, side === "before" ? "after" : "before");
    const own = (attribute: string): readonly Value[] => {
      const [value, otherValue] = [attributes[attribute], other?.[attribute]];
      const isHidden = value instanceof Hidden || otherValue instanceof Hidden;
      if (isHidden && !this.references.sets(change, attribute)) return [];
      if (value instanceof Hidden) return [value];
      return elements(value).filter(
        (each) =>
          !elements(otherValue).some((twin) => same(twin, each)) &&
          !this.attached.has(attachmentId(attributes.name, isMap(each) ? each.name : each)),
      );
    };
    return [
      ...own("managed_policy_arns").map((arn) => this.managedPolicy(iam, change, arn, "managed_policy_arns")),
      ...own("inline_policy").flatMap((block) => {
        const { name, policy } = isMap(block) ? (block as Attributes) : { name: block, policy: block };
        return inlinePolicy(name, readDocument(policy));
      }),
    ];
  }

  /** The inline policies that an exclusive list names and no resource of their own writes. */
  private listedInlinePolicies({ role_name: role = null, policy_names: names }: Attributes): PolicySource[] {
    return elements(names).flatMap((name) => {
      const id = attachmentId(role, name);
      if (this.inlinePolicies.has(id) && !(typeof role === "string" && this.shared.has(role))) return [];
      const unreadable = "its content is not in the plan";
      const document = readDocument(this.inlineBlocks.get(id)) ?? { statements: [], unreadable, source: name };
      return inlinePolicy(name, document);
    });
  }

  private managedPolicy(iam: PlannedIam, change: ResourceChange, arn: Value, attribute: string): PolicySource {
    if (typeof arn === "string") {
      const document = iam.policies.get(arn);
      return document
        ? { source: richText`policy ${arn}`, document }
        : { source: richText`managed policy ${arn}`, arn };
    }
    const policy = this.onlyReference(change, attribute, "managed", "aws_iam_policy");
    const document = policy && iam.policies.get(policyKey(policy, "after"));
    if (document) return { source: richText`policy ${displayed(policy.after?.name ?? policy.address)}`, document };
    const source = richText`a managed policy of ${change.address}`;
    return { source, document: { statements: [], unreadable: displayed(arn), source: arn } };
  }

  /** The policy in an attribute. If it is unknown, it is read from the data source that generates it. */
  private document(change: ResourceChange, attributes: Attributes, attribute: string): Document | undefined {
    const value = attributes[attribute];
    if (!isUnknown(value)) return readDocument(value);
    const source = this.onlyReference(change, attribute, "data", "aws_iam_policy_document");
    return source?.after ? documentOfDataSource(source.address, source.after) : readDocument(value);
  }

  /** The resource or data source that an attribute refers to, unless it refers to several. */
  private onlyReference(change: ResourceChange, attribute: string, mode: string, type: string) {
    const found = this.references
      .resolve(change, attribute)
      .candidates.filter((each) => each.mode === mode && each.type === type);
    return found.length === 1 ? found[0] : undefined;
  }
}

function inlinePolicy(name: Value = null, document: Document | undefined): PolicySource[] {
  return document ? [{ source: richText`inline policy ${displayed(name)}`, document }] : [];
}

/**
 * The attributes on one side. Forgotten resources remain in AWS, and so do the attachments of an exclusive list that is
 * destroyed.
 */
function attributesOf({ action, type, before, after }: ResourceChange, side: Side): Attributes | null {
  const remains = action === "forget" || (action === "destroy" && type.endsWith("_exclusive"));
  return side === "before" || remains ? before : after;
}

function policyKey(policy: ResourceChange, side: Side): string {
  const arn = attributesOf(policy, side)?.arn;
  return typeof arn === "string" ? arn : policy.address;
}

/** The policies that resources of their own attach to roles, before the plan is applied; see {@link attachmentId}. */
export function separatelyAttached(changes: readonly ResourceChange[]): ReadonlySet<string> {
  return new Set(
    changes.flatMap(({ type, before }) => {
      if (type === "aws_iam_role_policy") return [attachmentId(before?.role, before?.name)];
      return type === "aws_iam_role_policy_attachment" ? [attachmentId(before?.role, before?.policy_arn)] : [];
    }),
  );
}

/** Identifies a policy of a role: a managed policy by its ARN, an inline policy by its name. */
export const attachmentId = (role: unknown, policy: unknown) => JSON.stringify([role, policy]);

/** The names that two roles have on one side: a plan can contain roles of two accounts. */
function sharedNames(changes: readonly ResourceChange[]): ReadonlySet<string> {
  const roles = changes.filter(
    ({ type, mode, deposedKey }) => type === "aws_iam_role" && mode === "managed" && deposedKey === undefined,
  );
  const repeated = (["before", "after"] as const).flatMap((side) => {
    const names = roles.map((role) => attributesOf(role, side)?.name).filter((name) => typeof name === "string");
    return [...groupBy(names, (name) => name)].flatMap(([name, { length }]) => (length > 1 ? [name] : []));
  });
  return new Set(repeated);
}
