import fc from "fast-check";
import { Concealer, type RawValues } from "../../keyless/plan/concealment";
import { readPlan } from "../../keyless/plan/schema";
import { Hidden } from "../../keyless/plan/value";
import { toJsonData } from "../../keyless/review/render/json";
import { toMarkdown } from "../../keyless/review/render/markdown";
import { toText } from "../../keyless/review/render/text";
import { review } from "../../keyless/review/review";
import { change, plan, planJson } from "../review/plans";

const conceal = (values: RawValues) => new Concealer().conceal(values);
const shown = (before: unknown, after: unknown, marks: object = {}) =>
  JSON.parse(JSON.stringify(conceal({ before, after, ...marks }), (_key, part) => part?.text ?? part));

test("a sensitive value is replaced before and after, with a note if it changed", () => {
  expect(shown({ a: "x" }, { a: "y" }, { after_sensitive: { a: true } })).toEqual({
    before: { a: "(sensitive)" },
    after: { a: "(sensitive, changed)" },
  });
  expect(shown({ a: "x" }, { a: "x" }, { before_sensitive: true }).after).toBe("(sensitive)");
});

test("an unknown value is shown as known after apply, also in lists and absent keys", () => {
  const marks = { after_unknown: { id: true, list: [false, true], block: { arn: true } } };
  expect(shown(null, { list: ["a", null] }, marks).after).toEqual({
    id: "(known after apply)",
    list: ["a", "(known after apply)"],
    block: { arn: "(known after apply)" },
  });
});

// Assembled from parts, so that secret scanners do not report this file.
test.each([
  ["an access key id", ["AKIA", "IOSFODNN7EXAMPLE"]],
  ["a session's key id", ["ASIA", "IOSFODNN7EXAMPLE"]],
  ["a JSON web token", ["eyJhbGciOiJSUzI1NiJ9", ".eyJzdWIiOiJvcmcvMSJ9", ".c2lnbmF0dXJl"]],
  ["a private key", ["-----BEGIN RSA PRIVATE", " KEY-----\nMIIE\n-----END RSA PRIVATE", " KEY-----"]],
  ["a GitHub token", ["ghp", "_0123456789abcdefghijABCDEFGHIJ012345"]],
])("%s is concealed although it is not marked as sensitive", (_name, parts) => {
  const secret = parts.join("");
  const { after } = conceal({ before: null, after: { text: `before ${secret} after` } });
  expect(after).toEqual({ text: "before (hidden: looks like a credential) after" });
});

test("a concealed value that changes is shown as changed", () => {
  const keys = [`AKIA${"A".repeat(16)}`, `AKIA${"B".repeat(16)}`];
  expect(conceal({ before: keys[0], after: keys[1] }).after).toEqual(
    new Hidden("credential", "(hidden: looks like a credential) (changed)"),
  );
});

test("a sensitive value appears in no format, regardless of its position in the plan", () => {
  const secret = "s3cr3t-correct-horse-battery";
  const hiding = fc.letrec((tie) => ({
    pair: fc.oneof(
      { depthSize: "small" },
      fc.constant({ value: secret as unknown, marks: true as unknown }),
      fc.array(fc.constant(secret), { minLength: 1, maxLength: 2 }).map((value) => ({ value, marks: true })),
      fc.constant({ value: "harmless", marks: false }),
      fc.dictionary(fc.string(), tie("pair"), { maxKeys: 3 }).map((all) => spread(all as Pairs)),
      fc.array(tie("pair"), { maxLength: 3 }).map((all) => ({
        value: (all as Pair[]).map(({ value }) => value),
        marks: (all as Pair[]).map(({ marks }) => marks),
      })),
    ),
  })).pair as fc.Arbitrary<Pair>;
  const attribute = fc.constantFrom(
    "name",
    "assume_role_policy",
    "policy",
    "url",
    "tags",
    "inline_policy",
    "permissions_boundary",
  );
  const type = fc.constantFrom(
    "aws_iam_role",
    "aws_iam_policy",
    "aws_iam_openid_connect_provider",
    "aws_s3_bucket_policy",
    "aws_x",
  );
  fc.assert(
    fc.property(type, attribute, hiding, hiding, (resource, name, before, after) => {
      const one = change(
        `${resource}.x`,
        { [name]: before.value, z: 1 },
        { [name]: after.value, z: 2 },
        {
          before_sensitive: { [name]: before.marks },
          after_sensitive: { [name]: after.marks },
        },
      );
      const output = {
        ...one.change,
        before: secret,
        after: { deep: secret },
        before_sensitive: true,
        after_sensitive: true,
      };
      const result = review([plan([one], { resource_drift: [one], output_changes: { out: output } })]);
      for (const text of [toMarkdown(result), toText(result), JSON.stringify(toJsonData(result))])
        expect(text).not.toContain(secret);
    }),
  );
});

type Pair = { value: unknown; marks: unknown };
type Pairs = { [key: string]: Pair };
function spread(all: Pairs): Pair {
  const entries = Object.entries(all);
  return {
    value: Object.fromEntries(entries.map(([key, { value }]) => [key, value])),
    marks: Object.fromEntries(entries.map(([key, { marks }]) => [key, marks])),
  };
}

describe("invalid JSON of a plan is rejected", () => {
  test.each([
    ["another major version", { ...planJson([]), format_version: "2.0" }, "version"],
    ["a state", { format_version: "1.0", values: {} }, "this is a state"],
    ["an unknown action", planJson([{ ...change("a.b", null, {}), change: { actions: ["explode"] } }]), "explode"],
    ["a list", [], "cannot read the plan of dev"],
  ])("%s", (_name, json, message) => {
    expect(() => readPlan("dev", json)).toThrow(message);
  });

  test("unknown fields are accepted", () => {
    expect(readPlan("dev", { ...planJson([]), format_version: "1.9", news: true }).changes).toEqual([]);
  });
});
