import { escapeXml, oneLine } from "../../text";

/** A text as inline code in Markdown, without mentions, links, HTML and emphasis. */
export function code(text: string): string {
  const shown = oneLine(text);
  const fence = "`".repeat(longestRun(shown) + 1);
  const padding = /^`|`$|^ .* $|^$/.test(shown) ? " " : "";
  return `${fence}${padding}${shown}${padding}${fence}`;
}

/** A text as inline code in a table, whose cells end at a bar even in code. */
export function cell(text: string): string {
  return code(text).replaceAll("|", "\\|");
}

/** A text as code in an HTML block. */
export function htmlCode(text: string): string {
  return `<code>${escapeXml(oneLine(text))}</code>`;
}

/** Lines as a fenced block with a fence that none of them contains. */
export function fenced(language: string, lines: readonly string[]): string {
  const fence = "`".repeat(Math.max(3, ...lines.map((line) => longestRun(line) + 1)));
  return `${fence}${language}\n${lines.map(oneLine).join("\n")}\n${fence}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}
