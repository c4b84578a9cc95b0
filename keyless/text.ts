import { closest, distance } from "fastest-levenshtein";

/** `1 role`, `2 roles`, `1,000 policies`. The plural defaults to the singular with an `s`. */
export function count(number: number, singular: string, plural = `${singular}s`): string {
  return `${number.toLocaleString("en-US")} ${number === 1 ? singular : plural}`;
}

/** A duration for people, rounded: seconds below two minutes, minutes below two hours, else hours. */
export function duration(seconds: number): string {
  if (seconds < 120) return count(Math.round(seconds), "second");
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? count(minutes, "minute") : count(Math.round(minutes / 60), "hour");
}

/** At most `maximum` items; if there are more, the last one is made from the text `and 3 more`. */
export function limitItems<T>(items: readonly T[], maximum: number, toItem: (text: string) => T): T[] {
  if (items.length <= maximum) return [...items];
  return [...items.slice(0, maximum - 1), toItem(`and ${items.length - maximum + 1} more`)];
}

/**
 * Text for XML content and quoted attributes. Characters that XML does not allow become U+FFFD.
 *
 * @see https://www.w3.org/TR/xml/#charsets
 */
export function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * Characters that a terminal or a browser interprets instead of displaying (control characters, text direction), and halves of
 * surrogate pairs, which UTF-8 cannot encode.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The colors that this project writes. */
const COLOR = "\\u001b\\[(?:1|2|22|31|32|33|39)m";

const INVISIBLE_IN_OUTPUT = new RegExp(`(?![\\n\\t]|${COLOR})${INVISIBLE.source}`, "gu");

function escapeSequence(character: string): string {
  return [...Array(character.length).keys()]
    .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`)
    .join("");
}

/** A text in one line, with every invisible character as an escape sequence. */
export function oneLine(text: string): string {
  return text.replaceAll("\n", "\\n").replaceAll("\t", "\\t").replace(INVISIBLE, escapeSequence);
}

/** A value with {@link oneLine} applied to every string in it, so that no value can add a line to a rendered text. */
export function oneLineValues<T>(value: T): T {
  if (typeof value === "string") return oneLine(value) as T;
  if (Array.isArray(value)) return value.map(oneLineValues) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, oneLineValues(field)])) as T;
}

/** A rendered text, or JSON, with every invisible character but line breaks, tabs and colors as an escape sequence. */
export function escapeInvisible(text: string): string {
  return text.replace(INVISIBLE_IN_OUTPUT, escapeSequence);
}

/** The most similar candidate, without regard to case, if at most 3 edits and 70% of its characters apart. */
export function closestName(name: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const lower = candidates.map((candidate) => candidate.toLowerCase());
  const best = closest(name.toLowerCase(), lower);
  const edits = distance(name.toLowerCase(), best);
  const similarity = 1 - edits / Math.max(name.length, best.length);
  return edits <= 3 && similarity > 0.3 ? candidates[lower.indexOf(best)] : undefined;
}

/** The end of a message: ` (did you mean x?)`; empty without a suggestion. */
export function didYouMean(suggestion: string | undefined): string {
  return suggestion === undefined ? "" : ` (did you mean ${suggestion}?)`;
}
