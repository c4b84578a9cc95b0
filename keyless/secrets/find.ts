import { findCredentials } from "./formats";
import type { KnownSecrets } from "./known";
import { layersOf } from "./layers";
import { mergeRanges, type TextRange } from "./ranges";

/** A part of a text that must not be shown: it contains a known secret, or has the format of a credential. */
export interface SecretRange extends TextRange {
  readonly kind: "sensitive" | "credential";
}

/** Encodings in each other that are read, e.g. JSON in a string of JSON in base64. */
const MAX_LAYERS = 6;
/** All decoded texts together may have this many characters for each one of the text, and {@link SPARE} more. */
const MAX_GROWTH = 64;
const SPARE = 1_000_000;

/**
 * The secrets in a text, as it is and in the texts that it encodes: {@link layersOf}. The ranges do not overlap. If the
 * text encodes too much text to be searched, it is one range.
 *
 * @param known secrets to find, whatever their format. Default: none
 */
export function findSecrets(text: string, known?: KnownSecrets): SecretRange[] {
  let budget = text.length * MAX_GROWTH + SPARE;
  const search = (part: string, depth: number): SecretRange[] => {
    const found: SecretRange[] = [
      ...(known?.find(part) ?? []).map((range): SecretRange => ({ ...range, kind: "sensitive" })),
      ...findCredentials(part).map((range): SecretRange => ({ ...range, kind: "credential" })),
    ];
    if (depth === MAX_LAYERS) return found;
    for (const { text: inner, outer } of layersOf(part, budget)) {
      if (inner === part) continue;
      budget -= inner.length;
      if (budget < 0) throw new RangeError("decoded text");
      found.push(...search(inner, depth + 1).map(({ kind, ...range }) => ({ ...outer(range), kind })));
    }
    return found;
  };
  try {
    return mergeRanges(search(text, 0), (left, right) => ({
      start: left.start,
      end: Math.max(left.end, right.end),
      kind: right.kind === "sensitive" ? right.kind : left.kind,
    }));
  } catch (error) {
    if (error instanceof RangeError) return [{ start: 0, end: text.length, kind: "credential" }];
    throw error;
  }
}
