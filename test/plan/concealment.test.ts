import { gzipSync } from "node:zlib";
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
  const shown = "before (hidden: looks like a credential) after";
  expect(after).toEqual({ text: expect.objectContaining({ reason: "credential", text: shown, visible: shown }) });
});

test("a concealed value that changes is shown as changed", () => {
  const keys = [`AKIA${"A".repeat(16)}`, `AKIA${"B".repeat(16)}`];
  expect(conceal({ before: keys[0], after: keys[1] }).after).toMatchObject({
    reason: "credential",
    text: "(hidden: looks like a credential, changed)",
  });
});

describe("a value that is marked as sensitive anywhere is hidden where it recurs", () => {
  const secret = 'hunter2 & <"correct" horse>';
  const json = JSON.stringify(secret).slice(1, -1);
  const sensitive = { before_sensitive: {}, after_sensitive: { password: true } };
  const marked = change("aws_db_instance.a", null, { password: secret }, sensitive);
  const shownOf = (value: unknown) => {
    const other = change("aws_x.b", null, { other: value });
    return JSON.stringify(readPlan("dev", planJson([marked, other])).changes[1]?.after);
  };

  test.each([
    ["a whole value", secret],
    ["a part of a string", `xx${secret}xx`],
    ["the key of a map", { [secret]: 1 }],
    ["JSON in a string", JSON.stringify({ a: [secret] })],
    ["JSON in JSON in a string", JSON.stringify({ a: JSON.stringify({ b: secret }) })],
    ["JSON with escaped letters", '{"a":"hunter2 \\u0026 \\u003c\\"correct\\" horse\\u003e"}'],
    ["a URL", `https://x/?q=${encodeURIComponent(secret)}`],
    ["a form", `q=${new URLSearchParams({ secret })}`],
    ["HTML", "<b>hunter2 &amp; &lt;&quot;correct&#34; horse&#x3e;</b>"],
    ["hexadecimal digits", Buffer.from(secret).toString("hex")],
    ["capital hexadecimal digits", Buffer.from(secret).toString("hex").toUpperCase()],
    ...["", "a", "ab", "abc"].map((before): [string, string] => [
      `base64 after ${before.length} bytes`,
      Buffer.from(`${before}${secret} after`).toString("base64"),
    ]),
    ["base64url", Buffer.from(`aa${secret}?>`).toString("base64url")],
    ["JSON in base64", Buffer.from(JSON.stringify({ user: "admin", password: secret })).toString("base64")],
    ["compressed user data", gzipSync(`#!/bin/sh\nlogin '${json}' ${secret}`).toString("base64")],
  ])("%s", (_name, value) => {
    const text = shownOf(value);
    expect(text).toMatch(/\(sensitive/);
    expect(text).not.toContain("hunter2");
    expect(text).not.toContain("correct");
    expect(text).not.toContain("horse");
    expect(text).not.toContain(Buffer.from("hunter2 &").toString("base64").slice(0, 8));
    expect(text).not.toMatch(/68756e7465723220/);
  });

  test("the value of a sensitive variable", () => {
    const configuration = { root_module: { variables: { db_password: { sensitive: true } } } };
    const more = { variables: { db_password: { value: "hunter2" } }, configuration };
    const plan = readPlan("dev", planJson([change("aws_x.b", null, { tags: { a: "x-hunter2" } })], more));
    expect(JSON.stringify(plan.changes)).not.toContain("hunter2");
  });

  test("values of the state, of planned resources and of outputs", () => {
    const module = {
      child_modules: [{ resources: [{ values: { p: ["s3cr3t-1"] }, sensitive_values: { p: [true] } }] }],
    };
    const outputs = { o: { sensitive: true, value: "s3cr3t-2" } };
    const more = { prior_state: { values: { root_module: module } }, planned_values: { outputs, root_module: {} } };
    const plan = readPlan(
      "dev",
      planJson([change("aws_x.b", null, { a: "s3cr3t-1", b: "s3cr3t-2", c: "open" })], more),
    );
    expect(JSON.stringify(plan.changes)).not.toContain("s3cr3t");
    expect(plan.changes[0]?.after?.c).toBe("open");
  });

  test("addresses, which stay different, messages and reasons", () => {
    const [one, other] = ["s3cr3t-1", "s3cr3t-2"].map((key) =>
      change(`aws_x.b["${key}"]`, null, { key }, { after_sensitive: { key: true } }),
    );
    const checks = [
      { address: { to_display: "check.a" }, status: "fail", instances: [{ problems: [{ message: "not s3cr3t-1" }] }] },
    ];
    const deferred_changes = [{ reason: "s3cr3t-2", resource_change: one }];
    const { configuration: _, ...plan } = readPlan("dev", planJson([one, other], { checks, deferred_changes }));
    expect(JSON.stringify(plan)).not.toContain("s3cr3t");
    expect(new Set(plan.changes.map(({ address }) => address)).size).toBe(2);
  });

  test("a short value is hidden under the same name only, a long number everywhere", () => {
    const one = change(
      "aws_x.a",
      null,
      { pin: "abc", port: 5432, code: 12345678 },
      { after_sensitive: { pin: true, port: true, code: true } },
    );
    const other = change("aws_x.b", null, { pin: "abc", name: "abc", text: "abcdef", port: 5432, number: 12345678 });
    expect(readPlan("dev", planJson([one, other])).changes[1]?.after).toMatchObject({
      ...{ name: "abc", text: "abcdef", port: 5432 },
      pin: { text: "(sensitive)" },
      number: { text: "(sensitive)" },
    });
  });

  test("a policy that contains it is not evaluated without it", () => {
    const policy = JSON.stringify({
      Statement: [{ Effect: "Deny", Action: "*", Resource: `arn:aws:s3:::${"s3cr3t-1"}` }],
    });
    const more = { after_sensitive: { password: true } };
    const changes = [
      change("aws_x.a", null, { password: "s3cr3t-1" }, more),
      change("aws_iam_policy.b", null, { policy }),
    ];
    expect(readPlan("dev", planJson(changes)).changes[1]?.after?.policy).toBeInstanceOf(Hidden);
  });
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

const encodings: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => JSON.stringify({ text }),
  (text) => JSON.stringify(JSON.stringify([text])),
  encodeURIComponent,
  (text) => Buffer.from(text).toString("base64"),
  (text) => Buffer.from(text).toString("base64url"),
  (text) => Buffer.from(text).toString("hex"),
];

test("a sensitive value that recurs in any encoding is not printed, nor is a part of its encoding", () => {
  const secrets = fc.stringMatching(/^[a-zA-Z0-9"&<% -]{4}[a-zA-Z0-9]{8}[0-9]Q$/);
  fc.assert(
    fc.property(
      secrets,
      fc.constantFrom(...encodings),
      fc.stringMatching(/^[a-z ]{0,4}$/),
      (secret, encode, prefix) => {
        const marked = change("aws_x.a", null, { password: secret }, { after_sensitive: { password: true } });
        const other = change("aws_x.b", null, { tags: { a: encode(`${prefix}${secret}`) } });
        const plan = readPlan("dev", planJson([marked, other]));
        const shown = JSON.stringify(plan.changes);
        const core = secret.slice(4);
        for (const form of [core, Buffer.from(core).toString("hex")]) expect(shown).not.toContain(form);
        expect(shown).toContain("(sensitive)");
        expect(plan.changes[1]?.after?.tags).toMatchObject({ a: { reason: "sensitive" } });
      },
    ),
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
    ["a state", { format_version: "1.0", values: {} }, "it is a state, not a plan"],
    ["an unknown action", planJson([{ ...change("a.b", null, {}), change: { actions: ["explode"] } }]), "explode"],
    ["a list", [], "cannot read the plan of dev"],
  ])("%s", (_name, json, message) => {
    expect(() => readPlan("dev", json)).toThrow(message);
  });

  test("unknown fields are accepted", () => {
    expect(readPlan("dev", { ...planJson([]), format_version: "1.9", news: true }).changes).toEqual([]);
  });
});
