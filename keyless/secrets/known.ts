import type { TextRange } from "./ranges";
import { SHORTEST, StringIndex } from "./string-index";

/** The characters that a secret of lower-case letters, of capitals or of digits only must have to be searched for. */
const SHORTEST_OF_ONE_KIND = 8;
/** Values that are not secret in any plan: dates, and AWS's regions and availability zones. */
const COMMON = /^(?:\d{4}-\d{2}-\d{2}|[a-z]{2}(?:-[a-z]+){1,3}-\d[a-z]?)$/;
/** A character of a token of base64, base64url or hexadecimal digits. */
const TOKEN_CHARACTER = /[A-Za-z0-9+/_=-]/;

/** Secrets that are known, to find where they recur. */
export class KnownSecrets {
  private readonly plain: StringIndex;
  private readonly encoded: StringIndex;

  /** @param secrets those that {@link isDistinctive} accepts are searched for */
  constructor(secrets: Iterable<string>) {
    const distinctive = [...new Set([...secrets].map((secret) => secret.trim()))].filter(isDistinctive);
    this.plain = new StringIndex(distinctive.flatMap((secret) => [secret, secret.replaceAll(" ", "+")]));
    this.encoded = new StringIndex(distinctive.flatMap(encodings).filter(({ length }) => length >= SHORTEST));
  }

  /** Where the text contains a secret, as it is or in base64 or hexadecimal digits: there, the whole token. */
  find(text: string): TextRange[] {
    const tokens: TextRange[] = [];
    for (let { start, end } of this.encoded.find(text)) {
      if (start < (tokens.at(-1)?.end ?? 0)) continue;
      while (start > 0 && TOKEN_CHARACTER.test(text.charAt(start - 1))) start -= 1;
      while (end < text.length && TOKEN_CHARACTER.test(text.charAt(end))) end += 1;
      tokens.push({ start, end });
    }
    return [...this.plain.find(text), ...tokens];
  }
}

/**
 * Whether a value can be searched for in texts: 8 characters or more, or 6 if it mixes kinds of characters, and no date
 * or region. A shorter value would be found in texts that do not contain the secret.
 */
export function isDistinctive(value: string): boolean {
  const shortest = /^(?:[a-z]*|[A-Z]*|\d*)$/.test(value) ? SHORTEST_OF_ONE_KIND : SHORTEST;
  return value.length >= shortest && !COMMON.test(value);
}

/** The parts of the secret's encodings that do not depend on what precedes and follows it. */
function encodings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString("hex");
  const base64 = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
  });
  const base64url = base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"));
  return [...base64, ...base64url, hex, hex.toUpperCase()];
}
