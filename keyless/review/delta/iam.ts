import { groupBy } from "../../group-by";
import type { References } from "../../plan/references";
import type { Plan, ResourceChange } from "../../plan/schema";
import { displayed, elements, Hidden, isMap, isUnknown, same, UNKNOWN, type Value } from "../../plan/value";
import { knownRoles, type RoleKnowledge } from "../../policy/administrator";
import { type RichText, renderRichText, richText } from "../rich-text";
import { anyOfDocuments, type Document, documentOfDataSource, readDocument } from "./documents";
import { type Attributes, attributesOf, concernsIdentities, IDENTITY_TYPES, Identities, type Side } from "./identities";

/** A policy of a role or of another resource. */
export interface PolicySource {
  /** What contains the policy, e.g. `inline policy publish`. */
  readonly source: RichText;
  /** The ARN of a managed policy whose document is not in the plan. */
  readonly arn?: string;
  readonly document?: Document;
}

/** A role, a user or a group on one side of a plan, as far as the plan contains it. */
export interface PlannedIdentity {
  /** Whether the plan contains the identity itself, not only its policies. */
  exists: boolean;
  /** The trust policy of a role. */
  trust?: Document;
  boundary: Value;
  /** The boundary as a policy. Absent without a boundary. */
  boundaryPolicy?: PolicySource;
  /** In seconds; null for the default. */
  session: Value;
  readonly policies: PolicySource[];
  /** The names of the groups of a user. */
  readonly groups: Set<string>;
}

/** An OIDC provider on one side of a plan. */
export interface PlannedProvider {
  readonly audiences: Value;
  readonly thumbprints: Value;
}

/** IAM on one side of a plan. */
export interface PlannedIam {
  /** By kind and name, e.g. `role deploy`. */
  readonly identities: Map<string, PlannedIdentity>;
  /** By URL without `https://`; the key contains the address if two have it. */
  readonly providers: Map<string, PlannedProvider>;
  /** Customer managed policies by ARN, or by address while the ARN is unknown. */
  readonly policies: Map<string, Document>;
}

const PROVIDER = "aws_iam_openid_connect_provider";
const POLICY = "aws_iam_policy";

/** Whether {@link IamChanges} reads resources of a type. */
export function isIamType(type: string): boolean {
  return concernsIdentities(type) || type === PROVIDER || type === POLICY;
}

/** Reads IAM before and after a list of changes: a plan's own, or its drift. */
export class IamChanges {
  private readonly identities: Identities;
  private readonly sharedUrls: ReadonlySet<string>;
  private readonly attached: ReadonlySet<string>;
  /** The inline policies of roles that are resources, before or after. */
  private readonly inlinePolicies: ReadonlySet<string>;
  /** The inline policies that roles list, before or after. */
  private readonly inlineBlocks: ReadonlyMap<string, Value>;
  /** By name. */
  private readonly rolesBefore: ReadonlyMap<Value | undefined, Attributes>;

  constructor(
    private readonly changes: readonly ResourceChange[],
    private readonly plan: Plan,
    private readonly references: References,
  ) {
    this.identities = new Identities(changes, references, plan.severalAccounts);
    this.attached = separatelyAttached(plan.changes);
    const providers = changes.filter(({ type, mode }) => type === PROVIDER && mode === "managed");
    this.sharedUrls = new Set([...groupBy(providers, urlOf)].flatMap(([url, { length }]) => (length > 1 ? [url] : [])));
    const bothSides = (wanted: string) =>
      changes
        .flatMap(({ type, before, after }) => (type === wanted ? [before, after] : []))
        .filter((side) => side !== null);
    // Not by a name that two roles have: the policies of one must not hide a grant to the other.
    const isUnique = ({ name }: Attributes) => typeof name === "string" && !this.identities.isShared("role", name);
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
    const iam: PlannedIam = { identities: new Map(), providers: new Map(), policies: new Map() };
    const present = this.changes.flatMap((change) => {
      const attributes = change.mode === "managed" ? attributesOf(change, side) : null;
      const listed = side === "before" && attributes === null ? this.policiesBefore(change) : attributes;
      return listed === null ? [] : [{ change, attributes: listed }];
    });
    // Policies first: attachments refer to them.
    for (const { change, attributes } of present.filter(({ change }) => change.type === POLICY)) {
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

  /**
   * Which roles of the plan are administrators after it. The role itself lists all its policies, also those that no
   * resource of the plan attaches; a role that is created has no others.
   */
  roleKnowledge(after: PlannedIam): RoleKnowledge {
    const known = this.changes.flatMap((change) => {
      const { name, arn } = change.after ?? {};
      const isRole = change.type === "aws_iam_role" && change.mode === "managed" && change.deposedKey === undefined;
      const identity = after.identities.get(`role ${name}`);
      if (!isRole || identity === undefined || typeof name !== "string" || this.identities.isShared("role", name))
        return [];
      const policies = [...identity.policies, ...this.policiesOnRole(after, change)].map(
        ({ arn: managed, document }) =>
          document?.unreadable === undefined && document ? document.statements : { name: managed ?? "" },
      );
      return [{ name, isNew: typeof arn !== "string", arn: typeof arn === "string" ? arn : change.address, policies }];
    });
    const verdict = knownRoles(known);
    return (pattern, action) => {
      // Only roles of the own account can be passed, and in an account a name is unique.
      const isOwn = action === "iam:PassRole" && !this.plan.severalAccounts;
      const isNamed = (name: string) => isOwn && resourceName(pattern) === name;
      const role = known.find(({ arn, isNew, name }) => (isNew ? isNamed(name) : arn === pattern));
      return role === undefined ? "unknown" : verdict(role.arn, action);
    };
  }

  /** The policies that an existing role lists. */
  private policiesOnRole(iam: PlannedIam, change: ResourceChange): readonly PolicySource[] {
    const { action, after } = change;
    if (after === null || action === "create" || action === "replace") return [];
    return [
      ...elements(after.managed_policy_arns ?? UNKNOWN).map((arn) =>
        this.managedPolicy(iam, change, arn, "managed_policy_arns"),
      ),
      ...elements(after.inline_policy ?? UNKNOWN).flatMap((block) =>
        inlinePolicy(null, readDocument(isMap(block) ? ((block as Attributes).policy ?? null) : block)),
      ),
    ];
  }

  /** The names of the roles that a change is or can be about. */
  rolesOf(change: ResourceChange): readonly string[] {
    return (["before", "after"] as const).flatMap((side) => {
      const attributes = attributesOf(change, side);
      const named = attributes === null ? [] : this.identities.named(change, attributes, side);
      return named.filter(({ kind }) => kind === "role").flatMap(({ candidates }) => candidates);
    });
  }

  /** The keys of the customer managed policies that are attached to no identity, before and after. */
  detachedPolicies(...sides: readonly PlannedIam[]): readonly string[] {
    const identities = sides.flatMap((iam) => [...iam.identities.values()]);
    const attached = new Set(identities.flatMap(({ policies }) => policies.map(({ document }) => document)));
    return this.changes
      .filter(({ type }) => type === POLICY)
      .map((change) => policyKey(change, "before"))
      .filter((key) => !sides.some(({ policies }) => attached.has(policies.get(key) as Document)));
  }

  private add(iam: PlannedIam, change: ResourceChange, attributes: Attributes, side: Side): void {
    const identities = this.identities.named(change, attributes, side).map(({ kind, name }) => {
      const key = `${kind} ${name}`;
      const identity = iam.identities.get(key) ?? newIdentity();
      iam.identities.set(key, identity);
      return identity;
    });
    const attach = (...policies: readonly PolicySource[]) => {
      for (const { policies: all } of identities) all.push(...policies);
    };
    const { type } = change;
    if (type === PROVIDER) {
      const url = urlOf(change);
      iam.providers.set(this.sharedUrls.has(url) ? `${url} (${change.address})` : url, {
        audiences: attributes.client_id_list ?? null,
        thumbprints: attributes.thumbprint_list ?? null,
      });
    } else if (IDENTITY_TYPES.has(type)) {
      for (const identity of identities) {
        identity.exists = true;
        identity.trust = this.document(change, attributes, "assume_role_policy");
        identity.boundary = attributes.permissions_boundary || null;
        identity.session = attributes.max_session_duration ?? null;
        if (identity.boundary)
          identity.boundaryPolicy = this.managedPolicy(iam, change, identity.boundary, "permissions_boundary");
      }
      attach(...this.ownPolicies(iam, change, attributes, side));
    } else if (type.endsWith("_policy_attachment")) {
      attach(this.managedPolicy(iam, change, attributes.policy_arn ?? null, "policy_arn"));
    } else if (type.endsWith("_policy_attachments_exclusive")) {
      attach(...this.listedPolicies(iam, change, elements(attributes.policy_arns)));
    } else if (type.endsWith("_policies_exclusive")) {
      attach(...this.listedInlinePolicies(attributes));
    } else if (type.endsWith("_membership")) {
      const attribute = type === "aws_iam_group_membership" ? "group" : "groups";
      const groups = this.identities.namesIn(change, attributes, ["group", attribute], side);
      for (const user of identities) for (const { name } of groups) user.groups.add(name);
    } else if (concernsIdentities(type)) {
      attach(...inlinePolicy(attributes.name, this.document(change, attributes, "policy")));
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
      // The provider computes both for a new role. For another one, a `dynamic` block sets them.
      if (isHidden && change.action !== "update" && !this.references.sets(change, attribute)) return [];
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
  private listedInlinePolicies(attributes: Attributes): PolicySource[] {
    const role = attributes.role_name ?? null;
    return elements(attributes.policy_names).flatMap((name) => {
      const id = attachmentId(role, name);
      if (this.inlinePolicies.has(id) && !this.identities.isShared("role", role)) return [];
      const unreadable = "its content is not in the plan";
      const document = readDocument(this.inlineBlocks.get(id)) ?? { statements: [], unreadable, source: name };
      return inlinePolicy(name, document);
    });
  }

  /** The managed policies that an exclusive list names. */
  private listedPolicies(iam: PlannedIam, change: ResourceChange, arns: readonly Value[]): PolicySource[] {
    const unknown = arns.filter((arn) => arn instanceof Hidden);
    const { policies, complete } = this.referredPolicies(iam, change, "policy_arns");
    // Each unknown element is one of the policies: if there are as many, all are attached.
    const areAll = complete && unknown.length === policies.length;
    return [
      ...arns
        .filter((arn) => !areAll || !(arn instanceof Hidden))
        .map((arn) => this.managedPolicy(iam, change, arn, "policy_arns")),
      ...(areAll ? policies : []),
    ];
  }

  private managedPolicy(iam: PlannedIam, change: ResourceChange, arn: Value, attribute: string): PolicySource {
    if (typeof arn === "string") {
      const document = iam.policies.get(arn);
      return document
        ? { source: richText`policy ${arn}`, document }
        : { source: richText`managed policy ${arn}`, arn };
    }
    const { policies, complete } = this.referredPolicies(iam, change, attribute);
    const [policy] = policies;
    if (policy && complete && policies.length === 1) return policy;
    const source = richText`a managed policy of ${change.address}`;
    if (policies.length === 0) return { source, document: { statements: [], unreadable: displayed(arn), source: arn } };
    const documents = policies.flatMap(({ document }) => document ?? []);
    const names = policies.map((each) => renderRichText(each.source));
    return { source, document: anyOfDocuments(documents, names, complete) };
  }

  /** The customer managed policies of the plan that an attribute refers to, with their documents. */
  private referredPolicies(iam: PlannedIam, change: ResourceChange, attribute: string) {
    const { candidates, complete } = this.references.resolve(change, attribute);
    const policies = candidates
      .filter(({ mode, type }) => mode === "managed" && type === POLICY)
      .flatMap((policy) => {
        const document = iam.policies.get(policyKey(policy, "after"));
        const name = displayed(policy.after?.name ?? policy.address);
        return document ? [{ source: richText`policy ${name}`, document }] : [];
      });
    return { policies, complete: complete && policies.length === candidates.length };
  }

  /** The policy in an attribute. If it is unknown, it is read from the data sources that generate it. */
  document(change: ResourceChange, attributes: Attributes, attribute: string): Document | undefined {
    const value = attributes[attribute];
    if (!isUnknown(value)) return readDocument(value);
    const { candidates, complete } = this.references.resolve(change, attribute);
    const sources = candidates.filter(({ mode, type }) => mode === "data" && type === "aws_iam_policy_document");
    const documents = sources.flatMap(({ address, after }) => (after ? documentOfDataSource(address, after) : []));
    if (documents.length === 0 || documents.length < sources.length) return readDocument(value);
    const names = sources.map(({ address }) => address);
    const areAll = complete && sources.length === candidates.length;
    return documents.length === 1 && areAll ? documents[0] : anyOfDocuments(documents, names, areAll);
  }
}

/** The name of the only role that an ARN pattern matches. */
function resourceName(pattern: string): string | undefined {
  return /^arn:[\w-]+:iam::\d{12}:role\/(?:[^*?$]+\/)?([^*?$/]+)$/.exec(pattern)?.[1];
}

const newIdentity = (): PlannedIdentity => ({
  exists: false,
  boundary: null,
  session: null,
  policies: [],
  groups: new Set(),
});

function urlOf({ before, after }: ResourceChange): string {
  return displayed((after ?? before)?.url ?? null).replace(/^https:\/\//, "");
}

function inlinePolicy(name: Value = null, document: Document | undefined): PolicySource[] {
  return document ? [{ source: richText`inline policy ${displayed(name)}`, document }] : [];
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
