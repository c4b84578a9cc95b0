import type { AccessFinding } from "../delta/finding";
import { COUNTED, type EnvironmentReview, gains, isQuiet, type Review } from "../review";
import { type RichText, renderRichText } from "../rich-text";
import { cell, code, fenced, htmlCode } from "./escape";
import { bySubject, describeFinding, notices, type SectionEntry, sectionsOf, verdict } from "./summary";

/** How long the Markdown can be. */
export interface MarkdownOptions {
  /** In UTF-16 units; GitHub counts characters, which are never more. Default: no limit. */
  readonly limit?: number;
  /** The page with the complete review, linked if it is truncated. */
  readonly artifactUrl?: string;
}

/** A part of the text that can be shortened. */
interface Block {
  readonly full: string;
  /** Without attributes, or nothing. */
  readonly short: string;
}

interface Fold {
  readonly title: string;
  readonly blocks: readonly Block[];
}

/**
 * A review as Markdown for GitHub. Everything that comes from the plan is code: it cannot mention users, link or format.
 * If the text is too long, attributes are left out first, those with the most text first; then the entries of the
 * longest sections; then paragraphs about access, those with gains last.
 */
export function toMarkdown(review: Review, options: MarkdownOptions = {}): string {
  const { environments } = review;
  const headline = `**${inMarkdown(verdict(review))}**`;
  if (environments.every(isQuiet)) return `${headline}\n`;
  const access = (part: "access" | "driftAccess", heading: string) => {
    const found = [true, false].flatMap((gaining) =>
      environments.flatMap((each) => {
        const gainers = new Set(gains(each[part]).map(({ subject }) => subject));
        return paragraphs(
          each,
          each[part].filter(({ subject }) => gainers.has(subject) === gaining),
        );
      }),
    );
    return found.length > 0 ? [heading, ...found] : [];
  };
  const head = [
    headline,
    ...environments.flatMap(notices).map((notice) => `> ⚠️ ${inMarkdown(notice)}`),
    table(environments),
    ...access("driftAccess", "### Access outside Terraform"),
    ...access("access", "### Access"),
  ];
  return truncate(head, environments.flatMap(folds), options);
}

/** Rich text as Markdown. */
export function inMarkdown(text: RichText): string {
  return renderRichText(text, code);
}

function table(environments: readonly EnvironmentReview[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    row(["environment", ...COUNTED]),
    row(["---", ...COUNTED.map(() => "---:")]),
    ...environments.map(({ environment, counts }) =>
      row([cell(environment), ...COUNTED.map((what) => (counts[what] === 0 ? "·" : `**${counts[what]}**`))]),
    ),
  ].join("\n");
}

const SIGN = { gain: "🔺", unknown: "❓", none: "❔", loss: "🔻" } as const;

/** One paragraph for each subject, so that truncation falls between two of them. */
function paragraphs({ environment }: EnvironmentReview, findings: readonly AccessFinding[]): string[] {
  return [...bySubject(findings)].map(([subject, all]) =>
    [
      `**${code(environment)}: ${code(subject)}**`,
      ...all.map((each) => `- ${SIGN[each.effect]} ${inMarkdown(describeFinding(each))}`),
    ].join("\n"),
  );
}

function folds(environment: EnvironmentReview): Fold[] {
  return sectionsOf(environment).map(({ title, entries }) => ({
    title: `${htmlCode(environment.environment)}: ${title} (${entries.length})`,
    blocks: entries.map(entryBlock),
  }));
}

function entryBlock({ action, what, notes = [], lines = [] }: SectionEntry): Block {
  if (action === undefined) return { full: `- ${inMarkdown(what)}`, short: "" };
  const [title, ...others] = [what, ...notes].map((part) => renderRichText(part, htmlCode));
  const summary = `<summary>${[`<b>${action}</b> ${title}`, ...others].join(" — ")}</summary>`;
  const short = `<details>${summary}</details>`;
  if (lines.length === 0) return { full: short, short };
  const body = fenced(
    "diff",
    lines.map(({ sign, text }) => `${sign} ${text}`),
  );
  return { full: `<details>${summary}\n\n${body}\n\n</details>`, short };
}

function truncate(
  head: readonly string[],
  all: readonly Fold[],
  { limit = Number.POSITIVE_INFINITY, artifactUrl }: MarkdownOptions,
): string {
  const whole = assemble(head, all, ({ full }) => full);
  if (whole.length <= limit) return whole;
  const link =
    artifactUrl === undefined ? "" : `: [the complete review](${artifactUrl.replace(/[()<>\s]/g, encodeURIComponent)})`;
  const note = `> ✂️ This review exceeds GitHub's comment limit and was truncated${link}.`;
  const size = ({ blocks }: Fold) => blocks.reduce((sum, { full }) => sum + full.length, 0);
  const saving = ({ full, short }: Block) => full.length - short.length;
  const toShorten = all.flatMap(({ blocks }) => blocks).sort((a, b) => saving(b) - saving(a));
  const toDrop = [...all].sort((a, b) => size(b) - size(a)).flatMap(({ blocks }) => [...blocks].reverse());
  /** The text after a number of cuts: blocks are shortened, then dropped, then the paragraphs after the headline. */
  const afterCuts = (cuts: number) => {
    const dropped = Math.max(0, cuts - toShorten.length);
    const kept = Math.max(1, head.length - Math.max(0, dropped - toDrop.length));
    const more = kept < head.length ? [`… and ${head.length - kept} more`] : [];
    const [short, absent] = [new Set(toShorten.slice(0, cuts)), new Set(toDrop.slice(0, dropped))];
    const textOf = (block: Block) => (absent.has(block) ? "" : short.has(block) ? block.short : block.full);
    return assemble([...head.slice(0, kept), ...more], all, textOf);
  };
  let [low, high] = [0, toShorten.length + toDrop.length + head.length - 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (afterCuts(middle).length + note.length + 2 <= limit) high = middle;
    else low = middle + 1;
  }
  return `${afterCuts(low)}\n${note}\n`;
}

function assemble(head: readonly string[], all: readonly Fold[], textOf: (block: Block) => string): string {
  const details = all.map(({ title, blocks }) => {
    const texts = blocks.map(textOf).filter((text) => text !== "");
    const more = texts.length < blocks.length ? [`… and ${blocks.length - texts.length} more`] : [];
    return `<details><summary>${title}</summary>\n\n${[...texts, ...more].join("\n\n")}\n\n</details>`;
  });
  return `${[...head, ...details].join("\n\n")}\n`;
}
