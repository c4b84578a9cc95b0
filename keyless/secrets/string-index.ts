import type { TextRange } from "./ranges";

/** The length of a string's beginning that is hashed. No string of an index may be shorter. */
export const SHORTEST = 6;
/** Each step shifts the hash by 3 of 18 bits, so that it depends on the last {@link SHORTEST} characters only. */
const HASH_BITS = 18;
const SHIFT = HASH_BITS / SHORTEST;
const MASK = 2 ** HASH_BITS - 1;

const rolled = (hash: number, code: number) => ((hash << SHIFT) ^ code) & MASK;

/** Many strings, to find all their occurrences in a text in one pass. */
export class StringIndex {
  /** Sorted, so that all strings which a text continues with precede it, and are prefixes of each other. */
  private readonly strings: readonly string[];
  /** For each string, the longest other one that it begins with. */
  private readonly parents: readonly number[];
  private readonly hashes = new Uint8Array(MASK + 1);
  private readonly longest: number;

  /** @param strings none shorter than {@link SHORTEST} */
  constructor(strings: Iterable<string>) {
    this.strings = [...new Set(strings)].sort((a, b) => (a < b ? -1 : 1));
    this.longest = this.strings.reduce((longest, { length }) => Math.max(longest, length), 0);
    const parents: number[] = [];
    this.strings.forEach((string, index) => {
      let parent = index - 1;
      while (parent >= 0 && !string.startsWith(this.strings[parent] as string)) parent = parents[parent] as number;
      parents.push(parent);
      let hash = 0;
      for (let at = 0; at < SHORTEST; at += 1) hash = rolled(hash, string.charCodeAt(at));
      this.hashes[hash] = 1;
    });
    this.parents = parents;
  }

  /** Where the text contains one of the strings: the longest at each position. */
  find(text: string): TextRange[] {
    const found: TextRange[] = [];
    if (this.strings.length === 0) return found;
    let hash = 0;
    for (let at = 0; at < text.length; at += 1) {
      hash = rolled(hash, text.charCodeAt(at));
      if (this.hashes[hash] !== 1 || at < SHORTEST - 1) continue;
      const start = at - SHORTEST + 1;
      const length = this.lengthAt(text, start);
      if (length > 0) found.push({ start, end: start + length });
    }
    return found;
  }

  private lengthAt(text: string, start: number): number {
    const rest = text.slice(start, start + this.longest);
    let [low, high] = [0, this.strings.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.strings[middle] as string) <= rest) low = middle + 1;
      else high = middle;
    }
    let candidate = low - 1;
    while (candidate >= 0 && !rest.startsWith(this.strings[candidate] as string))
      candidate = this.parents[candidate] as number;
    return candidate < 0 ? 0 : (this.strings[candidate] as string).length;
  }
}
