import { count, duration, escapeXml, limitItems } from "../keyless/text";

test.each([
  [0, "0 roles"],
  [1, "1 role"],
  [1000, "1,000 roles"],
])("count writes %d with the noun in the right number", (number, text) => {
  expect(count(number, "role")).toBe(text);
});

test("count takes an irregular plural", () => {
  expect(count(2, "policy", "policies")).toBe("2 policies");
});

test.each([
  [0.4, "0 seconds"],
  [119, "119 seconds"],
  [120, "2 minutes"],
  [3300, "55 minutes"],
  [7200, "2 hours"],
])("duration writes %d seconds as %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test("limitItems replaces the items over the limit by their number", () => {
  expect(limitItems(["a", "b", "c"], 3, String)).toEqual(["a", "b", "c"]);
  expect(limitItems(["a", "b", "c", "d"], 3, String)).toEqual(["a", "b", "and 2 more"]);
});

test("escapeXml escapes markup and replaces characters that XML does not allow", () => {
  expect(escapeXml("a\u0000\u001b\ud800\ufffe&<>\"'")).toBe("a\ufffd\ufffd\ufffd\ufffd&#38;&#60;&#62;&#34;&#39;");
});
