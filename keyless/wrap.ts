import wrapAnsi from "wrap-ansi";

/**
 * Breaks text at spaces into lines of at most `columns` columns.
 *
 * @param indent what every line after the first starts with
 */
export function wrap(text: string, columns: number, indent = ""): string {
  const start = /^ */.exec(text)?.[0] ?? "";
  const lines = wrapAnsi(text.slice(start.length), Math.max(columns - Math.max(indent.length, start.length), 20));
  return start + lines.split("\n").join(`\n${indent}`);
}
