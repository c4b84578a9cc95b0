import { attributeLines, difference, format } from "../../keyless/plan/difference";
import { Hidden, UNKNOWN, type Value } from "../../keyless/plan/value";

type Attributes = { readonly [attribute: string]: Value };

function lines(before: Attributes | null, after: Attributes | null, replacePaths: readonly string[][] = []) {
  return attributeLines({ before, after, replacePaths }).map(({ sign, text }) => `${sign} ${text}`);
}

test("an attribute of one line is shown before and after", () => {
  expect(lines({ name: "a", path: "/" }, { name: "b", path: "/" })).toEqual(['- name = "a"', '+ name = "b"']);
});

test("attributes are sorted, and unknown ones without a previous value are in one line", () => {
  expect(lines(null, { b: 1, arn: UNKNOWN, a: true, id: UNKNOWN })).toEqual([
    "+ a = true",
    "+ b = 1",
    "+ known after apply: arn, id",
  ]);
});

test("null, an empty list and an empty map do not differ", () => {
  expect(lines({ tags: null, list: [] }, { tags: {}, list: null })).toEqual([]);
});

test("an attribute that forces a replacement is marked", () => {
  expect(lines({ name: "a" }, { name: "b" }, [["name"]])).toEqual([
    '- name (forces replacement) = "a"',
    '+ name (forces replacement) = "b"',
  ]);
});

test("a concealed value is shown as its text", () => {
  const changed = new Hidden("sensitive", "(sensitive, changed)");
  expect(lines({ key: new Hidden("sensitive", "(sensitive)") }, { key: changed })).toEqual([
    "- key = (sensitive)",
    "+ key = (sensitive, changed)",
  ]);
});

test("JSON in a string is compared by its lines, with two lines of context", () => {
  const policy = (action: string) =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Sid: "a", Effect: "Allow", Resource: "*", Action: action }],
    });
  expect(lines({ policy: policy("s3:Get*") }, { policy: policy("s3:*") })).toEqual([
    "  policy =",
    "    …",
    "        {",
    '          "Action": [',
    '-           "s3:Get*"',
    '+           "s3:*"',
    "          ]",
    '          "Effect": "Allow"',
    "    …",
  ]);
});

test("another spelling of the same policy is equivalent", () => {
  const one = JSON.stringify({ Statement: [{ Action: ["b", "a"], Resource: "*" }] });
  const other = JSON.stringify({ Statement: [{ Resource: ["*"], Action: ["a", "b"] }] });
  expect(difference("policy", one, other)).toEqual([{ sign: " ", text: "policy: equivalent" }]);
});

test("the exact format distinguishes JSON in a string and the order of a policy's lists", () => {
  const policy = { Statement: [{ Action: ["b", "a"] }] };
  expect(format(JSON.stringify(policy), true).join("\n")).toBe(`jsonencode(${format(policy, true).join("\n")})`);
  expect(format(JSON.stringify(policy))).not.toEqual(format(policy));
  expect(format(JSON.stringify(policy))).toEqual(format({ Statement: [{ Action: ["a", "b"] }] }));
});

test("with many differing lines, the value before precedes the value after", () => {
  const list = (prefix: string) => Array.from({ length: 1_000 }, (_, at) => [`${prefix}${at}`, "common"]).flat();
  const signs = difference("list", list("a"), list("b")).map(({ sign }) => sign);
  expect(signs.join("")).toMatch(/^ -+[+]+$/);
});
