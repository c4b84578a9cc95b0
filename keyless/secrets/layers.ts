import { constants, gunzipSync } from "node:zlib";
import type { TextRange } from "./ranges";

/** A text that another text encodes. */
export interface Layer {
  readonly text: string;
  /** The range of the other text that encodes a range of this one. */
  outer(range: TextRange): TextRange;
}

/** Characters after which a decoded text counts as text, and not as random bytes: the share of printable ones. */
const PRINTABLE_SHARE = 0.9;
/** The characters of a token of base64 that are decoded to determine whether it encodes text. A multiple of 4. */
const SAMPLE = 64;

const BACKSLASH = /\\(?:u\{?([0-9a-fA-F]{4,6})\}?|x([0-9a-fA-F]{2})|([^ux]))/g;
const ESCAPED: { readonly [letter: string]: string } = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const PERCENT = /(?:%[0-9a-fA-F]{2})+/g;
const ENTITY = /&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos|nbsp));/g;
const ENTITIES: { readonly [name: string]: string } = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
};
/** A token of base64 or base64url, in one line or wrapped. */
const BASE64 = /[A-Za-z0-9+/_-]{16,}(?:[ \t\r]*\n[ \t]*[A-Za-z0-9+/_-]+)*={0,2}/g;
const HEX = /[0-9a-fA-F]{24,}/g;
/** What the header of gzip is in base64. */
const GZIP = "H4sI";

/**
 * The texts that a text encodes, one level deep: as JSON or source code with escapes, as a URL, as HTML, and the tokens
 * of base64 and hexadecimal digits in it that encode text or compressed text.
 *
 * @param limit the characters to which compressed text may expand
 * @throws {RangeError} compressed text is longer
 */
export function* layersOf(text: string, limit: number): Generator<Layer> {
  if (text.includes("\\"))
    yield decoded(text, BACKSLASH, ([, unicode, byte, letter = ""]) =>
      letter === "" ? character(Number.parseInt((unicode ?? byte) as string, 16)) : (ESCAPED[letter] ?? letter),
    );
  if (text.includes("%"))
    yield decoded(text, PERCENT, ([bytes]) => Buffer.from(bytes.replaceAll("%", ""), "hex").toString());
  if (text.includes("&"))
    yield decoded(text, ENTITY, ([, decimal, hex, name]) =>
      name === undefined
        ? character(Number.parseInt((decimal ?? hex) as string, decimal === undefined ? 16 : 10))
        : (ENTITIES[name] as string),
    );
  for (const { 0: token, index } of text.matchAll(BASE64)) {
    const inner = textOfBase64(token.replace(/\s+/g, ""), limit);
    if (inner !== undefined) yield { text: inner, outer: () => ({ start: index, end: index + token.length }) };
  }
  for (const { 0: token, index } of text.matchAll(HEX)) {
    const bytes = Buffer.from(token.slice(0, token.length - (token.length % 2)), "hex");
    if (isText(bytes)) yield { text: bytes.toString(), outer: () => ({ start: index, end: index + token.length }) };
  }
}

function character(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : "";
}

/** The text with each match replaced. */
function decoded(text: string, pattern: RegExp, decode: (match: RegExpExecArray) => string): Layer {
  const parts: string[] = [];
  // The parts alternate: a part of the text as it is, then a replacement.
  const [inner, outer]: [number[], number[]] = [[0], [0]];
  let [length, last] = [0, 0];
  const add = (part: string, end: number) => {
    parts.push(part);
    length += part.length;
    inner.push(length);
    outer.push(end);
  };
  for (const match of text.matchAll(pattern)) {
    add(text.slice(last, match.index), match.index);
    last = match.index + match[0].length;
    add(decode(match), last);
  }
  add(text.slice(last), text.length);
  /** The part that contains the character at an offset. */
  const partAt = (offset: number) => {
    let [low, high] = [0, parts.length - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((inner[middle + 1] as number) > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  const isReplacement = (part: number) => part % 2 === 1;
  const start = (offset: number) => {
    const part = partAt(offset);
    return (outer[part] as number) + (isReplacement(part) ? 0 : offset - (inner[part] as number));
  };
  const end = (offset: number) => {
    const part = partAt(offset - 1);
    return isReplacement(part)
      ? (outer[part + 1] as number)
      : (outer[part] as number) + offset - (inner[part] as number);
  };
  return { text: parts.join(""), outer: (range) => ({ start: start(range.start), end: end(range.end) }) };
}

/** The text in a token of base64. It can follow other characters without a separator, so four beginnings are tried. */
function textOfBase64(token: string, limit: number): string | undefined {
  const gzip = token.indexOf(GZIP);
  if (gzip >= 0) {
    const text = decompressed(Buffer.from(token.slice(gzip), "base64"), limit);
    if (text !== undefined) return text;
  }
  for (let skip = 0; skip < 4; skip += 1) {
    const rest = token.slice(skip);
    const tail = Math.max(0, Math.floor((rest.length - SAMPLE) / 4) * 4);
    const samples = [rest.slice(0, SAMPLE), rest.slice(tail)].map((sample) => Buffer.from(sample, "base64"));
    if (samples.some(isText)) return Buffer.from(rest, "base64").toString();
    // Windows' UTF-16.
    if (samples.some((sample) => isText(sample.filter((_byte, index) => index % 2 === 0)) && sample[1] === 0))
      return Buffer.from(rest, "base64").toString("utf16le");
  }
  return undefined;
}

function decompressed(bytes: Buffer, limit: number): string | undefined {
  try {
    // Also of data that is cut off.
    const options = { maxOutputLength: Math.max(1, limit), finishFlush: constants.Z_SYNC_FLUSH };
    return gunzipSync(bytes, options).toString();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw new RangeError("compressed text");
    return undefined;
  }
}

function isText(bytes: Uint8Array): boolean {
  let printable = 0;
  for (const byte of bytes) if ((byte >= 0x20 && byte < 0x7f) || (byte >= 9 && byte <= 13)) printable += 1;
  return bytes.length > 0 && printable >= bytes.length * PRINTABLE_SHARE;
}
