import { type AccessAttributes, type AccessTable, type AccessType, plainPath } from ".";
import { actionsOf, type PermissionsActions } from "./actions";
import { ACTIONS_WITHOUT_TYPE, ADDED, REMOVED, SERVICES_WITHOUT_TYPE, TYPE_ACTIONS } from "./corrections";
import { ATTRIBUTE_RULES, EXPOSURE_RULES } from "./rules";
import { nodesOf, type ProviderSchema, type SchemaNode } from "./schema";

/**
 * Derives the table from the provider's schema and from the actions of access level "Permissions management".
 *
 * @throws {Error} if a correction names a type or an attribute that the schema does not have, or if no type performs an
 * action and the corrections do not say so
 */
export function deriveTable(
  schema: ProviderSchema,
  actions: PermissionsActions,
  versions: AccessTable["versions"],
): AccessTable {
  const entries = Object.entries(schema.resource_schemas).sort(([a], [b]) => (a < b ? -1 : 1));
  const nodes = new Map(entries.map(([type, { block }]) => [type, nodesOf(block)]));
  checkCorrections(nodes);
  const types: { [type: string]: Partial<AccessType> } = {};
  const others: { [service: string]: string } = {};
  for (const [type, each] of nodes) {
    const row = accessRow(type, each, actions);
    const service = type.split("_", 2).join("_");
    if (Object.keys(row).length > 0) types[type] = row;
    else others[service] = `${others[service] ?? ""} ${type}`.trim();
  }
  checkActions(actions, new Set(Object.values(types).flatMap((type) => type.actions ?? [])));
  return { versions, types, others };
}

const isWithin = (path: string, block: string) => path === block || path.startsWith(`${block}.`);

function accessRow(type: string, nodes: readonly SchemaNode[], actions: PermissionsActions): Partial<AccessType> {
  const { exposures: opens = {}, executes, credential, restricts, ...added } = ADDED[type] ?? {};
  const corrected = [...Object.values(added).flat(), ...Object.keys(opens)];
  const removed = Object.values(REMOVED).flat();
  const candidates = nodes.filter(
    ({ path }) =>
      !corrected.some((each) => isWithin(path, each) || isWithin(each, path)) &&
      !removed.some((each) => isWithin(`${type}.${path}`, each)),
  );
  const found: { -readonly [kind in keyof AccessAttributes]?: string[] } = {};
  for (const { holds, name, except, type: types, kind } of ATTRIBUTE_RULES) {
    const matches = candidates.filter(
      (node) =>
        name.test(node.name) &&
        !except?.test(node.name) &&
        (types?.test(type) ?? true) &&
        (kind ? node.kind === kind : node.kind === "string" || node.kind === "block"),
    );
    if (matches.length > 0) found[holds] = [...(found[holds] ?? []), ...matches.map(({ path }) => path)];
  }
  for (const [kind, paths] of Object.entries(added) as [keyof AccessAttributes, string[]][]) {
    found[kind] = [...(found[kind] ?? []), ...paths];
  }
  const exposures = [
    ...Object.entries(opens).map(([path, open]) => ({ path, open })),
    ...EXPOSURE_RULES.flatMap(({ name, open, type: types, kind }) =>
      candidates
        .filter((node) => node.kind === kind && name.test(node.name) && (types?.test(type) ?? true))
        .map(({ path }) => ({ path, open })),
    ),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  const all = Object.values(found).flat();
  const row = Object.fromEntries(
    Object.entries(found).map(([kind, paths]) => [kind, outermost(paths, all)]),
  ) as Partial<AccessAttributes>;
  const computed = [...Object.values(row).flat(), ...exposures.map(({ path }) => path)].filter((path) =>
    nodes.some(
      (node) =>
        node.computed && (node.kind === "block" ? plainPath(path) === node.path : isWithin(plainPath(path), node.path)),
    ),
  );
  const words = [...Object.values(row).flat(), ...exposures.map(({ path }) => path)];
  return ordered({
    ...row,
    ...(exposures.length > 0 && { exposures }),
    computed: [...new Set(computed)].sort(),
    actions: TYPE_ACTIONS[type] ?? actionsOf(type, words, actions),
    ...(executes && { executes }),
    ...(credential && { credential }),
    ...(restricts && { restricts }),
  });
}

/** Sorted, without the paths inside a block that is listed itself. */
function outermost(paths: readonly string[], all: readonly string[]): string[] {
  return [...new Set(paths)].sort().filter((path) => !all.some((each) => each !== path && isWithin(path, each)));
}

const ORDER: readonly (keyof AccessType)[] = [
  ...(["policies", "limits", "attachments", "rules", "principals", "grants", "acls", "roles", "carriers"] as const),
  ...(["destinations", "sessions", "exposures", "computed", "actions", "executes", "credential", "restricts"] as const),
];

function ordered(row: Partial<AccessType>): Partial<AccessType> {
  return Object.fromEntries(
    ORDER.flatMap((key) => {
      const value = row[key];
      return value === undefined || (Array.isArray(value) && value.length === 0) ? [] : [[key, value]];
    }),
  );
}

function checkCorrections(nodes: ReadonlyMap<string, readonly SchemaNode[]>): void {
  const added = Object.entries(ADDED).flatMap(([type, { exposures, executes, credential, restricts, ...paths }]) =>
    [...Object.values(paths).flat(), ...Object.keys(exposures ?? {})].map((path) => ({ type, path })),
  );
  const removed = Object.values(REMOVED)
    .flat()
    .map((each) => {
      const [type = "", ...path] = each.split(".");
      return { type, path: path.join(".") };
    });
  // A path can continue into the JSON document that an attribute holds.
  const has = (type: string, path: string) =>
    nodes.get(type)?.some((node) => path === node.path || (node.kind === "string" && isWithin(path, node.path)));
  const wrong = [...added, ...removed].filter(({ type, path }) => !has(type, plainPath(path)));
  const unknown = [...Object.keys(ADDED), ...Object.keys(TYPE_ACTIONS)].filter((type) => !nodes.has(type));
  if (wrong.length + unknown.length > 0) {
    const names = [...unknown, ...wrong.map(({ type, path }) => `${type}.${path}`)];
    throw new Error(`corrections that the provider's schema does not have: ${names.join(", ")}`);
  }
}

/** Every action either has a type or is listed as one without a type, not both. */
function checkActions(actions: PermissionsActions, performed: ReadonlySet<string>): void {
  const wrong = Object.entries(actions).flatMap(([prefix, names]) => {
    const without = ACTIONS_WITHOUT_TYPE[prefix]?.split(" ") ?? (SERVICES_WITHOUT_TYPE.includes(prefix) ? names : []);
    return names
      .filter((name) => performed.has(`${prefix}:${name}`) === without.includes(name))
      .map((name) => `${prefix}:${name}`);
  });
  if (wrong.length > 0)
    throw new Error(`actions with a type, or without one, that the corrections deny: ${wrong.join(", ")}`);
}

/** One line for each type that can grant access, and one for the other types of each service. */
export function formatTable({ versions, types, others }: AccessTable): string {
  const lines = (entries: object) =>
    Object.entries(entries)
      .map(([key, value]) => `    ${JSON.stringify(key)}: ${JSON.stringify(value)}`)
      .join(",\n");
  return `{
  "versions": ${JSON.stringify(versions)},
  "types": {
${lines(types)}
  },
  "others": {
${lines(others)}
  }
}
`;
}
