// @duration 15
import fc from "fast-check";
import type { PolicyDocument } from "../../../keyless/policy/document";
import { evaluate } from "../../../keyless/policy/evaluate";
import { readDocument } from "../../../keyless/review/delta/documents";
import { permissionDelta } from "../../../keyless/review/delta/permissions";
import { trustDelta } from "../../../keyless/review/delta/trust";
import { richText } from "../../../keyless/review/rich-text";
import { ISSUER, policy } from "../plans";

const PROVIDER = `arn:aws:iam::123456789012:oidc-provider/${ISSUER}`;
const OTHER = "arn:aws:iam::123456789012:oidc-provider/other.example.com";

const oneOrMany = (values: readonly string[]) =>
  fc.oneof(fc.constantFrom(...values), fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 }));
const operator = fc.constantFrom(
  ...["StringEquals", "StringLike", "StringNotEquals", "StringNotLike", "StringLikeIfExists", "StringEqualsIgnoreCase"],
  ...["ForAnyValue:StringLike", "ForAllValues:StringEquals", "Null"],
);
const values = oneOrMany(["o/p/a", "o/p/*", "o/*", "*", "o/?/a", "O/P/A", "o/p/ab", "true", "false"]);
const key = fc.constantFrom(
  `${ISSUER}:sub`,
  `${ISSUER}:aud`,
  `${ISSUER.toUpperCase()}:SUB`,
  "aws:SourceIp",
  "other.example.com:sub",
);
const anyCondition = fc.dictionary(operator, fc.dictionary(key, values, { minKeys: 1, maxKeys: 2 }), { maxKeys: 2 });
const usual = fc.tuple(values, values).map(([aud, sub]) => ({
  StringEquals: { [`${ISSUER}:aud`]: aud },
  StringLike: { [`${ISSUER}:sub`]: sub },
}));
const condition = fc.oneof(usual, anyCondition);
const optional = (name: string, value: fc.Arbitrary<unknown>) => value.map((each) => ({ [name]: each }));

/** Statements of every form of the policy language, with few values, so that they often match each other. */
function statements(more: fc.Arbitrary<object>, actions: readonly string[]) {
  const statement = fc
    .tuple(
      fc.constantFrom("Allow", "Allow", "Allow", "Deny"),
      fc.oneof(
        { weight: 4, arbitrary: optional("Action", oneOrMany(actions)) },
        optional("NotAction", oneOrMany(actions)),
      ),
      condition,
      more,
    )
    .map(([Effect, action, Condition, rest]) => ({ Effect, ...action, Condition, ...rest }));
  return fc.array(statement, { maxLength: 3 });
}

const effects = (findings: readonly { readonly effect: string }[]) => findings.map(({ effect }) => effect);

test("a trust policy that allows a token that the previous one did not is a gain, the reverse is a finding", () => {
  const who = oneOrMany([PROVIDER, OTHER]);
  const principal = fc.oneof(
    { weight: 3, arbitrary: who.map((Federated) => ({ Principal: { Federated } })) },
    fc.constantFrom({ Principal: "*" }, { Principal: { AWS: "*" } }, { NotPrincipal: { Federated: OTHER } }),
  );
  const actions = ["sts:AssumeRoleWithWebIdentity", "STS:assumerolewithwebidentity", "sts:*", "sts:AssumeRole", "*"];
  const token = fc.record({
    sub: fc.constantFrom("o/p/a", "o/p/ab", "o/q/a", "x"),
    aud: fc.constantFrom("o/p/a", "x"),
  });
  const plainStatement = fc
    .tuple(oneOrMany(actions), usual)
    .map(([Action, Condition]) => [{ Effect: "Allow", Principal: { Federated: PROVIDER }, Action, Condition }]);
  const trust = fc.oneof(plainStatement, statements(principal, actions));
  const allowed = (document: readonly unknown[], { sub, aud }: { sub: string; aud: string }) =>
    evaluate(
      { resource: [{ name: "trust", document: { Version: "2012-10-17", Statement: document } as PolicyDocument }] },
      {
        principal: { kind: "Federated", id: PROVIDER },
        action: "sts:AssumeRoleWithWebIdentity",
        resource: "arn:aws:iam::123456789012:role/r",
        context: { [`${ISSUER}:sub`]: sub, [`${ISSUER}:aud`]: aud },
      },
    ).outcome === "allowed";
  fc.assert(
    fc.property(trust, trust, token, (before, after, claims) => {
      const found = effects(trustDelta("role r", readDocument(policy(...before)), readDocument(policy(...after))));
      const [was, is] = [allowed(before, claims), allowed(after, claims)];
      if (!was && is) expect(found.some((effect) => effect !== "loss")).toBe(true);
      if (was && !is) expect(found).not.toEqual([]);
    }),
    { numRuns: 5_000 },
  );
});

test("an allowed request that was not allowed before is a gain, the reverse a loss", () => {
  const resources = ["*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/k", "arn:aws:s3:::*", "arn:aws:s3:::?/k"];
  const resource = fc.oneof(
    { weight: 4, arbitrary: optional("Resource", oneOrMany(resources)) },
    optional("NotResource", oneOrMany(resources)),
  );
  const documents = fc.array(statements(resource, ["s3:*", "s3:GetObject", "S3:Get*", "s3:Put?bject", "*"]), {
    maxLength: 2,
  });
  const request = fc.record({
    action: fc.constantFrom("s3:GetObject", "s3:PutObject", "sqs:SendMessage"),
    resource: fc.constantFrom("arn:aws:s3:::b/k", "arn:aws:s3:::b/l", "arn:aws:s3:::c/k"),
  });
  const allowed = (role: readonly (readonly unknown[])[], asked: { action: string; resource: string }) => {
    const identity = role.map((Statement) => ({
      name: "p",
      document: { Version: "2012-10-17", Statement } as PolicyDocument,
    }));
    const principal = { kind: "AWS", id: "arn:aws:sts::123456789012:assumed-role/r/s" } as const;
    return evaluate({ identity }, { ...asked, principal, context: { "aws:SourceIp": "o/p/a" } }).outcome === "allowed";
  };
  const grants = (role: readonly (readonly unknown[])[]) =>
    role.map((each, at) => ({ source: richText`p${String(at)}`, document: readDocument(policy(...each)) }));
  fc.assert(
    fc.property(documents, documents, request, (before, after, asked) => {
      const found = effects(permissionDelta("role r", grants(before), grants(after)));
      const [was, is] = [allowed(before, asked), allowed(after, asked)];
      if (!was && is) expect(found.some((effect) => effect !== "loss")).toBe(true);
      if (was && !is) expect(found.some((effect) => effect !== "gain")).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});
