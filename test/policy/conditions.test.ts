import type { ConditionElement } from "../../keyless/policy/document";
import { evaluate, type Request } from "../../keyless/policy/evaluate";
import { allow, asking, deny, oldPolicy, policy, when } from "./asking";

type Context = Request["context"];

/** Whether an Allow with this condition allows the request. */
function holds(condition: ConditionElement, context: Context): boolean {
  return evaluate({ identity: [policy(allow(when(condition)))] }, asking({ context })).outcome === "allowed";
}

/** Whether a Deny with this condition denies a request that is otherwise allowed. */
function denies(condition: ConditionElement, context: Context): boolean {
  return evaluate({ identity: [policy(allow(), deny(when(condition)))] }, asking({ context })).outcome === "refused";
}

const absent = {};

describe("a condition is true", () => {
  it.each<
    [operator: string, wanted: ConditionElement[string][string], actual: Context[string] | undefined, expected: boolean]
  >([
    ["StringEquals", "a", "a", true],
    ["StringEquals", "a", "A", false],
    ["StringEquals", ["a", "b"], "b", true],
    ["StringEquals", "*", "a", false],
    ["StringEquals", "*", "*", true],
    ["StringEquals", "a", undefined, false],
    ["StringEquals", "", "", true],
    ["StringEquals", 5, "5", true],
    ["StringEquals", true, "true", true],
    ["StringNotEquals", "a", "b", true],
    ["StringNotEquals", ["a", "b"], "b", false],
    ["StringNotEquals", "a", undefined, true],
    ["StringEqualsIgnoreCase", "Main", "mAIN", true],
    ["StringEqualsIgnoreCase", "main*", "main", false],
    ["StringNotEqualsIgnoreCase", "Main", "main", false],
    ["StringLike", "refs/heads/*", "refs/heads/a/b", true],
    ["StringLike", "refs/heads/*", "Refs/heads/a", false],
    ["StringLike", "v?.?", "v1.2", true],
    ["StringLike", ["x", "*"], "", true],
    ["StringLike", "*", undefined, false],
    ["StringNotLike", "v*", "v1", false],
    ["StringNotLike", "v*", undefined, true],
    ["StringEqualsIfExists", "a", undefined, true],
    ["StringEqualsIfExists", "a", "b", false],
    ["StringNotEqualsIfExists", "a", "a", false],

    ["ArnEquals", "arn:aws:s3:::b*", "arn:aws:s3:::bucket", true],
    ["ArnLike", "arn:aws:sns:*:1:t", "arn:aws:sns:a:b:1:t", false],
    ["ArnNotEquals", "arn:aws:s3:::b*", "arn:aws:s3:::bucket", false],
    ["ArnNotLike", "arn:aws:s3:::b", undefined, true],

    ["Bool", "true", "true", true],
    ["Bool", true, "TRUE", true],
    ["Bool", "false", "true", false],
    ["Bool", "false", undefined, false],
    ["BoolIfExists", "true", undefined, true],

    ["NumericEquals", "10", "10.0", true],
    ["NumericNotEquals", 10, "11", true],
    ["NumericLessThan", "10", "9", true],
    ["NumericLessThan", "10", "10", false],
    ["NumericLessThanEquals", "10", "10", true],
    ["NumericGreaterThan", "-1.5", "-1", true],
    ["NumericGreaterThanEquals", ["5", "3"], "4", true],
    ["NumericNotEquals", "1", undefined, true],

    ["DateLessThan", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z", true],
    ["DateGreaterThan", "2026-01-01", "2026-01-01T00:00:00.001Z", true],
    ["DateEquals", "2026-01-01T01:00:00+01:00", "1767225600", true],
    ["DateNotEquals", "2026", "2026-01-01", false],
    ["DateLessThanEquals", "2026-02", "2026-02-01T00:00Z", true],
    ["DateGreaterThanEquals", "1767225600", "2026-01-01", true],

    ["IpAddress", "203.0.113.0/24", "203.0.113.255", true],
    ["IpAddress", "203.0.113.0/24", "203.0.114.0", false],
    ["IpAddress", "203.0.113.7", "203.0.113.7", true],
    ["IpAddress", "0.0.0.0/0", "198.51.100.1", true],
    ["IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5678::1", true],
    ["IpAddress", "2001:db8::/32", "2001:db9::", false],
    ["IpAddress", "0.0.0.0/0", "::1", false],
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IPAddress
    ["IpAddress", "2001:db8::1", "2001:db8::1", true],
    ["IpAddress", "2001:db8::1", "2001:db9::1", false],
    ["NotIpAddress", "203.0.113.0/24", "203.0.113.9", false],
    ["NotIpAddress", ["203.0.113.0/24", "::/0"], "198.51.100.1", true],
    ["NotIpAddress", "203.0.113.0/24", undefined, true],

    ["BinaryEquals", "QmluYXJ5", "QmluYXJ5", true],
    ["BinaryEquals", "QmluYXJ5", "QmluYXJ6", false],

    ["Null", "true", undefined, true],
    ["Null", "true", "x", false],
    ["Null", "false", "x", true],
    ["Null", false, undefined, false],
    ["Null", "true", [], true],

    ["ForAnyValue:StringEquals", ["a", "b"], ["b", "z"], true],
    ["ForAnyValue:StringEquals", ["a", "b"], ["y", "z"], false],
    ["ForAnyValue:StringEquals", "a", undefined, false],
    ["ForAnyValue:StringEquals", "a", "a", true],
    ["ForAnyValue:StringNotEquals", "a", ["a", "b"], true],
    ["ForAnyValue:StringNotEquals", "a", ["a"], false],
    ["ForAnyValue:StringNotEquals", "a", undefined, false],
    ["ForAnyValue:StringLike", "*", [""], false],
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
    ["ForAnyValue:StringEqualsIfExists", "a", undefined, false],
    ["ForAnyValue:StringNotEqualsIfExists", "a", undefined, false],
    ["ForAnyValue:BoolIfExists", "true", undefined, false],
    ["ForAnyValue:StringEqualsIfExists", "a", ["b", "a"], true],
    ["ForAllValues:StringEqualsIfExists", "a", undefined, true],
    ["StringEquals", ["a", "b"], ["a", "b"], false],
    ["StringNotEquals", "c", ["a", "b"], false],
    ["StringLikeIfExists", "*", ["a", "b"], false],
    ["StringNotLike", "c*", ["a", "b"], false],
    ["Bool", "true", ["true", "true"], false],
    ["NotIpAddress", "203.0.113.0/24", ["192.0.2.1", "192.0.2.2"], false],
    ["StringEquals", "a", ["a"], true],
    ["Null", "false", ["a", "b"], true],
    ["ForAllValues:StringEquals", ["a", "b"], ["b", "a"], true],
    ["ForAllValues:StringEquals", ["a", "b"], ["b", "z"], false],
    ["ForAllValues:StringEquals", "a", undefined, true],
    ["ForAllValues:StringEquals", "a", [], true],
    ["ForAllValues:StringEquals", "a", "", true],
    ["ForAllValues:StringNotLike", "a*", ["b", "c"], true],
    ["ForAllValues:StringNotLike", "a*", ["b", "ab"], false],
    ["ForAllValues:NumericLessThan", "5", ["1", "2"], true],
  ])("%s %j on %j: %j", (operator, wanted, actual, expected) => {
    const condition = { [operator]: { "aws:Key": wanted } };
    const context = actual === undefined ? absent : { "aws:Key": actual };
    expect(holds(condition, context)).toBe(expected);
    expect(denies(condition, context)).toBe(expected);
  });

  it("regardless of the case of the key", () => {
    expect(holds({ StringEquals: { "AWS:username": "Ada" } }, { "aws:UserName": "Ada" })).toBe(true);
  });

  it("only if the comparisons of all keys and operators are true", () => {
    const condition = { StringEquals: { a: "1", b: "2" }, StringLike: { c: "3*" } };
    expect(holds(condition, { a: "1", b: "2", c: "34" })).toBe(true);
    expect(holds(condition, { a: "1", b: "2", c: "4" })).toBe(false);
    expect(holds(condition, { a: "1", c: "34" })).toBe(false);
  });

  it("never in an Allow, for an absent key and a negated operator with an unresolved variable", () => {
    const condition = { StringNotEquals: { k: "${aws:username}" } };
    expect(holds(condition, absent)).toBe(false);
    expect(denies(condition, absent)).toBe(true);
    expect(holds({ StringNotEqualsIfExists: { k: "${aws:username}" } }, absent)).toBe(true);
  });

  it("if it is empty or absent", () => {
    expect(holds({}, {})).toBe(true);
  });
});

describe("a condition that cannot be evaluated never allows, always denies, and is named", () => {
  it.each<[name: string, condition: object, context: Context, named: string]>([
    ["an operator that does not exist", { StringMatches: { k: "a" } }, { k: "a" }, "StringMatches"],
    ["an operator of the wrong case", { stringEquals: { k: "a" } }, { k: "a" }, "stringEquals"],
    ["an operator named like a property of every object", { constructor: { k: "a" } }, { k: "a" }, "constructor"],
    ["an unknown set operator", { "ForSomeValues:StringEquals": { k: "a" } }, { k: "a" }, "ForSomeValues"],
    ["NullIfExists", { NullIfExists: { k: "true" } }, absent, "NullIfExists"],
    ["Null with another value", { Null: { k: "yes" } }, absent, "Null"],
    ["a negated Bool", { BoolNotEquals: { k: "true" } }, { k: "false" }, "BoolNotEquals"],
    ["a malformed number", { NumericEquals: { k: "ten" } }, { k: "10" }, "ten"],
    [
      "a number too long to compare exactly",
      { NumericNotEquals: { k: "9007199254740993" } },
      { k: "1" },
      "9007199254740993",
    ],
    ["a malformed date", { DateLessThan: { k: "tomorrow" } }, { k: "2026-01-01" }, "tomorrow"],
    ["a day that does not exist", { DateNotEquals: { k: "2026-02-30" } }, { k: "2026-01-01" }, "2026-02-30"],
    ["a date with a time and no zone", { DateNotEquals: { k: "2026-02-03T10:00:00" } }, { k: "2026-01-01" }, "10:00"],
    ["a malformed IP address", { NotIpAddress: { k: "203.0.113.256" } }, { k: "1.2.3.4" }, "203.0.113.256"],
    ["a prefix too long", { NotIpAddress: { k: "203.0.113.0/33" } }, { k: "1.2.3.4" }, "/33"],
    ["an IPv6 address with two gaps", { NotIpAddress: { k: "1::2::3" } }, { k: "::1" }, "1::2::3"],
    ["a malformed ARN", { ArnNotLike: { k: "*" } }, { k: "arn:aws:s3:::b" }, "*"],
    ["bytes that are not base64", { BinaryEquals: { k: "a" } }, { k: "a" }, "a"],
    ["a malformed value and a valid one", { NumericEquals: { k: ["1", "x"] } }, { k: "1" }, "x"],
    ["a malformed value for an absent key", { DateLessThanIfExists: { k: "x" } }, absent, "x"],
    ["an empty list of values", { StringNotEquals: { k: [] } }, { k: "a" }, "values"],
    ["a value that is an object", { StringNotEquals: { k: { a: 1 } } }, { k: "a" }, "values"],
    ["a condition that is a string", { StringEquals: "k" }, absent, "StringEquals"],
    ["Null with a set operator", { "ForAnyValue:Null": { k: "true" } }, absent, "ForAnyValue:Null"],
    ["Null for an empty value", { Null: { k: "false" } }, { k: "" }, "empty"],
    ["an IPv6 address without a prefix", { IpAddress: { k: "2001:db8::1" } }, { k: "2001:db8::2" }, "another type"],
    ["an IPv6 address without a prefix", { NotIpAddress: { k: "2001:db8::1" } }, { k: "2001:db8::2" }, "another type"],
    ["a value in the request of another type", { NumericNotEquals: { k: "1" } }, { k: "many" }, "NumericNotEquals"],
    ["a value in the request that is not an ARN", { ArnNotLike: { k: "arn:aws:s3:::b" } }, { k: "b" }, "ArnNotLike"],
    [
      "a policy variable without a closing brace",
      { StringNotLike: { k: "${aws:username" } },
      { k: "a" },
      "${aws:username",
    ],
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-default-values
    ["a default without a space before it", { StringLike: { k: "${t,'x'}" } }, { k: "x" }, "${t,'x'}"],
    ["a default after two spaces", { StringLike: { k: "${t,  'x'}" } }, { k: "x" }, "malformed"],
    ["a default before a space", { StringLike: { k: "${t, 'x' }" } }, { k: "x" }, "malformed"],
    ["a default with double quotes", { StringLike: { k: '${t, "x"}' } }, { k: "x" }, "malformed"],
    ["a default without quotes", { StringLike: { k: "${t, x}" } }, { k: "x" }, "malformed"],
    ["a default with a quote", { StringLike: { k: "${t, 'it's'}" } }, { k: "it's" }, "malformed"],
    ["a default with a brace", { StringLike: { k: "${t, 'a}b'}" } }, { k: "a}b" }, "malformed"],
    ["a default with a variable", { StringLike: { k: "${t, '${u}'}" } }, { k: "x", u: "x" }, "closing brace"],
    ["a default with a wildcard", { StringLike: { k: "${t, '*'}" } }, { k: "x" }, "wildcard"],
    ["a default and several values", { StringLike: { k: "${t, 'x'}" } }, { k: "x", t: ["a", "b"] }, "several values"],
    ["a variable with a space around the key", { StringLike: { k: "${ t }" } }, { k: "x", t: "x" }, "malformed"],
    ["a variable with an empty value", { StringLike: { k: "${t}*" } }, { k: "x", t: "" }, "empty value"],
    ["a variable with a variable", { StringLike: { k: "${a${b}}" } }, { k: "x", a: "x", b: "x" }, "closing brace"],
    [
      "a variable whose value has a colon, in an ARN",
      { ArnNotLike: { k: "arn:aws:iam::${t}" } },
      { k: "arn:aws:iam::1:role/x", t: "1:role/x" },
      "${t}",
    ],
    ["an empty policy variable", { StringNotLike: { k: "${}" } }, { k: "a" }, "${}"],
    [
      "a policy variable with an operator that does not support it",
      { NumericNotEquals: { k: "${n}" } },
      { k: "1", n: "2" },
      "${n}",
    ],
  ])("%s", (_, condition, context, named) => {
    const allowed = evaluate({ identity: [policy(allow({ Condition: condition }))] }, asking({ context }));
    const denied = evaluate({ identity: [policy(allow(), deny({ Condition: condition }))] }, asking({ context }));
    for (const decision of [allowed, denied]) {
      expect(decision).toMatchObject({ outcome: "refused", reason: "unsupported" });
      expect(decision.because).toContain(named);
    }
  });
});

describe("a policy variable", () => {
  it.each<[name: string, condition: ConditionElement, context: Context, expected: boolean]>([
    [
      "is replaced by the value in the request",
      { StringEquals: { p: "home/${aws:username}" } },
      { p: "home/ada", "aws:username": "ada" },
      true,
    ],
    ["is case-insensitive", { StringEquals: { p: "${AWS:UserName}" } }, { p: "ada", "aws:username": "ada" }, true],
    [
      "can be a tag",
      { StringEquals: { p: "${aws:PrincipalTag/team}" } },
      { p: "web", "aws:PrincipalTag/team": "web" },
      true,
    ],
    ["can have a default", { StringEquals: { p: "${aws:PrincipalTag/team, 'none'}" } }, { p: "none" }, true],
    [
      "does not use the default if the key is present",
      { StringEquals: { p: "${t, 'none'}" } },
      { p: "none", t: "web" },
      false,
    ],
    ["can have an empty default", { StringEquals: { p: "x${t, ''}" } }, { p: "x" }, true],
    ["can have a default with commas", { StringEquals: { p: "${t, 'a, b'}" } }, { p: "a, b" }, true],
    ["can have a default with spaces", { StringEquals: { p: "${t, ' a '}" } }, { p: " a " }, true],
    [
      "can be a tag with spaces",
      { StringEquals: { p: "${aws:PrincipalTag/cost center}" } },
      { p: "7", "aws:PrincipalTag/cost center": "7" },
      true,
    ],
    [
      "does not move the parts of an ARN",
      { ArnLike: { p: "arn:aws:iam:${t}:2:role/x" } },
      { p: "arn:aws:iam:a:b:2:role/x", t: "a:b" },
      false,
    ],
    ["can occur several times", { StringLike: { p: "${a}/*/${b}" } }, { p: "1/x/2", a: "1", b: "2" }, true],
    ["with a wildcard as its value is literal", { StringLike: { p: "${t}" } }, { p: "anything", t: "*" }, false],
    ["with a star as its value matches a star", { StringLike: { p: "${t}" } }, { p: "*", t: "*" }, true],
    ["${*} does not match other characters", { StringLike: { p: "a${*}" } }, { p: "ab" }, false],
    ["${*} matches a star", { StringLike: { p: "a${*}" } }, { p: "a*" }, true],
    ["${?} matches a question mark", { StringLike: { p: "${?}" } }, { p: "?" }, true],
    ["${$} matches a dollar sign", { StringEquals: { p: "${$}{x}" } }, { p: "${x}" }, true],
    ["works in ARNs", { ArnLike: { p: "arn:aws:s3:::${t}-*" } }, { p: "arn:aws:s3:::web-1", t: "web" }, true],
    ["whose key is absent matches nothing", { StringLike: { p: "${t}*" } }, { p: "x" }, false],
    ["whose key is absent does not affect the other values", { StringLike: { p: ["${t}", "x"] } }, { p: "x" }, true],
    ["whose key has several values matches nothing", { StringLike: { p: "${t}*" } }, { p: "a", t: ["a", "b"] }, false],
  ])("%s", (_, condition, context, expected) => {
    expect(holds(condition, context)).toBe(expected);
    expect(denies(condition, context)).toBe(expected);
  });

  it("whose key is absent does not match in an Allow with a negated operator, and matches in a Deny", () => {
    const condition = { StringNotEquals: { p: "${aws:username}" } };
    expect(holds(condition, { p: "x" })).toBe(false);
    expect(denies(condition, { p: "x" })).toBe(true);
  });

  it("is literal in version 2008-10-17", () => {
    const decide = (p: string) =>
      evaluate(
        { identity: [oldPolicy(allow(when({ StringEquals: { p: "${aws:username}" } })))] },
        asking({ context: { p, "aws:username": "ada" } }),
      ).outcome;
    expect(decide("ada")).toBe("refused");
    expect(decide("${aws:username}")).toBe("allowed");
  });
});

describe("an unknown condition key", () => {
  const unknownKey = (key: string) => (key === "issuer:vcs-ref" ? "AWS has no such key" : undefined);
  const context = { "issuer:vcs-ref": "main", p: "main" };
  const negatedOrAbsent = ["StringNotEquals", "StringEqualsIfExists", "ForAllValues:StringEquals"];

  it.each(["StringEquals", "StringLike", "ForAnyValue:StringEquals", ...negatedOrAbsent])(
    "never matches in an Allow: %s",
    (operator) => {
      const identity = [policy(allow(when({ [operator]: { "issuer:vcs-ref": "main" } })))];
      const decision = evaluate({ identity }, asking({ context }), { unknownKey });
      expect(decision).toMatchObject({ outcome: "refused", reason: "no-matching-allow" });
      expect(decision.because).toContain("AWS has no such key");
    },
  );

  it("never matches in an Allow with Null", () => {
    const identity = [policy(allow(when({ Null: { "issuer:vcs-ref": "true" } })))];
    expect(evaluate({ identity }, asking({ context }), { unknownKey }).outcome).toBe("refused");
  });

  it.each(negatedOrAbsent)("is absent in a Deny: %s", (operator) => {
    const identity = [policy(allow(), deny(when({ [operator]: { "issuer:vcs-ref": "main" } })))];
    expect(evaluate({ identity }, asking({ context }), { unknownKey }).reason).toBe("explicit-deny");
  });

  it("is unresolved in a policy variable", () => {
    const identity = [policy(allow(when({ StringEquals: { p: "${issuer:vcs-ref}" } })))];
    expect(evaluate({ identity }, asking({ context })).outcome).toBe("allowed");
    expect(evaluate({ identity }, asking({ context }), { unknownKey }).outcome).toBe("refused");
  });
});
