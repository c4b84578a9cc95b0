/** How many cells of a monospaced font a text takes: two for the wide characters of East Asia, and for emoji. */
export function cells(text: string): number {
  return [...text].reduce(
    (sum, character) => sum + (/[\u1100-\u115f\u2e80-\uffdc]|[^\0-\uffff]/u.test(character) ? 2 : 1),
    0,
  );
}

/** The text, with an ellipsis for its middle where it takes more than `most` cells: beginnings and ends tell names apart. */
export function elide(text: string, most: number): string {
  if (cells(text) <= most) return text;
  const characters = [...text];
  let kept = characters.length;
  let shown = text;
  while (cells(shown) > most && kept > 0) {
    kept--;
    const head = Math.ceil(kept / 2);
    shown = `${characters.slice(0, head).join("")}…${characters.slice(characters.length - (kept - head)).join("")}`;
  }
  return shown;
}

/** The first `most` of the items; of what is left over, one item says how much it is: `and 3 more`. */
export function atMost(items: readonly string[], most: number): string[] {
  if (items.length <= most) return [...items];
  return [...items.slice(0, most - 1), `and ${items.length - most + 1} more`];
}

/** `1 role`, `2 roles`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString("en-US")} ${noun}${number === 1 ? "" : "s"}`;
}
