/**
 * Characters that a terminal or a browser obeys instead of showing: control, and those that turn the direction of text.
 */
const INVISIBLE = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A text whose every character is seen, in one line or as many as it has. */
function visible(text: string): string {
  return text.replace(INVISIBLE, (character) => `\\u${character.codePointAt(0)?.toString(16).padStart(4, "0")}`);
}

/** The same in one line. */
export function oneLine(text: string): string {
  return visible(text.replace(/[\n\t]/g, (character) => (character === "\n" ? "\\n" : "\\t")));
}

/** A text as Markdown's inline code, in which nothing is a mention, a link, HTML or emphasis. */
export function code(text: string): string {
  const shown = oneLine(text);
  const fence = "`".repeat(longestRun(shown) + 1);
  const padding = /^`|`$|^ .* $|^$/.test(shown) ? " " : "";
  return `${fence}${padding}${shown}${padding}${fence}`;
}

/** The same within a table, whose cells end at a bar even inside code. */
export function cell(text: string): string {
  return code(text).replaceAll("|", "\\|");
}

/** A text as code in an HTML block. */
export function htmlCode(text: string): string {
  const entities: { readonly [character: string]: string } = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return `<code>${oneLine(text).replace(/[&<>"]/g, (character) => entities[character] ?? "")}</code>`;
}

/** Lines as a fenced block that nothing in them can close. */
export function fenced(language: string, lines: readonly string[]): string {
  const fence = "`".repeat(Math.max(3, ...lines.map((line) => longestRun(line) + 1)));
  return `${fence}${language}\n${lines.map(oneLine).join("\n")}\n${fence}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}
