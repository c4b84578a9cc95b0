import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { shellLines } from "../../keyless/cli/lib/job-environment";

/** The value of `VALUE` after bash has run the lines. */
function read(lines: readonly string[]): string {
  return execFileSync("bash", ["-c", `${lines.join("\n")}\nprintf '%s.' "\${VALUE-unset}"`])
    .toString()
    .slice(0, -1);
}

test.each(["it's $(touch x)", "`id`", "a\nb", "\\", "--", "", "*"])("bash reads %j unchanged", (value) => {
  expect(read(shellLines({ VALUE: value }))).toBe(value);
});

test("bash reads any value unchanged", () => {
  const value = fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0"));
  fc.assert(
    fc.property(value, (text) => {
      expect(read(shellLines({ VALUE: text }))).toBe(text);
    }),
    { numRuns: 30 },
  );
});

test("a variable without a value is unset", () => {
  expect(read(["VALUE=before", ...shellLines({ VALUE: undefined })])).toBe("unset");
});
