import fc from "fast-check";
import { commonStart, covers, coversArn, literalPattern } from "../../keyless/policy/containment";
import { evaluate } from "../../keyless/policy/evaluate";
import { matchesPattern } from "../../keyless/policy/pattern";
import { allow, asking, policy } from "./asking";

test.each([
  ["*", "anything", true],
  ["a*", "a", true],
  ["a*", "a*b?", true],
  ["a?", "a", false],
  ["a?", "a*", false],
  ["*?", "?*", true],
  ["?*", "*?", true],
  ["*a*", "*ba*", true],
  ["*ba*", "*a*", false],
  ["**", "*", true],
  ["", "*", false],
  ["a", "${a}", false],
  ["*", "${aws:username}", true],
  ["?", "${aws:username}", false],
  ["x${aws:username}", "x${aws:username}", true],
  ["x${aws:username}", "xa", false],
  ["${*}", "*", false],
  ["*", "${*}", true],
  ["?", "${*}", true],
  ["?", "😀", true],
])("%j covers %j: %s", (wide, narrow, expected) => {
  expect(covers(wide, narrow)).toBe(expected);
});

test("the common start is the longest start of the text that a start of the pattern matches", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "*", "?", "/", "😀"), maxLength: 8 });
  fc.assert(
    fc.property(word, word, (pattern, text) => {
      const [patternStarts, textStarts] = [startsOf(pattern), startsOf(text)];
      const longest = textStarts.find((start) => patternStarts.some((each) => matchesPattern(each, start))) ?? "";
      expect(commonStart(pattern, text)).toBe(longest.length);
      expect(commonStart(literalPattern(text), text)).toBe(text.length);
    }),
  );
});

/** The longest first. */
function startsOf(text: string): string[] {
  const characters = Array.from(text);
  return [...characters, ""].map((_, at) => characters.slice(0, characters.length - at).join(""));
}

test("a pattern covers another if and only if it matches every text that the other matches", () => {
  const pattern = fc.array(fc.constantFrom("a", "b", "*", "?"), { maxLength: 4 }).map((parts) => parts.join(""));
  // A counterexample is at most as long as both patterns together and requires no other letters.
  const texts = textsUpTo(6, ["a", "b", "c"]);
  fc.assert(
    fc.property(pattern, pattern, (wide, narrow) => {
      const matched = texts.filter((text) => matchesPattern(narrow, text));
      expect(covers(wide, narrow)).toBe(matched.every((text) => matchesPattern(wide, text)));
    }),
    { numRuns: 300 },
  );
});

function textsUpTo(length: number, letters: readonly string[]): readonly string[] {
  const shorter = length === 0 ? [] : textsUpTo(length - 1, letters);
  const longest = shorter.filter((text) => text.length === length - 1);
  return length === 0 ? [""] : [...shorter, ...longest.flatMap((text) => letters.map((letter) => text + letter))];
}

test("an escaped text covers only itself", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a*?]{0,8}$/), fc.stringMatching(/^[ab]{0,8}$/), (text, other) => {
      expect(covers(literalPattern(text), literalPattern(other))).toBe(text === other);
      expect(covers(text, literalPattern(other))).toBe(matchesPattern(text, other));
    }),
  );
});

test("pathological patterns are answered fast, with no", () => {
  expect(covers(`*a${"?".repeat(40)}`, `*a${"?".repeat(41)}`)).toBe(false);
  expect(covers(`*a${"?".repeat(400)}b`, `*a${"?".repeat(401)}*b`)).toBe(false);
});

test.each([
  ["?*".repeat(440), "?*".repeat(441), true],
  ["?*".repeat(441), "?*".repeat(440), false],
  ["*a".repeat(1_000), "*a".repeat(1_001), true],
  ["*a".repeat(1_001), "*a".repeat(1_000), false],
  ["*a*b".repeat(200), "*b*a*b".repeat(200), true],
  ["a*b*c*".repeat(200), "a*c*b*".repeat(200), false],
  ["${*}?*?*", "${*}a?*", true],
])("long patterns with many wildcards are answered exactly: %#", (wide, narrow, expected) => {
  expect(covers(wide, narrow)).toBe(expected);
});

test.each([
  ["arn:aws:s3:::site*", "arn:aws:s3:::site/a:b", true],
  ["arn:aws:iam::*:role/x", "arn:aws:iam::1:y:role/x", false],
  ["*", "arn:aws:iam::1:role/x", true],
  ["arn:aws:iam::*", "arn:aws:iam::1:role/x", true],
  ["arn:aws:iam::1", "arn:aws:iam::1:role/x", false],
  ["arn:aws:iam:*:role/x", "arn:aws:iam::1:role/x", false],
  ["arn:aws:*:::x", "arn:aws:s3:::x", false],
  ["arn:aws:iam::1:r*", "arn:aws:iam::1:role/x", false],
  ["arn:aws:s3:::${aws:username}*", "arn:aws:s3:::${aws:username}/x", true],
])("the resource %s covers %s: %s", (wide, narrow, expected) => {
  expect(coversArn(wide, narrow)).toBe(expected);
});

test("a resource that covers another one allows every request that the other one allows", () => {
  const part = (...texts: string[]) => fc.constantFrom(...texts, "*", "a*", "?");
  const last = fc.constantFrom("role/a", "role/*", "*", "r*", "*a", "a:b", "?:*", "a*");
  const full = fc.tuple(fc.constantFrom("iam", "s3", "*"), part("a", ""), part("1", "a"), last);
  const short = fc.constantFrom(
    "*",
    "arn:*",
    "arn:aws:*",
    "arn:aws:iam:*",
    "arn:aws:iam:a:*",
    "arn:aws:iam::1",
    "arn:aws:s3:*:a",
  );
  const pattern = fc.oneof({ weight: 3, arbitrary: full.map((parts) => `arn:aws:${parts.join(":")}`) }, short);
  const resources = ["iam", "s3"].flatMap((service) =>
    ["", "a", "ab"].flatMap((region) =>
      ["1", "a", ""].flatMap((owner) =>
        ["role/a", "a:b", "a", "x:a"].map((name) => `arn:aws:${service}:${region}:${owner}:${name}`),
      ),
    ),
  );
  const allowed = (Resource: string, resource: string) =>
    evaluate({ identity: [policy(allow({ Resource }))] }, asking({ resource })).outcome === "allowed";
  fc.assert(
    fc.property(pattern, pattern, (wide, narrow) => {
      fc.pre(coversArn(wide, narrow));
      for (const resource of resources) if (allowed(narrow, resource)) expect(allowed(wide, resource)).toBe(true);
    }),
    { maxSkipsPerRun: 1000 },
  );
});
