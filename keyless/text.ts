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
