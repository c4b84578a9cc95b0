import type { References } from "../../plan/references";
import type { ResourceChange } from "../../plan/schema";
import { displayed, Hidden, isMap, isUnknown, same, type Value } from "../../plan/value";
import { grantsAdministrator, type RoleKnowledge } from "../../policy/administrator";
import { accountOf } from "../../policy/principals";
import {
  type AccessType,
  accessTypeOf,
  canGrantAccess,
  flattened,
  type PublicSetting,
  plainPath,
  valuesAt,
} from "../access-types";
import { type RichText, richText } from "../rich-text";
import {
  type Document,
  documentOfGrants,
  type Grant,
  inOneLine,
  type PlannedPrincipal,
  readDocument,
} from "./documents";
import { type AccessFinding, accessFinding, type FindingKind, notAssessed } from "./finding";
import { isGuardrail } from "./guardrails";
import { isIamType, type PolicySource } from "./iam";
import { type Attributes, alternatives, attributesOf, type Side } from "./identities";
import { permissionDelta } from "./permissions";

const REGISTRY = "registry\\.(?:terraform\\.io|opentofu\\.org)/hashicorp";

/** Providers whose resources are not in AWS and cannot reach it. */
const LOCAL_PROVIDER = new RegExp(
  `^(${REGISTRY}/(archive|local|null|random|time|tls)|terraform\\.io/builtin/terraform)$`,
);
/** Without a name, the type decides. */
const AWS_PROVIDER = new RegExp(`^(${REGISTRY}/aws)?$`);

/** Attributes that never affect access. */
const HARMLESS = /^(tags(_all)?|description|comment|timeouts|triggers|wait_for_.*|force_(destroy|delete))$/;

/** What the rest of the plan says about the values of a resource. */
interface Surroundings {
  /** Reads the policy in an attribute; resolves one that is known after apply. */
  readonly readDocument: (change: ResourceChange, attributes: Attributes, attribute: string) => Document | undefined;
  /** Which roles are administrators, for policies that assume or pass one. Default: unknown. */
  readonly roles?: RoleKnowledge;
  /** Whether the plan can be of several accounts. */
  readonly severalAccounts: boolean;
  /** The accounts of the resources whose ARNs are in the plan. */
  readonly accounts: readonly string[];
  /** Whether the plan makes a role an administrator, by its name. */
  readonly isAdministrator: (role: string) => boolean;
  /** The types of the resources that the plan destroys, by their ids, ARNs and names. */
  readonly destroyed: ReadonlyMap<Value, ReadonlySet<string>>;
}

/**
 * {@link Surroundings.destroyed} of a list of changes. In a plan of several accounts, only ARNs identify a resource.
 */
export function destroyedResources(
  changes: readonly ResourceChange[],
  severalAccounts: boolean,
): ReadonlyMap<Value, ReadonlySet<string>> {
  const destroyed = new Map<Value, Set<string>>();
  for (const { type, action, before, deposedKey } of changes) {
    if (action !== "destroy" || deposedKey !== undefined) continue;
    for (const name of ["id", "arn", "name", "bucket", "url"]) {
      const value = before?.[name] ?? null;
      if (typeof value === "string" && (!severalAccounts || value.startsWith("arn:")))
        destroyed.set(value, (destroyed.get(value) ?? new Set<string>()).add(type));
    }
  }
  return destroyed;
}

/** {@link Surroundings.accounts} of a list of changes. */
export function accountsOf(changes: readonly ResourceChange[]): readonly string[] {
  // Of some types, `arn` names the destination.
  const own = changes.filter(
    ({ mode, type }) => mode === "managed" && accessTypeOf(type)?.destinations.includes("arn") !== true,
  );
  const arns = own.flatMap(({ before, after }) => [before?.arn, after?.arn]);
  return [...new Set(arns.flatMap((arn) => (typeof arn === "string" ? (accountOf(arn) ?? []) : [])))];
}

/**
 * The access that the change of a resource grants and revokes, by the table of access types. What the table does not
 * contain, and what runs code or templates, is not assessed.
 */
export function resourceDelta(
  change: ResourceChange,
  references: References,
  surroundings: Surroundings,
): readonly AccessFinding[] {
  const { address, type, action, providerName } = change;
  if (change.mode !== "managed" || ["no-op", "read", "forget"].includes(action)) return [];
  const because = (reason: RichText, effect?: "none") =>
    notAssessed(address, richText`${[action]} of ${type}: ${reason}`, effect);
  const provisioner = change.provisioners ? [because(["its provisioners run commands"])] : [];
  if (LOCAL_PROVIDER.test(providerName))
    return provisioner.length > 0 ? provisioner : [because(["not a resource of AWS"], "none")];
  if (!AWS_PROVIDER.test(providerName)) return [because(richText`this review does not know provider ${providerName}`)];
  // They are compared by identity, not by resource.
  if (isIamType(type)) return provisioner;
  const row = accessTypeOf(type);
  if (row === undefined) return [because(["this review does not know the type"])];
  if (!canGrantAccess(row)) return provisioner;
  const resource = new AccessResource(change, row, references, surroundings);
  const findings = resource.findings();
  const isOpaque = row.executes || (findings.length === 0 && resource.isChanged() && !resource.isReadable());
  return [...provisioner, ...findings, ...(isOpaque && resource.isChanged() ? [because(opaqueReason(row))] : [])];
}

function opaqueReason({ executes, actions }: AccessType): RichText {
  if (executes) return ["it creates resources or runs operations that are not in the plan"];
  const operations = actions.length > 0 ? richText`performs ${actions.join(", ")}` : ["can grant access"];
  return richText`it ${operations}, which this review does not evaluate`;
}

class AccessResource {
  private readonly before: Attributes | null;
  private readonly after: Attributes | null;

  constructor(
    private readonly change: ResourceChange,
    private readonly type: AccessType,
    private readonly references: References,
    private readonly surroundings: Surroundings,
  ) {
    this.before = attributesOf(change, "before");
    this.after = attributesOf(change, "after");
  }

  /** Whether an attribute changes that can affect access. */
  isChanged(): boolean {
    const { before, after } = this;
    if (before === null || after === null) return true;
    return Object.keys({ ...before, ...after }).some((name) => {
      if (HARMLESS.test(name) || (isUnknown(after[name]) && !this.references.sets(this.change, name))) return false;
      return !same(before[name] ?? null, after[name] ?? null);
    });
  }

  /** Whether all that the type grants is in attributes which this review evaluates. */
  isReadable(): boolean {
    const { policies, attachments, principals, acls, roles, carriers, destinations } = this.type;
    const { sessions, exposures, rules, limits } = this.type;
    const found = [policies, attachments, principals, acls, roles, carriers, destinations];
    const evaluated = [...found, sessions, exposures, rules, limits];
    return evaluated.some(({ length }) => length > 0) || this.type.credential || this.type.restricts;
  }

  findings(): readonly AccessFinding[] {
    const { type } = this;
    if (type.credential) return this.credentialFindings();
    if (type.restricts) return this.isGone() ? [] : this.restrictionFindings();
    const findings = [
      ...type.policies.flatMap((path) => this.policyFindings(path)),
      ...this.grantFindings(),
      ...(type.principals.length > 0
        ? []
        : this.setFindings(type.attachments, ["permission-granted", "permission-revoked"])),
      ...(this.namesPrincipals() ? [] : type.grants.flatMap((path) => this.ruleFindings(path))),
      ...this.setFindings(type.roles, ["role-passed", "role-withdrawn"]),
      ...type.carriers.flatMap((path) => this.carrierFindings(path)),
      ...type.destinations.flatMap((path) => this.destinationFindings(path)),
      ...this.limitFindings(),
      ...type.sessions.flatMap((path) => this.sessionFindings(path)),
      ...type.exposures.flatMap((exposure) => this.exposureFindings(exposure)),
      ...type.rules.flatMap((path) => this.ruleFindings(path)),
    ];
    // Without the resource, neither its policy nor its settings deny anything.
    return this.isGone() ? findings.filter(({ effect }) => effect === "loss") : findings;
  }

  /** Whether the resource is destroyed together with what it grants access to. */
  private isGone(): boolean {
    const remains = this.type.restricts || this.isAttachment();
    return this.after === null && (!remains || this.isOwnerDestroyed());
  }

  private isOwnerDestroyed(): boolean {
    const { type } = this.change;
    return Object.values(this.before ?? {}).some((value) =>
      [...(this.surroundings.destroyed.get(value) ?? [])].some(
        (owner) => type !== owner && type.startsWith(`${owner}_`),
      ),
    );
  }

  /**
   * Whether the resource is a part of another one, which remains when it is destroyed: the policy of a bucket, its ACL.
   * Its type begins with the type of the other one, or ends like a part.
   */
  private isAttachment(): boolean {
    const words = this.change.type.split("_");
    const owners = words.slice(3).map((_, index) => words.slice(0, index + 3).join("_"));
    const isPart = /_(policy|policies|permissions?|acl|grant|block|attachment)$/.test(this.change.type);
    return isPart || owners.some((owner) => accessTypeOf(owner) !== undefined);
  }

  private finding(kind: FindingKind, what: RichText, administrator = false): AccessFinding {
    return accessFinding(this.change.address, kind, what, { administrator });
  }

  /** The values at a path. A value that Terraform computes, because the configuration does not set it, is left out. */
  private values(path: string, side: Side): readonly Value[] {
    const attributes = this[side];
    if (attributes === null) return [];
    const [name = ""] = path.split(".", 1);
    // A `dynamic` block is not in the configuration, but its blocks are in the plan.
    const isDynamic = !isUnknown(attributes[name]) && !this.references.sets(this.change, name);
    const block = path.slice(0, Math.max(0, path.lastIndexOf(".")));
    const isComputed =
      this.type.computed.includes(path) || (block !== "" && valuesAt(attributes, block).some(isUnknown));
    const isSet =
      isDynamic ||
      !isComputed ||
      !this.references.contains(this.change) ||
      this.references.sets(this.change, plainPath(path));
    return valuesAt(attributes, path).filter((value) => isSet || !isUnknown(value));
  }

  private policyFindings(path: string): readonly AccessFinding[] {
    const [was, is] = this.valuesOfSides(path);
    const { roles } = this.surroundings;
    return permissionDelta(this.change.address, this.documentsOf(path, was), this.documentsOf(path, is), roles);
  }

  /** What is granted by naming principals: each grant is one statement. */
  private grantFindings(): readonly AccessFinding[] {
    const { limits, acls, attachments } = this.type;
    const isInAcl = (path: string) => acls.some((acl) => path === acl || path.startsWith(`${acl}.`));
    const [principals, grants] = [this.type.principals, this.type.grants].map((paths) =>
      paths.filter((path) => !isInAcl(path)),
    ) as [string[], string[]];
    const source = (side: Side): PolicySource[] => {
      const attributes = this[side];
      if (attributes === null) return [];
      const values = (paths: readonly string[]) =>
        paths.flatMap((path) => this.values(path, side).map((value) => [path, value] as const));
      const granted = values([...grants, ...attachments]).map(([, value]) => value);
      const list = [
        ...values(principals).map(([path, value]) => ({
          principals: [principalOf(path, value)],
          actions: granted.length > 0 ? granted : [this.operation()],
          resources: [this.target(attributes)],
          limits: values(limits),
        })),
        // The ACL of a resource that is destroyed is that of its owner.
        ...(this.after === null ? [] : values(acls)).flatMap(([, value]) =>
          grantsOfAcl(value).map((grant) => ({ ...grant, resources: [this.target(attributes)], limits: [] })),
        ),
      ];
      return list.length > 0 ? [{ source: ["its attributes"], document: documentOfGrants(list, null) }] : [];
    };
    const attached = attachments.flatMap((path) => this.values(path, "after"));
    const isAdministrator = attached.some(
      (arn) => typeof arn === "string" && grantsAdministrator({ name: arn }) === "yes",
    );
    return permissionDelta(this.change.address, source("before"), source("after")).map((each) =>
      each.effect === "gain" && isAdministrator ? { ...each, administrator: true } : each,
    );
  }

  /** Whether the resource names who is granted what it grants. */
  private namesPrincipals(): boolean {
    const { principals, acls } = this.type;
    const isNamed = (path: string) => this.valuesOfSides(path).some(({ length }) => length > 0);
    return [...principals, ...acls].some(isNamed);
  }

  /** What the principals of the resource may do, if its attributes do not state it. */
  private operation(): string {
    const { actions } = this.type;
    return `access by ${actions.length > 0 ? actions.join(", ") : this.change.type}`;
  }

  /** The resource that is shared, e.g. the name of a function. */
  private target(attributes: Attributes): Value {
    const { principals, grants, limits, attachments } = this.type;
    const others = new Set([...principals, ...grants, ...limits, ...attachments, "id", "statement_id", "arn"]);
    const names = Object.keys(attributes).filter(
      (name) =>
        !others.has(name) && typeof attributes[name] === "string" && /(^|_)(name|id|arn|identifier|bucket)$/.test(name),
    );
    return attributes[names.find((name) => !/account|region/.test(name)) ?? ""] ?? this.change.address;
  }

  /** The values that are added to and removed from a set. */
  private setFindings(
    paths: readonly string[],
    [added, removed]: readonly [FindingKind, FindingKind],
  ): readonly AccessFinding[] {
    return paths.flatMap((path) => {
      const [was, is] = [this.values(path, "before"), this.values(path, "after")];
      const rest = (some: readonly Value[], others: readonly Value[]) =>
        some.filter((value) => isPresent(value) && (isUnknown(value) || !others.some((other) => same(value, other))));
      const describe = (value: Value) =>
        richText`${[path]} ${inOneLine(value)}${isUnknown(value) ? this.describeOrigins(path) : []}`;
      return [
        ...rest(is, was).map((value) => this.finding(added, describe(value), this.isAdministrator(value, path))),
        ...rest(was, is).map((value) => this.finding(removed, describe(value))),
      ];
    });
  }

  /** Whether a value is the ARN of an administrator's policy, or names a role that the plan makes an administrator. */
  private isAdministrator(value: Value, path: string): boolean {
    if (!isUnknown(value)) {
      const text = inOneLine(value);
      const role = text.split("/").at(-1) ?? text;
      return grantsAdministrator({ name: text }) === "yes" || this.surroundings.isAdministrator(role);
    }
    const roles = this.origins(path).filter(({ type }) => type === "aws_iam_role");
    return roles.some(({ after, address }) => {
      const name = after?.name;
      return this.surroundings.isAdministrator(typeof name === "string" ? name : address);
    });
  }

  /** The resources from which an unknown value is computed. */
  private origins(path: string): readonly ResourceChange[] {
    const { candidates } = this.references.resolve(this.change, path.split(".", 1)[0] ?? "");
    return candidates.filter(({ mode }) => mode === "managed");
  }

  private describeOrigins(path: string): RichText {
    const addresses = this.origins(path).map(({ address }) => address);
    return addresses.length === 0 ? [] : richText` of ${alternatives(addresses, true)}`;
  }

  /** Compute with another launch template or task definition, not with another version of the same, has another role. */
  private carrierFindings(path: string): readonly AccessFinding[] {
    const [was, is] = this.valuesOfSides(path);
    const carriers = this.origins(path);
    const known = was.map(carrierName);
    return is.flatMap((value) => {
      const names = isUnknown(value)
        ? carriers.flatMap(({ before, after }) =>
            [before, after].flatMap((each) => [each?.family, each?.name, each?.id]),
          )
        : [carrierName(value)];
      if (names.some((name) => typeof name === "string" && known.includes(name))) return [];
      if (carriers.length === 0)
        return [
          notAssessed(this.change.address, richText`the role of its ${path} ${displayed(value)} is not in the plan`),
        ];
      const from = alternatives(
        carriers.map(({ address }) => address),
        true,
      );
      return carriers.some(hasRole) ? [this.finding("role-passed", richText`the role of ${[path]} ${from}`)] : [];
    });
  }

  /** Data that is delivered to another account, or to a URL. */
  private destinationFindings(path: string): readonly AccessFinding[] {
    const [was, is] = this.valuesOfSides(path);
    const added = is.filter((value) => !was.some((other) => same(other, value)));
    const { severalAccounts, accounts } = this.surroundings;
    return added.flatMap((value) => {
      const what = richText`${[path]} ${inOneLine(value)}`;
      const uncertain = notAssessed(this.change.address, richText`${what} can be in another account`);
      if (value instanceof Hidden) return severalAccounts || this.origins(path).length === 0 ? [uncertain] : [];
      const text = displayed(value);
      const account = accountOf(text);
      // The ARN of a bucket has no account, and neither has an e-mail address.
      if (account === undefined) return /^https?:/.test(text) ? [this.finding("exposure-widened", what)] : [];
      const nearby = [this.after, this.before].flatMap((attributes) => accountsIn(attributes, text));
      const own = nearby.length > 0 || severalAccounts ? nearby : accounts;
      if (own.includes(account)) return [];
      return [own.length > 0 ? this.finding("exposure-widened", what) : uncertain];
    });
  }

  /** Policies and settings that limit what others grant. */
  private limitFindings(): readonly AccessFinding[] {
    const attributes = this.after ?? this.before ?? {};
    // A limit of a grant is a condition of the grant, and compared with it.
    if (this.type.principals.some((path) => this.values(path, "after").some(isPresent))) return [];
    if (this.isGone() || (this.change.type === "aws_organizations_policy" && !isGuardrail(attributes))) return [];
    return this.type.limits.flatMap((path) => this.limitsAt(path));
  }

  private limitsAt(path: string): readonly AccessFinding[] {
    const [was, is] = this.valuesOfSides(path);
    const rest = (some: readonly Value[], others: readonly Value[]) =>
      some.filter((value) => isUnknown(value) || !others.some((other) => same(value, other)));
    const [removed, added] = [rest(was, is), rest(is, was)];
    if (added.length === 0)
      return removed.length > 0 ? [this.finding("guardrail-removed", describeValues(path, removed))] : [];
    if (removed.length === 0) return [this.finding("guardrail-set", describeValues(path, added))];
    return permissionDelta(this.change.address, this.documentsOf(path, was), this.documentsOf(path, is));
  }

  private documentsOf(path: string, values: readonly Value[]): PolicySource[] {
    return values.flatMap((value) => {
      const document = this.surroundings.readDocument(this.change, { [path]: value }, path);
      return document ? [{ source: path === "policy" ? ["its policy"] : richText`its ${[path]}`, document }] : [];
    });
  }

  private valuesOfSides(path: string): readonly [before: readonly Value[], after: readonly Value[]] {
    return [this.values(path, "before").filter(isPresent), this.values(path, "after").filter(isPresent)];
  }

  private sessionFindings(path: string): readonly AccessFinding[] {
    if (this.before === null || this.after === null) return [];
    return sessionDelta(
      this.change.address,
      this.values(path, "before")[0] ?? null,
      this.values(path, "after")[0] ?? null,
    );
  }

  private exposureFindings({ path, open }: PublicSetting): readonly AccessFinding[] {
    // A setting of another resource is as if it were not set while it has no resource of its own.
    const absent = this.isAttachment() && open.includes(null) ? [null] : [];
    const [was, is] = (["before", "after"] as const).map((side) =>
      this[side] === null ? absent : this.settings(path, side),
    ) as [readonly Value[], readonly Value[]];
    const isOpen = (value: Value) => value instanceof Hidden || open.includes(value as string | boolean | null);
    const [wasOpen, isNowOpen] = [was.filter(isOpen), is.filter(isOpen)];
    const show = (value: Value = null) => (isPresent(value) ? displayed(value) : "not set");
    if (isNowOpen.length > wasOpen.length) {
      // What a new resource leaves open by default is no setting.
      const [value = null] = isNowOpen.filter(isPresent);
      if (this.before === null && value === null) return [];
      return [this.finding("exposure-widened", richText`${[path]} ${show(value)}`)];
    }
    if (isNowOpen.length < wasOpen.length) {
      const closed = is.find((value) => !isOpen(value));
      return [this.finding("exposure-narrowed", richText`${[path]} ${show(closed)}`)];
    }
    // As many as before, but perhaps others. If all were open, none could be opened.
    const isUncertain = was.length > 1 || [...was, ...is].some((value) => value instanceof Hidden);
    const wereAllOpen = was.every((value) => !(value instanceof Hidden) && isOpen(value));
    if (same(was, is) || wereAllOpen || !isUncertain) return [];
    return [notAssessed(this.change.address, richText`its ${path} changes: ${is.map(show).join(", ")}`)];
  }

  /** The values of a setting: one for each block that can have it, null where it is not set. */
  private settings(path: string, side: Side): readonly Value[] {
    const values = this.values(path, side);
    const block = path.slice(0, Math.max(0, path.lastIndexOf(".")));
    const blocks = block === "" ? 1 : Math.max(1, this.values(block, side).length);
    return [...values, ...Array.from({ length: Math.max(0, blocks - values.length) }, () => null)];
  }

  /** Documents and settings in a form that this review does not read. */
  private ruleFindings(path: string): readonly AccessFinding[] {
    const [was, is] = this.valuesOfSides(path);
    if ((same(was, is) && !is.some(isUnknown)) || is.length === 0) {
      return was.length > 0 && is.length === 0 && this.after !== null
        ? [notAssessed(this.change.address, richText`its ${path} is removed`)]
        : [];
    }
    return [notAssessed(this.change.address, richText`its ${path} changes, which this review does not evaluate`)];
  }

  private credentialFindings(): readonly AccessFinding[] {
    const isActive = (side: Side) =>
      this[side] !== null && displayed(this[side]?.status ?? null).toLowerCase() !== "inactive";
    const owner = this.type.principals.flatMap((path) => [
      ...this.values(path, "after"),
      ...this.values(path, "before"),
    ]);
    const of = owner[0] === undefined ? [] : richText` of ${inOneLine(owner[0])}`;
    const what = richText`${this.change.type}${of}`;
    if (!isActive("after")) return isActive("before") ? [this.finding("credential-revoked", what)] : [];
    return isActive("before") && !this.isChanged() ? [] : [this.finding("credential-issued", what)];
  }

  /** The findings about a resource that only restricts what others grant. */
  private restrictionFindings(): readonly AccessFinding[] {
    const findings = [
      ...this.limitFindings(),
      ...this.type.exposures.flatMap((exposure) => this.exposureFindings(exposure)),
    ];
    if (findings.length > 0 || !this.isChanged()) return findings;
    const what = richText`${this.change.type}`;
    // Its settings are known: they restrict nothing, neither before nor after.
    if (this.type.exposures.length > 0) return [];
    if (this.before === null) return [this.finding("guardrail-set", what)];
    if (this.after === null) return [this.finding("guardrail-removed", what)];
    return [notAssessed(this.change.address, richText`${what} changes`)];
  }
}

/** The name of a launch template or a task definition, without its version. */
function carrierName(value: Value): string {
  return displayed(value)
    .replace(/^arn:.*\//, "")
    .replace(/:\d+$/, "");
}

/** Whether a resource has a role that compute runs as. */
function hasRole({ type, after }: ResourceChange): boolean {
  return accessTypeOf(type)?.roles.some((path) => valuesAt(after, path).some(isPresent)) === true;
}

/** The accounts of the ARNs in the attributes, without one of them. */
function accountsIn(attributes: Attributes | null, except: string): readonly string[] {
  const texts = Object.values(attributes ?? {}).filter((each): each is string => typeof each === "string");
  return texts.filter((text) => text !== except).flatMap((text) => accountOf(text) ?? []);
}

function describeValues(path: string, values: readonly Value[]): RichText {
  const texts = values.map((value) => (readDocument(value)?.unreadable === undefined ? "policy" : inOneLine(value)));
  return texts.every((text) => text === "policy") ? [`its ${path}`] : richText`${[path]} ${texts.join(", ")}`;
}

/** The change of a maximum session duration: seconds, or an ISO 8601 duration of hours, minutes and seconds. */
export function sessionDelta(subject: string, before: Value, after: Value): readonly AccessFinding[] {
  if (same(before, after)) return [];
  const [was, is] = [secondsOf(before), secondsOf(after)];
  const what = richText`maximum session duration ${displayed(before)} → ${displayed(after)}`;
  if (was === undefined || is === undefined) return [notAssessed(subject, what)];
  return was === is ? [] : [accessFinding(subject, is > was ? "session-lengthened" : "session-shortened", what)];
}

function secondsOf(value: Value): number | undefined {
  // AWS's default is an hour.
  if (value === null) return 3_600;
  if (typeof value === "number") return value;
  const [, hours, minutes, seconds] = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?$/.exec(displayed(value)) ?? [];
  if (hours ?? minutes ?? seconds) return Number(hours ?? 0) * 3_600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
  return /^\d+$/.test(displayed(value)) ? Number(value) : undefined;
}

function isPresent(value: Value): boolean {
  return value !== null && value !== "" && !(Array.isArray(value) && value.length === 0);
}

/** The principal that an attribute names. */
function principalOf(path: string, value: Value): PlannedPrincipal {
  if (value instanceof Hidden) return { kind: path, id: value };
  const id = inOneLine(value);
  if (["*", "all"].includes(id)) return { kind: "AWS", id: "*" };
  if (/^arn:|^\d{12}$/.test(id)) return { kind: "AWS", id };
  return { kind: /\.amazonaws\.com(\.cn)?$/.test(id) ? "Service" : path, id };
}

const EVERYONE: PlannedPrincipal = { kind: "AWS", id: "*" };

/**
 * What canned ACLs grant to others than the owner.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl
 */
const CANNED_ACLS: { readonly [acl: string]: readonly string[] } = {
  private: [],
  "bucket-owner-read": [],
  "bucket-owner-full-control": [],
  "log-delivery-write": [],
  "public-read": ["s3:ListBucket", "s3:GetObject"],
  "public-read-write": ["s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
  "authenticated-read": ["s3:ListBucket", "s3:GetObject"],
};

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#permissions */
const ACL_PERMISSIONS: { readonly [permission: string]: readonly string[] } = {
  READ: ["s3:ListBucket", "s3:GetObject"],
  WRITE: ["s3:PutObject", "s3:DeleteObject"],
  READ_ACP: ["s3:GetBucketAcl", "s3:GetObjectAcl"],
  WRITE_ACP: ["s3:PutBucketAcl", "s3:PutObjectAcl"],
};

/** The grants of a canned ACL, or of a block that contains grants. */
function grantsOfAcl(acl: Value): Pick<Grant, "principals" | "actions">[] {
  if (acl === null || acl === "") return [];
  if (!isMap(acl)) {
    const canned: readonly Value[] | undefined = typeof acl === "string" ? CANNED_ACLS[acl] : undefined;
    // An ACL that this review does not know counts as public.
    const actions = canned ?? [acl instanceof Hidden ? acl : `access by the canned ACL ${displayed(acl)}`];
    return actions.length === 0 ? [] : [{ principals: [EVERYONE], actions }];
  }
  const block = acl as Attributes;
  if (block.grant !== undefined) {
    const owners = valuesAt(block, "owner.id");
    const isOwner = (grant: Value) =>
      valuesAt(grant, "grantee.id").some((id) => owners.some((owner) => same(id, owner)));
    return flattened(block.grant)
      .filter((grant) => !isOwner(grant))
      .flatMap(grantsOfAcl);
  }
  const grantee = flattened(block.grantee)[0];
  const { uri, id, email_address: email } = isMap(grantee) ? (grantee as Attributes) : block;
  const who = [uri, id, email].find((each) => each !== undefined && each !== null && each !== "");
  const isGroup = typeof uri === "string" && /\/global\/(AllUsers|AuthenticatedUsers)$/.test(uri);
  const principal: PlannedPrincipal =
    who === undefined || isGroup ? EVERYONE : { kind: "CanonicalUser", id: who instanceof Hidden ? who : String(who) };
  const permissions = [...flattened(block.permission), ...flattened(block.permissions)];
  const actions = permissions.flatMap((permission): readonly Value[] =>
    permission === "FULL_CONTROL"
      ? Object.values(ACL_PERMISSIONS).flat()
      : (ACL_PERMISSIONS[displayed(permission)] ?? [permission]),
  );
  return [{ principals: [principal], actions }];
}
