import fc from "fast-check";
import {
  arnParts,
  compilePattern,
  matches,
  matchesArn,
  matchesArnBeyondColons,
  matchesPattern,
} from "../../keyless/policy/pattern";

describe("a pattern", () => {
  it.each([
    ["", "", true],
    ["", "a", false],
    ["*", "", true],
    ["*", "any/thing:at all", true],
    ["?", "", false],
    ["?", "a", true],
    ["?", "ab", false],
    ["a*c", "abbbc", true],
    ["a*c", "ac", true],
    ["a*c", "abcd", false],
    ["a?c", "ac", false],
    ["*/main", "refs/heads/main", true],
    ["*ab*ab", "abab", true],
    ["*ab*ab", "ab", false],
    ["release/*", "release/", true],
    ["Main", "main", false],
    ["a.c", "abc", false],
    ["[ab]", "a", false],
    ["?", "🚀", true],
    ["^a$", "a", false],
  ])("%j on %j: %j", (pattern, text, expected) => {
    expect(matchesPattern(pattern, text)).toBe(expected);
  });

  it("agrees with a naive matcher on small patterns and texts", () => {
    const small = (letters: string[]) =>
      fc.array(fc.constantFrom(...letters), { maxLength: 8 }).map((all) => all.join(""));
    const naive = (pattern: string, text: string): boolean => {
      if (pattern === "") return text === "";
      if (pattern[0] === "*") return naive(pattern.slice(1), text) || (text !== "" && naive(pattern, text.slice(1)));
      return text !== "" && (pattern[0] === "?" || pattern[0] === text[0]) && naive(pattern.slice(1), text.slice(1));
    };
    fc.assert(
      fc.property(small(["a", "b", "/", "*", "?"]), small(["a", "b", "/"]), (pattern, text) => {
        expect(matchesPattern(pattern, text)).toBe(naive(pattern, text));
      }),
      { numRuns: 3000 },
    );
  });

  it("takes at most pattern × text steps, even if backtracking would be exponential", () => {
    let reads = 0;
    const pattern = new Proxy(compilePattern(`${"*a".repeat(200)}b`), {
      get: (target, property) => {
        reads++;
        return Reflect.get(target, property);
      },
    });
    const text = "a".repeat(2000);
    expect(matches(pattern, text)).toBe(false);
    expect(reads).toBeLessThan(pattern.length * text.length);
  });
});

describe("an ARN pattern", () => {
  it.each([
    ["arn:aws:sns:*:123456789012:finance*", "arn:aws:sns:us-east-1:123456789012:finance-1", true],
    [
      "arn:aws:sns:*:123456789012:finance/*",
      "arn:aws:sns:us-east-2:999999999999:store/abc:123456789012:finance/x",
      false,
    ],
    ["arn:*:*:*:*:*", "arn:aws:s3:::bucket", true],
    ["arn:aws:logs:*:*:log-group:*:x", "arn:aws:logs:us-east-1:123456789012:log-group:a:b:x", true],
    ["arn:aws:s3:::Bucket", "arn:aws:s3:::bucket", false],
    ["arn:aws:s3:::bucket", "bucket", undefined],
  ])("%s on %s: %j", (pattern, arn, expected) => {
    expect(matchesArn(arnParts(pattern).map(compilePattern), arn)).toBe(expected);
  });
});

it("compares resources with many wildcards fast", () => {
  const wanted = ["arn", "aws", "*", "*", "*", `${"*a".repeat(3_000)}b`].map(compilePattern);
  expect(matchesArnBeyondColons(wanted, `arn:aws:s3:::${"a".repeat(6_000)}`)).toBe(false);
  expect(matchesArnBeyondColons(wanted, `arn:aws:s3:::${"a".repeat(6_000)}b`)).toBe(true);
});
