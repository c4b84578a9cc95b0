import { readFileSync } from "node:fs";
import { type AccessTable, type AccessType, accessTableFile, accessTypeOf } from "../../../keyless/review/access-types";
import { accessDelta } from "../../../keyless/review/delta";
import { isIamType } from "../../../keyless/review/delta/iam";
import { change, plan, policy } from "../plans";

const table: AccessTable = JSON.parse(readFileSync(accessTableFile, "utf8"));
const rows = Object.keys(table.types)
  .filter((type) => !isIamType(type) && type !== "aws_organizations_policy_attachment")
  .map((type): [string, AccessType] => [type, accessTypeOf(type) as AccessType]);

type Attributes = { readonly [name: string]: unknown };

/** A resource in which the path has the value. */
function resource(path: string, value: unknown): Attributes {
  const [step = "", ...rest] = path.split(/\.(?![^[]*\])/);
  const [, name = step, key, wanted] = /^(\w+)\[(\w+)=(.*)\]$/.exec(step) ?? [];
  const inner = rest.length === 0 ? value : [resource(rest.join("."), value)];
  if (key === undefined) return { [name]: inner };
  return { [name]: [{ ...(inner as Attributes[])[0], [key]: wanted }] };
}

/** A resource with the attributes of both. */
function merged(one: Attributes, other: Attributes): Attributes {
  const entries = Object.entries(other).map(([name, value]) => {
    const [mine, others] = [one[name], value];
    const areBlocks = Array.isArray(mine) && Array.isArray(others);
    return [name, areBlocks ? [merged(mine[0], others[0])] : value];
  });
  return { ...one, ...Object.fromEntries(entries) };
}

/** Whether the review reports that the change grants access, or that it was not assessed. */
function isReported(type: string, before: Attributes | null, after: Attributes | null): boolean {
  const findings = accessDelta(plan([change(`${type}.x`, before, after)]));
  return findings.some(({ effect }) => effect === "gain" || effect === "unknown");
}

const NOTHING = { tags: null };
const everything = policy({ Effect: "Allow", Principal: "*", Action: "*", Resource: "*" });
const deny = policy({ Effect: "Deny", Principal: "*", Action: "*", Resource: "*" });
const ROLE = "arn:aws:iam::123456789012:role/r";

/** The changes that grant access by an attribute of the table, as far as the type's row has such attributes. */
const GRANTING: { readonly [what: string]: (row: AccessType) => (readonly [Attributes | null, Attributes | null])[] } =
  {
    "a policy is set": ({ policies }) => policies.map((path) => [NOTHING, resource(path, everything)]),
    "a policy is emptied": ({ policies }) => policies.map((path) => [resource(path, deny), NOTHING]),
    "a principal is added": ({ principals }) => principals.map((path) => [NOTHING, resource(path, ROLE)]),
    "a policy is attached": ({ attachments, principals }) =>
      attachments.flatMap((path) => {
        const to = principals[0] === undefined ? NOTHING : resource(principals[0], ROLE);
        return [[to, merged(to, resource(path, ROLE))] as const];
      }),
    "a list is opened": ({ acls }) => acls.map((path) => [resource(path, "private"), resource(path, "public-read")]),
    "a role is passed": ({ roles }) => roles.map((path) => [NOTHING, resource(path, ROLE)]),
    "a role is exchanged": ({ roles }) => roles.map((path) => [resource(path, `${ROLE}2`), resource(path, ROLE)]),
    "a session is longer": ({ sessions }) => sessions.map((path) => [resource(path, 3600), resource(path, 7200)]),
    "a rule is changed": ({ rules }) => rules.map((path) => [resource(path, "before"), resource(path, "after")]),
    "a setting is opened": ({ exposures }) =>
      exposures.map(({ path, open }) => {
        const closed = [true, false, "closed"].find((value) => !open.includes(value));
        return [resource(path, closed), resource(path, open[0])];
      }),
    "a limit is removed": ({ limits, principals, restricts }) =>
      principals.length > 0 && !restricts ? [] : limits.map((path) => [resource(path, deny), NOTHING]),
    "a condition is removed": ({ limits, principals }) =>
      limits.flatMap((path) =>
        principals.map((to) => [merged(resource(to, ROLE), resource(path, "x")), resource(to, ROLE)] as const),
      ),
    "a block of a grant or of its limits is exchanged": ({ grants, limits, attachments, principals, restricts }) =>
      restricts
        ? []
        : [...grants, ...limits, ...attachments].flatMap((path) =>
            principals.map((to) => {
              const side = (text: string) => merged(resource(to, ROLE), resource(path, [{ block: text }]));
              return [side("one"), side("other")] as const;
            }),
          ),
    "one of several limits is removed": ({ limits, principals, restricts }) =>
      restricts
        ? []
        : limits.flatMap((path) =>
            principals.map((to) => {
              const side = (values: readonly string[]) => merged(resource(to, ROLE), resource(path, values));
              return [side(["one", "other"]), side(["other"])] as const;
            }),
          ),
    "a credential is created": ({ credential }) => (credential ? [[null, NOTHING]] : []),
    "a template is run": ({ executes }) => (executes ? [[null, NOTHING]] : []),
    "a restriction is destroyed": ({ restricts, exposures }) =>
      restricts && exposures.length === 0 ? [[NOTHING, null]] : [],
  };

test.each(Object.entries(GRANTING))(
  "of every type in the table: if %s, access is granted or not assessed",
  (_what, changesOf) => {
    const changes = rows.flatMap(([type, row]) => changesOf(row).map((sides) => [type, ...sides] as const));
    expect(changes.length).toBeGreaterThan(0);
    expect(changes.filter((each) => !isReported(...each)).map((each) => JSON.stringify(each))).toEqual([]);
  },
);

test("of every type that grants access in ways which the table does not name, a change is not assessed", () => {
  const opaque = rows.filter(([, row]) => {
    const { actions, exposures, credential, executes, restricts, ...attributes } = row;
    return Object.values(attributes).every((paths) => paths.length === 0) && exposures.length === 0;
  });
  expect(opaque.filter(([type]) => !isReported(type, NOTHING, { name: "x" })).map(([type]) => type)).toEqual([]);
});

test("of every type that cannot grant access, no change is reported", () => {
  const others = Object.values(table.others).flatMap((names) => names.split(" "));
  const harmless = others.filter((type) => !isIamType(type));
  expect(harmless.length).toBeGreaterThan(500);
  expect(harmless.filter((type) => isReported(type, NOTHING, { name: "x", policy: "x" }))).toEqual([]);
});
