import fc from "fast-check";
import { isPolicyText } from "../../keyless/config/schema";
import { isRefName, refNameFault } from "../../keyless/trust/ref-name";

/** Texts that are likely to match git's rules for ref names. */
export const refNameLike: fc.Arbitrary<string> = fc.oneof(
  fc
    .array(
      fc.constantFrom(
        ...["/", ".", "..", "lock", ".lock", "@", "{", "@{", "-", "~", "^", ":", "?", "*", "[", "]", "\\", " ", "\t"],
        ...[
          "\x01",
          "\x1f",
          "\x7f",
          "\x85",
          "refs/",
          "heads",
          "a",
          "A",
          "main",
          "release/",
          "é",
          "日本",
          "${",
          "&{",
          "%{",
        ],
      ),
      { maxLength: 6 },
    )
    .map((parts) => parts.join("")),
  fc.string({ maxLength: 12, unit: "binary" }).map((text) => text.replaceAll("\0", "")),
);

/** Names that git accepts for a branch or a tag. */
export const gitRefName = refNameLike.filter(isRefName);

/** Names and patterns that the configuration accepts for a branch or a tag. */
export const configurableRefName = fc
  .tuple(
    gitRefName.filter((name) => refNameFault(name) === undefined && isPolicyText(name)),
    fc.constantFrom("", "*", "/*"),
  )
  .map(([name, end]) => name + end);
