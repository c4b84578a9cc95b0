import * as fc from "fast-check";
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

test("plans differ by a number that JavaScript rounds", () => {
  const numbered = (text: string) =>
    parseExactJson(JSON.stringify(plan({ a: { ...update, after: { id: 0.5 } } })).replace("0.5", text));
  expect(planDifference(numbered("9007199254740993"), numbered("9007199254740992"))).toMatch(/^[-+] /m);
});

test("plans with many differing lines are compared in linear time", () => {
  const listed = (prefix: string) =>
    plan({ a: { ...update, after: { list: Array.from({ length: 100_000 }, (_, at) => `${prefix}${at}`) } } });
  expect(planDifference(listed("a"), listed("b"))).toMatch(/^[-+] /m);
});
