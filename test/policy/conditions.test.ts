import type { ConditionElement } from "../../keyless/policy/document";
import { evaluate, type Request } from "../../keyless/policy/evaluate";
import { allow, asking, deny, oldPolicy, policy, when } from "./asking";

type Context = Request["context"];

/** Whether an Allow with this condition allows. */
function holds(condition: ConditionElement, context: Context): boolean {
  return evaluate({ identity: [policy(allow(when(condition)))] }, asking({ context })).outcome === "allowed";
}

/** Whether a Deny with this condition denies what is otherwise allowed. */
function denies(condition: ConditionElement, context: Context): boolean {
  return evaluate({ identity: [policy(allow(), deny(when(condition)))] }, asking({ context })).outcome === "refused";
}

const absent = {};

describe("a condition holds", () => {
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
    ["ForAnyValue:StringEqualsIfExists", "a", undefined, true],
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

  it("whatever the case of the key's name", () => {
    expect(holds({ StringEquals: { "AWS:username": "Ada" } }, { "aws:UserName": "Ada" })).toBe(true);
  });

  it("only when every key of every operator does", () => {
    const condition = { StringEquals: { a: "1", b: "2" }, StringLike: { c: "3*" } };
    expect(holds(condition, { a: "1", b: "2", c: "34" })).toBe(true);
    expect(holds(condition, { a: "1", b: "2", c: "4" })).toBe(false);
    expect(holds(condition, { a: "1", c: "34" })).toBe(false);
  });

  it("never for an absent key that must differ from a variable without a value, in an Allow", () => {
    const condition = { StringNotEquals: { k: "${aws:username}" } };
    expect(holds(condition, absent)).toBe(false);
    expect(denies(condition, absent)).toBe(true);
    expect(holds({ StringNotEqualsIfExists: { k: "${aws:username}" } }, absent)).toBe(true);
  });

  it("when there is none", () => {
    expect(holds({}, {})).toBe(true);
  });
});

describe("what cannot be evaluated never allows, always denies, and is named", () => {
  it.each<[name: string, condition: object, context: Context, named: string]>([
    ["an operator that does not exist", { StringMatches: { k: "a" } }, { k: "a" }, "StringMatches"],
    ["an operator of the wrong case", { stringEquals: { k: "a" } }, { k: "a" }, "stringEquals"],
    ["an operator named like a property of every object", { constructor: { k: "a" } }, { k: "a" }, "constructor"],
    ["an unknown set operator", { "ForSomeValues:StringEquals": { k: "a" } }, { k: "a" }, "ForSomeValues"],
    ["NullIfExists", { NullIfExists: { k: "true" } }, absent, "NullIfExists"],
    ["Null with another value", { Null: { k: "yes" } }, absent, "Null"],
    ["a negated Bool", { BoolNotEquals: { k: "true" } }, { k: "false" }, "BoolNotEquals"],
    ["a number that is none", { NumericEquals: { k: "ten" } }, { k: "10" }, "ten"],
    [
      "a number too long to compare exactly",
      { NumericNotEquals: { k: "9007199254740993" } },
      { k: "1" },
      "9007199254740993",
    ],
    ["a date that is none", { DateLessThan: { k: "tomorrow" } }, { k: "2026-01-01" }, "tomorrow"],
    ["a day that does not exist", { DateNotEquals: { k: "2026-02-30" } }, { k: "2026-01-01" }, "2026-02-30"],
    ["a date with a time and no zone", { DateNotEquals: { k: "2026-02-03T10:00:00" } }, { k: "2026-01-01" }, "10:00"],
    ["an address that is none", { NotIpAddress: { k: "203.0.113.256" } }, { k: "1.2.3.4" }, "203.0.113.256"],
    ["a prefix too long", { NotIpAddress: { k: "203.0.113.0/33" } }, { k: "1.2.3.4" }, "/33"],
    ["an IPv6 address with two gaps", { NotIpAddress: { k: "1::2::3" } }, { k: "::1" }, "1::2::3"],
    ["an ARN that is none", { ArnNotLike: { k: "*" } }, { k: "arn:aws:s3:::b" }, "*"],
    ["bytes that are not base64", { BinaryEquals: { k: "a" } }, { k: "a" }, "a"],
    ["a bad value beside a good one", { NumericEquals: { k: ["1", "x"] } }, { k: "1" }, "x"],
    ["a bad value for an absent key", { DateLessThanIfExists: { k: "x" } }, absent, "x"],
    ["no value at all", { StringNotEquals: { k: [] } }, { k: "a" }, "values"],
    ["a value that is an object", { StringNotEquals: { k: { a: 1 } } }, { k: "a" }, "values"],
    ["a condition that is a string", { StringEquals: "k" }, absent, "StringEquals"],
    ["several values without a set operator", { StringEquals: { k: "a" } }, { k: ["a", "b"] }, "ForAnyValue"],
    ["a request's value of another type", { NumericNotEquals: { k: "1" } }, { k: "many" }, "NumericNotEquals"],
    ["a request's ARN that is none", { ArnNotLike: { k: "arn:aws:s3:::b" } }, { k: "b" }, "ArnNotLike"],
    ["a policy variable without an end", { StringNotLike: { k: "${aws:username" } }, { k: "a" }, "${aws:username"],
    ["an empty policy variable", { StringNotLike: { k: "${}" } }, { k: "a" }, "${}"],
    ["a policy variable where none may be", { NumericNotEquals: { k: "${n}" } }, { k: "1", n: "2" }, "${n}"],
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
      "stands for the request's value",
      { StringEquals: { p: "home/${aws:username}" } },
      { p: "home/ada", "aws:username": "ada" },
      true,
    ],
    [
      "is found whatever its case",
      { StringEquals: { p: "${AWS:UserName}" } },
      { p: "ada", "aws:username": "ada" },
      true,
    ],
    [
      "stands for a tag",
      { StringEquals: { p: "${aws:PrincipalTag/team}" } },
      { p: "web", "aws:PrincipalTag/team": "web" },
      true,
    ],
    ["has a default", { StringEquals: { p: "${aws:PrincipalTag/team, 'none'}" } }, { p: "none" }, true],
    ["needs no default", { StringEquals: { p: "${t, 'none'}" } }, { p: "none", t: "web" }, false],
    ["may have an empty default", { StringEquals: { p: "x${t, ''}" } }, { p: "x" }, true],
    ["may stand several times", { StringLike: { p: "${a}/*/${b}" } }, { p: "1/x/2", a: "1", b: "2" }, true],
    ["puts in text and no wildcard", { StringLike: { p: "${t}" } }, { p: "anything", t: "*" }, false],
    ["puts in a star that matches a star", { StringLike: { p: "${t}" } }, { p: "*", t: "*" }, true],
    ["spells a star", { StringLike: { p: "a${*}" } }, { p: "ab" }, false],
    ["spells a star that matches", { StringLike: { p: "a${*}" } }, { p: "a*" }, true],
    ["spells a question mark", { StringLike: { p: "${?}" } }, { p: "?" }, true],
    ["spells a dollar", { StringEquals: { p: "${$}{x}" } }, { p: "${x}" }, true],
    ["works in ARNs", { ArnLike: { p: "arn:aws:s3:::${t}-*" } }, { p: "arn:aws:s3:::web-1", t: "web" }, true],
    ["that stands for nothing matches nothing", { StringLike: { p: "${t}*" } }, { p: "x" }, false],
    ["leaves the other values alone", { StringLike: { p: ["${t}", "x"] } }, { p: "x" }, true],
    ["that has several values stands for nothing", { StringLike: { p: "${t}*" } }, { p: "a", t: ["a", "b"] }, false],
  ])("%s", (_, condition, context, expected) => {
    expect(holds(condition, context)).toBe(expected);
    expect(denies(condition, context)).toBe(expected);
  });

  it("that stands for nothing lets nobody in by a negated operator, and keeps a Deny", () => {
    const condition = { StringNotEquals: { p: "${aws:username}" } };
    expect(holds(condition, { p: "x" })).toBe(false);
    expect(denies(condition, { p: "x" })).toBe(true);
  });

  it("is plain text in the old version of the language", () => {
    const decide = (p: string) =>
      evaluate(
        { identity: [oldPolicy(allow(when({ StringEquals: { p: "${aws:username}" } })))] },
        asking({ context: { p, "aws:username": "ada" } }),
      ).outcome;
    expect(decide("ada")).toBe("refused");
    expect(decide("${aws:username}")).toBe("allowed");
  });
});

describe("a condition key that AWS does not have", () => {
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

  it("never matches in an Allow even by Null", () => {
    const identity = [policy(allow(when({ Null: { "issuer:vcs-ref": "true" } })))];
    expect(evaluate({ identity }, asking({ context }), { unknownKey }).outcome).toBe("refused");
  });

  it.each(negatedOrAbsent)("is absent in a Deny, which applies as in AWS: %s", (operator) => {
    const identity = [policy(allow(), deny(when({ [operator]: { "issuer:vcs-ref": "main" } })))];
    expect(evaluate({ identity }, asking({ context }), { unknownKey }).reason).toBe("explicit-deny");
  });

  it("stands for nothing in a policy variable", () => {
    const identity = [policy(allow(when({ StringEquals: { p: "${issuer:vcs-ref}" } })))];
    expect(evaluate({ identity }, asking({ context })).outcome).toBe("allowed");
    expect(evaluate({ identity }, asking({ context }), { unknownKey }).outcome).toBe("refused");
  });
});
