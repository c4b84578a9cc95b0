import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { UserError } from "../../keyless/errors";
import { parseExactJson } from "../../keyless/json";
import { comparePlans } from "../../keyless/plan/comparison";
import { readPlan } from "../../keyless/plan/schema";

interface Change {
  readonly actions: readonly string[];
  readonly [field: string]: unknown;
}

const update = { actions: ["update"], before: { description: "old" }, after: { description: "new" } };

function resource(address: string, change: Change) {
  return { address, mode: "managed", type: "aws_iam_role", name: "a", change };
}

function plan(changes: { readonly [address: string]: Change }, rest: object = {}) {
  const resource_changes = Object.entries(changes).map(([address, change]) => resource(address, change));
  return { format_version: "1.2", resource_changes, ...rest };
}

const planDifference = (reviewed: unknown, fresh: unknown) => comparePlans("dev", reviewed, fresh).difference;
const isEmptyPlan = (json: unknown) => comparePlans("dev", json, json).isEmpty;

test("plans with the same changes are equal, regardless of order, time and Terraform version", () => {
  const reviewed = plan({ a: update, b: update }, { timestamp: "1", terraform_version: "1.11.4" });
  const fresh = plan({ b: update, a: update }, { timestamp: "2", terraform_version: "1.12.0", resource_drift: [] });
  expect(planDifference(reviewed, fresh)).toBeUndefined();
});

test("resources without changes are not compared", () => {
  const untouched = (used: string) => ({ actions: ["no-op"], before: { used }, after: { used } });
  expect(planDifference(plan({ a: untouched("1") }), plan({ a: untouched("2") }))).toBeUndefined();
});

test.each<[string, Change]>([
  ["another value", { ...update, after: { description: "other" } }],
  ["another value before", { ...update, before: { description: "other" } }],
  ["another action", { ...update, actions: ["delete", "create"] }],
  ["a value that is not known any more", { ...update, after: {}, after_unknown: { description: true } }],
  ["one more element that is not known", { ...update, after_unknown: { list: [false, true] }, after: { list: ["a"] } }],
  ["a replacement", { ...update, replace_paths: [["description"]] }],
  ["an import", { ...update, importing: { id: "x" } }],
])("plans differ by %s", (_, change) => {
  expect(planDifference(plan({ a: update }), plan({ a: change }))).toMatch(/^[-+] /m);
});

test.each([
  ["one more change", plan({ a: update, b: update })],
  ["a change less", plan({})],
  ["a move", plan({}, { resource_changes: [{ ...resource("a", update), previous_address: "b" }] })],
  ["an output", plan({ a: update }, { output_changes: { x: { actions: ["create"], after: "1" } } })],
])("plans differ by %s", (_, fresh) => {
  expect(planDifference(plan({ a: update }), fresh)).toMatch(/^[-+] /m);
});

test("a difference in a policy is shown in the lines of the policy", () => {
  const policy = (action: string) => ({
    ...update,
    after: { policy: JSON.stringify({ Action: ["s3:Get*", action] }) },
  });
  const difference = planDifference(plan({ a: policy("s3:List*") }), plan({ a: policy("iam:*") }));
  expect(difference).toMatch(/^-\s+"s3:List\*"$/m);
  expect(difference).toMatch(/^\+\s+"iam:\*"$/m);
});

test("plans differ by a sensitive value, which is not shown", () => {
  const secret = (value: string) => ({ ...update, after: { key: value }, after_sensitive: { key: true } });
  const difference = planDifference(plan({ a: secret("hunter2") }), plan({ a: secret("hunter3") }));
  expect(difference).toMatch(/^\+.*sensitive/m);
  expect(difference).not.toContain("hunter");
  expect(planDifference(plan({ a: secret("hunter2") }), plan({ a: secret("hunter2") }))).toBeUndefined();
});

test("a plan without changes is empty, a plan with only an output is not", () => {
  expect(isEmptyPlan(plan({ a: { actions: ["no-op"] } }))).toBe(true);
  expect(isEmptyPlan(plan({}, { output_changes: { x: { actions: ["create"], after: "1" } } }))).toBe(false);
});

test.each([[{}], [{ format_version: "2.0" }], [[]]])("%j is rejected because it is not a plan", (json) => {
  expect(() => planDifference(json, plan({}))).toThrow(/cannot read the reviewed plan/);
});

test("an errored plan is rejected", () => {
  expect(() => planDifference(plan({}), plan({}, { errored: true }))).toThrow(
    /Terraform failed while making the fresh plan/,
  );
});

test("plans differ if an attribute has the text of an unknown value", () => {
  const literal = plan({ a: { ...update, after: { description: "(known after apply)" } } });
  const unknown = plan({ a: { ...update, after: {}, after_unknown: { description: true } } });
  expect(planDifference(literal, unknown)).toMatch(/^[-+] /m);
});

test("plans differ by the order of create and destroy in a replacement", () => {
  const replacement = (...actions: string[]) => plan({ a: { ...update, actions } });
  expect(planDifference(replacement("delete", "create"), replacement("create", "delete"))).toMatch(/^[-+] /m);
});

test("plans differ if a value is JSON in a string instead of the same JSON", () => {
  const input = (value: unknown) => plan({ a: { ...update, after: { input: value } } });
  expect(planDifference(input([1]), input("[1]"))).toMatch(/^[-+] /m);
});

test("deferred changes are compared", () => {
  const deferred = (after: unknown) =>
    plan({}, { deferred_changes: [{ reason: "unknown", resource_change: resource("a", { ...update, after }) }] });
  expect(planDifference(deferred({ x: 1 }), deferred({ x: 2 }))).toMatch(/^[-+] /m);
});

test("action invocations are compared", () => {
  const invoked = (payload: string) =>
    plan({}, { action_invocations: [{ address: "action.x.y", type: "x", config_values: { payload } }] });
  expect(planDifference(invoked("a"), invoked("b"))).toMatch(/^[-+] /m);
  expect(planDifference(plan({}), invoked("a"))).toMatch(/^[+] /m);
  expect(isEmptyPlan(invoked("a"))).toBe(false);
});

test("a resource and its deposed object are compared separately", () => {
  const deposed = { ...resource("a", { actions: ["delete"], before: { id: "1" } }), deposed: "12345678" };
  const both = plan({}, { resource_changes: [resource("a", update), deposed] });
  expect(planDifference(plan({ a: update }), both)).toMatch(/^\+ /m);
  expect(planDifference(both, both)).toBeUndefined();
});

const credential = fc.oneof(
  fc.stringMatching(/^AKIA[A-Z0-9]{16}$/),
  fc.stringMatching(/^ghp_[A-Za-z0-9]{30}$/),
  fc.stringMatching(/^ey[A-Za-z0-9_-]{12}\.ey[A-Za-z0-9_-]{12}\.[A-Za-z0-9_-]{12}$/),
);
/** Plans with the secret in an attribute, a list, the key of a map, JSON in a string, or an address. */
const places: readonly ((secret: string) => { address: string; after: unknown })[] = [
  (secret) => ({ address: "a", after: { key: secret } }),
  (secret) => ({ address: "a", after: { list: ["x", `user:${secret} `] } }),
  (secret) => ({ address: "a", after: { map: { [secret]: "x" } } }),
  (secret) => ({ address: "a", after: { policy: JSON.stringify({ key: secret }) } }),
  (secret) => ({ address: `a["${secret}"]`, after: { key: "x" } }),
];

test("verify prints no credential that the review conceals, and reports that it differs", () => {
  fc.assert(
    fc.property(credential, credential, fc.constantFrom(...places), (one, other, place) => {
      fc.pre(one !== other);
      const [from, to] = [one, other].map((secret) => {
        const { address, after } = place(secret);
        return plan({ [address]: { actions: ["update"], before: {}, after } });
      });
      if (from === undefined || to === undefined) throw new Error("two plans");
      const printed = planDifference(from, to);
      expect(printed).toMatch(/^[-+] /m);
      for (const secret of [one, other]) {
        expect(JSON.stringify(readPlan("dev", from).changes)).not.toContain(secret);
        expect(printed).not.toContain(secret);
      }
      expect(planDifference(from, from)).toBeUndefined();
    }),
  );
});

const numbered = (text: string) =>
  parseExactJson(JSON.stringify(plan({ a: { ...update, after: { id: 0.5 } } })).replace("0.5", text));

test.each([
  ["9007199254740993", "9007199254740992"],
  ["9007199254740993", '"9007199254740993"'],
  ["0.1", "0.10000000000000001"],
  ["1", '"1"'],
  ["1", "true"],
])("plans differ by the number %s and the value %s", (one, other) => {
  expect(planDifference(numbered(one), numbered(other))).toMatch(/^[-+] /m);
});

test("two texts of one number are equal", () => {
  expect(planDifference(numbered("1.0"), numbered("1"))).toBeUndefined();
});

test.each<[string, Change, Change]>([
  ["null and an absent attribute", { ...update, after: { a: null } }, { ...update, after: {} }],
  [
    "an unknown attribute and null",
    { ...update, after: {}, after_unknown: { a: true } },
    { ...update, after: { a: null } },
  ],
  [
    "an unknown value and its text",
    { ...update, after: { a: "x" }, after_unknown: { a: true } },
    { ...update, after: { a: "x" } },
  ],
  ["the mark of a sensitive value", { ...update, after_sensitive: { description: true } }, update],
  [
    "a sensitive value and the text of its concealment",
    { ...update, after: { a: "hunter2" }, after_sensitive: { a: true } },
    { ...update, after: { a: "(sensitive)" } },
  ],
  [
    "the text of JSON that has the same value",
    { ...update, after: { a: '{"b":1}' } },
    { ...update, after: { a: '{ "b": 1 }' } },
  ],
  [
    "the identity of a resource",
    { ...update, after_identity: { arn: "a" } },
    { ...update, after_identity: { arn: "b" } },
  ],
])("plans differ by %s", (_, one, other) => {
  expect(planDifference(plan({ a: one }), plan({ a: other }))).toMatch(/^a$/m);
  expect(planDifference(plan({ a: other }), plan({ a: one }))).toMatch(/^a$/m);
});

test("two changes of one address are both compared", () => {
  const both = (...changes: Change[]) => plan({}, { resource_changes: changes.map((change) => resource("a", change)) });
  const other = { ...update, after: { description: "other" } };
  for (const twice of [both(update, update), both(update, other), both(other, update)]) {
    expect(planDifference(plan({ a: update }), twice)).toMatch(/^a$/m);
    expect(planDifference(twice, plan({ a: update }))).toMatch(/^a$/m);
  }
  expect(planDifference(both(update, other), both(other, update))).toBeUndefined();
});

const configured = (command: string, count = 1) =>
  plan(
    { a: update },
    {
      configuration: {
        root_module: {
          resources: [
            {
              address: "aws_iam_role.a",
              provisioners: Array(count).fill({
                type: "local-exec",
                expressions: { command: { constant_value: command } },
              }),
            },
          ],
        },
      },
    },
  );

test.each<[string, object]>([
  ["the command of a provisioner", configured("b")],
  ["the number of provisioners", configured("a", 2)],
  ["a provisioner", plan({ a: update })],
])("plans differ by %s", (_, fresh) => {
  expect(planDifference(configured("a"), fresh)).toMatch(/^configuration$/m);
});

test.each<[string, object, object]>([
  ["a variable", { variables: { a: { value: 1 } } }, { variables: { a: { value: 2 } } }],
  ["content that this version does not know", { new_changes: [{ a: 1 }] }, { new_changes: [{ a: 2 }] }],
  [
    "the sensitive value of an output",
    { output_changes: { x: secretOutput("a") } },
    { output_changes: { x: secretOutput("b") } },
  ],
])("plans differ by %s", (_, one, other) => {
  expect(planDifference(plan({}, one), plan({}, other))).toContain("+++ the fresh plan");
  expect(planDifference(plan({}, one), plan({}, one))).toBeUndefined();
});

function secretOutput(value: string) {
  return { actions: ["create"], before: null, after: value, before_sensitive: false, after_sensitive: true };
}

test("content that this version does not know is a change", () => {
  expect(isEmptyPlan(plan({}, { new_changes: [{ a: 1 }] }))).toBe(false);
  expect(isEmptyPlan(plan({}, { new_changes: [] }))).toBe(true);
});

test("the configuration and variables are no changes", () => {
  expect(isEmptyPlan({ ...configured("a"), resource_changes: [], variables: { a: { value: 1 } } })).toBe(true);
});

test.each([
  ["prior_state", { values: { root_module: {} } }],
  ["planned_values", { root_module: { resources: [] } }],
  ["relevant_attributes", [{ resource: "a", attribute: ["id"] }]],
  ["resource_drift", [resource("b", update)]],
  ["checks", [{ address: { to_display: "check.a" }, status: "pass" }]],
])("%s does not matter", (key, value) => {
  expect(planDifference(plan({ a: update }), plan({ a: update }, { [key]: value }))).toBeUndefined();
});

describe("of plans that Terraform made", () => {
  const golden = join(__dirname, "..", "review", "golden");
  const plans = readdirSync(golden, { withFileTypes: true })
    .filter((each) => each.isDirectory())
    .map(({ name }) => parseExactJson(readFileSync(join(golden, name, "plan.json"), "utf8")) as PlanJson)
    .filter(({ resource_changes }) => resource_changes?.some(changes));

  interface PlanJson {
    readonly resource_changes?: readonly { readonly change: Change }[];
  }

  function changes({ change }: { readonly change: Change }): boolean {
    return change.actions.join() !== "no-op";
  }

  /** The paths of what is not a list or an object, or is empty. */
  function leaves(value: unknown, path: readonly string[] = []): string[][] {
    const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
    return entries.length === 0 ? [[...path]] : entries.flatMap(([key, part]) => leaves(part, [...path, key]));
  }

  /** A copy of the value without the part at the path, or with another one. */
  function edited(value: unknown, [key, ...rest]: readonly string[], other: unknown): unknown {
    if (key === undefined) return other;
    const part = edited((value as Record<string, unknown>)[key], rest, other);
    if (Array.isArray(value))
      return value.flatMap((each, at) => (String(at) !== key ? [each] : part === undefined ? [] : [part]));
    const { [key]: _, ...kept } = value as Record<string, unknown>;
    return part === undefined ? kept : { ...kept, [key]: part };
  }

  const at = (value: unknown, path: readonly string[]) =>
    path.reduce<unknown>((part, key) => (part as Record<string, unknown>)[key], value);

  const OTHERS = [
    undefined,
    null,
    true,
    false,
    0,
    1,
    "",
    "1",
    "null",
    "(known after apply)",
    "(sensitive)",
    [],
    {},
    [null],
  ];

  test("every leaf of every change is compared", () => {
    const cases = plans.flatMap((json) =>
      (json.resource_changes ?? []).flatMap((each, index) =>
        changes(each) ? leaves(each).map((path) => ({ json, path: ["resource_changes", String(index), ...path] })) : [],
      ),
    );
    expect(cases.length).toBeGreaterThan(100);
    fc.assert(
      fc.property(
        fc.constantFrom(...cases),
        fc.constantFrom(...OTHERS),
        fc.boolean(),
        ({ json, path }, other, isFirst) => {
          const was = at(json, path);
          fc.pre(JSON.stringify(was) !== JSON.stringify(other));
          const plans = [json, edited(json, path, other)] as const;
          const [one, two] = isFirst ? plans : [plans[1], plans[0]];
          expect(() => {
            const difference = planDifference(one, two);
            if (difference !== undefined) throw new UserError("they differ");
          }).toThrow(UserError);
        },
      ),
      { numRuns: 300 },
    );
  });

  /** The value with the keys of every object in another order. */
  function shuffled(value: unknown, order: (count: number) => number): unknown {
    if (Array.isArray(value)) return value.map((each) => shuffled(each, order));
    if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
    const entries = Object.entries(value).map(([key, part]) => ({
      key,
      part: shuffled(part, order),
      at: order(1_000),
    }));
    return Object.fromEntries(entries.sort((a, b) => a.at - b.at).map(({ key, part }) => [key, part]));
  }

  test("the order of keys and of resources does not matter", () => {
    fc.assert(
      fc.property(fc.constantFrom(...plans), fc.infiniteStream(fc.nat()), (json, numbers) => {
        const order = (count: number) => numbers.next().value % count;
        const resource_changes = [...(json.resource_changes ?? [])].sort(() => order(3) - 1);
        expect(planDifference(json, shuffled({ ...json, resource_changes }, order))).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });
});

test("plans with many differing lines are compared in linear time", () => {
  const listed = (prefix: string) =>
    plan({ a: { ...update, after: { list: Array.from({ length: 100_000 }, (_, at) => `${prefix}${at}`) } } });
  expect(planDifference(listed("a"), listed("b"))).toMatch(/^[-+] /m);
});
