import fc from "fast-check";
import { decodeUtf8, ExactNumber, parseExactJson } from "../keyless/json";

/** The value with each exact number as a number. */
function rounded(value: unknown): unknown {
  if (value instanceof ExactNumber) return Number(value.text);
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, rounded(part)]));
}

test("the value is that of JSON.parse, apart from the numbers that it rounds", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, space) => {
      const text = JSON.stringify(value, null, space);
      expect(rounded(parseExactJson(text))).toEqual(JSON.parse(text));
    }),
  );
});

test("a text is accepted if and only if JSON.parse accepts it", () => {
  const isAccepted = (parse: (text: string) => unknown, text: string) => {
    try {
      parse(text);
      return true;
    } catch {
      return false;
    }
  };
  const token = fc.constantFrom(
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    '"a"',
    '"\\u00e9"',
    '"\\x"',
    "1",
    "-",
    "01",
    "1e5",
    "true",
    " ",
    "\n",
    '"',
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 8 }), (tokens) => {
      const text = tokens.join("");
      fc.pre(!/"a".*"a"|"\\u00e9".*"\\u00e9"/.test(text));
      expect([text, isAccepted(parseExactJson, text)]).toEqual([text, isAccepted(JSON.parse, text)]);
    }),
    { numRuns: 1_000 },
  );
});

test.each(["9007199254740993", "0.1234567890123456789", "1e400", "-1e-400", "123456789012345678e2"])(
  "the number %s keeps its digits",
  (text) => {
    expect(parseExactJson(text)).toEqual(new ExactNumber(text));
    expect(parseExactJson(`[${text}]`)).not.toEqual([Number(text)]);
  },
);

test.each(["0", "-1.5", "1e3", "9007199254740991", "0.1", "1.00", "1000000000000000000000"])(
  "the number %s is a number",
  (text) => {
    expect(parseExactJson(text)).toBe(Number(text));
  },
);

test.each([
  ["", "is empty"],
  [" \n", "is empty"],
  ['{"a": [1, ', "is truncated JSON"],
  ['{"a": "b', "is truncated JSON"],
  ["{\n  x}", "is not JSON: unexpected character at line 2, column 3"],
  ['"a\u0000"', "is not JSON: unexpected character at line 1, column 3"],
  ["{}\n{}", "has another value at line 2, column 1"],
  ['{"a": 1, "\\u0061": 2}', "repeats a key of an object at line 1, column 11"],
  ["[".repeat(100_000), "is nested more than 1,000 levels deep"],
])("%j: %s", (text, message) => {
  expect(() => parseExactJson(text)).toThrow(new Error(message));
});

test("keys of prototypes are keys like others", () => {
  const parsed = parseExactJson('{"__proto__": {"x": 1}, "constructor": 2}') as object;
  expect(Object.entries(parsed)).toEqual([
    ["__proto__", { x: 1 }],
    ["constructor", 2],
  ]);
  expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
});

test.each<[string, Buffer]>([
  ["UTF-16 with a byte-order mark", Buffer.from("\ufeff{}", "utf16le")],
  ["UTF-16 without a byte-order mark", Buffer.from("{}", "utf16le")],
  ["UTF-16 with the high byte first", Buffer.from("{}", "utf16le").swap16()],
])("%s is named", (_name, bytes) => {
  expect(() => decodeUtf8(bytes)).toThrow("is UTF-16, not UTF-8");
});

test("a byte-order mark of UTF-8 is skipped, other bytes that are not UTF-8 are an error", () => {
  expect(decodeUtf8(Buffer.from("\ufeff{}"))).toBe("{}");
  expect(() => decodeUtf8(Buffer.from([0x22, 0xff, 0x22]))).toThrow("is not UTF-8");
});
