/** A part of a text: from `start` to before `end`. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** The ranges in order, those that overlap or adjoin merged into one. */
export function mergeRanges<T extends TextRange>(ranges: readonly T[], merge: (left: T, right: T) => T): T[] {
  const merged: T[] = [];
  for (const range of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last !== undefined && range.start <= last.end) merged[merged.length - 1] = merge(last, range);
    else merged.push(range);
  }
  return merged;
}

/** The text with each of the ranges replaced, which are in order and do not overlap. */
export function replaceRanges<T extends TextRange>(
  text: string,
  ranges: readonly T[],
  replacement: (part: string, range: T) => string,
): string {
  let [shown, last] = ["", 0];
  for (const range of ranges) {
    shown += text.slice(last, range.start) + replacement(text.slice(range.start, range.end), range);
    last = range.end;
  }
  return shown + text.slice(last);
}
