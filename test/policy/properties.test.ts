import fc from "fast-check";
import type { Statement } from "../../keyless/policy/document";
import type { NamedPolicy, Policies, Request } from "../../keyless/policy/evaluate";
import { evaluate } from "../../keyless/policy/evaluate";
import { asking, policy } from "./asking";
import { naivelyAllowed } from "./naive";

/** A few names, so that random policies and requests often match. */
const actions = ["s3:GetObject", "s3:PutObject", "iam:PassRole"];
const resources = [
  "arn:aws:s3:::a/x",
  "arn:aws:s3:::b/x",
  "arn:aws:iam::123456789012:role/r",
  "arn:aws:logs:us-east-1:123456789012:log-group:a:b",
];
const resourcePatterns = [
  ...["arn:aws:s3:::?/x", "arn:aws:s3:*", "arn:aws:iam::123456789012", "arn:aws:logs", "arn:*", "arn:aws:logs:us*:b"],
  ...["arn:aws:logs:*:log-group:a:b", "arn:aws:logs:u*1:1*2:log-group:*:b", "arn:aws:iam::?234567890*:role/?"],
  ...["arn:aws:s3:::${k}/x", "arn:aws:s3:::${k, 'b'}/x", "arn:aws:s3:::${l, 'b'}/?"],
];
const values = ["", "a", "A", "ab", "b"];
const keys = ["k", "K", "l"];

const some = (...options: string[]) => fc.uniqueArray(fc.constantFrom(...options), { minLength: 1, maxLength: 2 });
const operator = fc
  .record({
    set: fc.constantFrom("", "", "ForAllValues:", "ForAnyValue:"),
    base: fc.constantFrom("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringLike", "StringNotLike"),
    suffix: fc.constantFrom("", "", "IfExists"),
  })
  .map(({ set, base, suffix }) => `${set}${base}${suffix}`);
const condition = fc.oneof(
  fc.record({ operator, key: fc.constantFrom(...keys), wanted: some(...values, "a*", "?", "*") }),
  fc.record({ operator: fc.constant("Null"), key: fc.constantFrom(...keys), wanted: some("true", "false") }),
);
const statement = fc
  .record({
    effect: fc.constantFrom("Allow", "Allow", "Deny"),
    actionElement: fc.constantFrom("Action", "Action", "NotAction"),
    action: some(...actions, "S3:get*", "*", "iam:?assRole"),
    resourceElement: fc.constantFrom("Resource", "Resource", "NotResource"),
    resource: fc.oneof(some(...resources, "*"), some(...resourcePatterns), fc.constant(["*"])),
    conditions: fc.array(condition, { maxLength: 2 }),
  })
  .map(({ effect, actionElement, action, resourceElement, resource, conditions }) => {
    const block: { [operator: string]: { [key: string]: string[] } } = {};
    for (const { operator, key, wanted } of conditions) block[operator] = { ...block[operator], [key]: wanted };
    return {
      Effect: effect,
      [actionElement]: action,
      [resourceElement]: resource,
      Condition: block,
    } as unknown as Statement;
  });
const document = fc.array(statement, { maxLength: 3 });
const policies: fc.Arbitrary<Policies> = fc
  .record({
    identity: document,
    boundary: fc.option(document, { nil: undefined }),
    session: fc.option(document, { nil: undefined }),
  })
  .map(({ identity, boundary, session }) => ({
    identity: [policy(...identity)],
    ...(boundary && { boundary: policy(...boundary) }),
    ...(session && { session: [policy(...session)] }),
  }));
const request: fc.Arbitrary<Request> = fc
  .record({
    action: fc.constantFrom(...actions),
    resource: fc.constantFrom(...resources),
    k: fc.option(fc.constantFrom(...values), { nil: undefined }),
    l: fc.option(fc.uniqueArray(fc.constantFrom(...values), { minLength: 2, maxLength: 3 }), { nil: undefined }),
  })
  .map(({ action, resource, k, l }) =>
    asking({ action, resource, context: { ...(k !== undefined && { k }), ...(l && { l }) } }),
  );

const outcome = (policies: Policies, request: Request) => evaluate(policies, request).outcome;
const add = (policies: Policies, ...statements: readonly unknown[]): Policies => ({
  ...policies,
  identity: [...(policies.identity ?? []), policy(...statements)],
});

describe("for any policies and any request", () => {
  it("the decision equals that of a naive evaluator", () => {
    fc.assert(
      fc.property(policies, request, (given, asked) => {
        expect(outcome(given, asked)).toBe(naivelyAllowed(given, asked) ? "allowed" : "refused");
      }),
      { numRuns: 5000 },
    );
  });

  it("another Deny never turns refused into allowed", () => {
    fc.assert(
      fc.property(policies, statement, request, (given, more, asked) => {
        fc.pre(outcome(given, asked) === "refused");
        expect(outcome(add(given, { ...more, Effect: "Deny" }), asked)).toBe("refused");
      }),
    );
  });

  it("another Allow never turns allowed into refused", () => {
    fc.assert(
      fc.property(policies, statement, request, (given, more, asked) => {
        fc.pre(outcome(given, asked) === "allowed");
        expect(outcome(add(given, { ...more, Effect: "Allow" }), asked)).toBe("allowed");
      }),
      { maxSkipsPerRun: 300 },
    );
  });

  it("a boundary or a session policy never allows more", () => {
    fc.assert(
      fc.property(policies, document, request, (given, more, asked) => {
        fc.pre(outcome(given, asked) === "refused");
        expect(outcome({ ...given, boundary: given.boundary ?? policy(...more) }, asked)).toBe("refused");
        expect(outcome({ ...given, session: given.session ?? [policy(...more)] }, asked)).toBe("refused");
      }),
    );
  });

  it("the case of actions and of condition keys does not matter", () => {
    fc.assert(
      fc.property(policies, request, (given, asked) => {
        const context = Object.fromEntries(
          Object.entries(asked.context).map(([key, value]) => [key.toUpperCase(), value]),
        );
        expect(outcome(given, { ...asked, action: asked.action.toUpperCase(), context })).toBe(outcome(given, asked));
      }),
    );
  });

  it("an unsupported part in an Allow never allows more, and in a matching Deny still denies", () => {
    const unknown = fc.constantFrom(
      { Foo: 1 },
      { Condition: { StringFoo: { k: "a" } } },
      { Condition: { DateEquals: { k: "x" } } },
    );
    fc.assert(
      fc.property(policies, statement, unknown, request, (given, more, fault, asked) => {
        const before = outcome(given, asked);
        expect(outcome(add(given, { ...more, Effect: "Allow", ...fault }), asked)).toBe(before);
        const plain = outcome(add(given, { ...more, Effect: "Deny", Condition: {} }), asked);
        expect(outcome(add(given, { ...more, Effect: "Deny", Condition: {}, ...fault }), asked)).toBe(plain);
      }),
    );
  });
});

describe("for any JSON", () => {
  const field = fc.constantFrom(
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "Principal",
    "NotPrincipal",
    "Condition",
    "Sid",
  );
  const almost = fc.dictionary(field, fc.oneof(fc.jsonValue(), fc.constantFrom("Allow", "*", "s3:*")));

  it("the engine never throws, and allows only if there is an Allow", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          almost.map((one) => ({ Statement: one })),
        ),
        request,
        (json, asked) => {
          const named = { name: "random", document: json } as unknown as NamedPolicy;
          const all = policy({ Effect: "Allow", Action: "*", Resource: "*" });
          const given: Policies[] = [
            { identity: [named] },
            { resource: [named] },
            { identity: [all], boundary: named },
          ];
          for (const policies of given)
            if (outcome(policies, asked) === "allowed") expect(JSON.stringify(json)).toContain('"Effect":"Allow"');
        },
      ),
      { numRuns: 3000 },
    );
  });
});
