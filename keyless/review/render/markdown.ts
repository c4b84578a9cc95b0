import { count } from "../../text";
import type { AccessFinding } from "../delta/finding";
import { COUNTED, type EnvironmentReview, gains, isQuiet, type Review } from "../review";
import { type RichText, renderRichText } from "../rich-text";
import { cell, code, fenced, htmlCode } from "./escape";
import {
  bySubject,
  CONSEQUENCES,
  describeFinding,
  describeSkipped,
  notices,
  type SectionEntry,
  sectionsOf,
  verdict,
} from "./summary";

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
  /** Without attributes, or with an ellipsis. */
  readonly short: string;
}

/** The findings about one subject in one environment. */
interface Paragraph {
  readonly title: Block;
  readonly findings: readonly (Block & { readonly severity: number })[];
}

interface AccessSection {
  readonly heading: string;
  readonly paragraphs: readonly Paragraph[];
}

interface Fold {
  readonly title: string;
  readonly blocks: readonly Block[];
}

interface Parts {
  readonly headline: string;
  readonly notices: readonly Block[];
  readonly table: Block;
  readonly sections: readonly AccessSection[];
  readonly folds: readonly Fold[];
}

/** The length of a finding, or of its subject, in a text that is too long. */
const SHORT_FINDING = 1_000;

/**
 * A review as Markdown for GitHub. Everything that comes from the plan is code: it cannot mention users, link or format.
 * If the text is too long, attributes are left out first, those with the most text first; then the entries of the longest
 * folds, and the folds; then long findings are shortened; then losses are left out, then gains, then gains of
 * administrator-like access, then notices. The headline remains.
 */
export function toMarkdown(review: Review, options: MarkdownOptions = {}): string {
  const { environments } = review;
  const headline = boldLine(verdict(review), options);
  if (environments.every(isQuiet)) return `${headline}\n`;
  const section = (part: "access" | "driftAccess", heading: string) => {
    const paragraphs = [true, false].flatMap((gaining) =>
      environments.flatMap((each) => {
        const gainers = new Set(gains(each[part]).map(({ subject }) => subject));
        return paragraphsOf(
          each,
          each[part].filter(({ subject, consequence }) => !consequence && gainers.has(subject) === gaining),
        );
      }),
    );
    return paragraphs.length > 0 ? [{ heading, paragraphs }] : [];
  };
  const parts = {
    headline,
    notices: environments.flatMap(notices).map((notice) => blockOf("> ⚠️ ", notice)),
    table: table(environments),
    sections: [...section("driftAccess", "### Access outside Terraform"), ...section("access", "### Access")],
    folds: environments.flatMap(folds),
  };
  return truncate(parts, options);
}

/** The sentence that replaces a review if there is no plan, as Markdown. */
export function skippedToMarkdown(
  environments: readonly string[],
  reason: string,
  options: MarkdownOptions = {},
): string {
  return `${boldLine(describeSkipped(environments, reason), options)}\n`;
}

function boldLine(text: RichText, { limit = Number.POSITIVE_INFINITY }: MarkdownOptions): string {
  return `**${inMarkdown(text, limit - 300)}**`;
}

/** Rich text as Markdown, with an ellipsis for what exceeds the limit. */
function inMarkdown(text: RichText, limit = Number.POSITIVE_INFINITY): string {
  const whole = renderRichText(text, code);
  if (whole.length <= limit) return whole;
  // Code can be longer in Markdown than in the text.
  for (let length = limit; ; length = Math.floor(length / 2)) {
    const shortened = `${renderRichText(startOf(text, length), code)}…`;
    if (shortened.length <= limit || length < 1) return shortened;
  }
}

/** The first characters of a text. */
function startOf(text: RichText, length: number): RichText {
  let rest = length;
  return text.flatMap((part) => {
    const content = typeof part === "string" ? part : part.code;
    // A cut must not leave the first half of a surrogate pair.
    const kept = content.slice(0, Math.max(0, rest)).replace(/[\ud800-\udbff]$/, "");
    rest -= content.length;
    return kept === "" ? [] : [typeof part === "string" ? kept : { code: kept }];
  });
}

function blockOf(start: string, text: RichText): Block {
  return { full: `${start}${inMarkdown(text)}`, short: `${start}${inMarkdown(text, SHORT_FINDING)}` };
}

/** The counts of each environment, or in short their sums. */
function table(environments: readonly EnvironmentReview[]): Block {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const counts = (numberOf: (what: (typeof COUNTED)[number]) => number) =>
    COUNTED.map((what) => (numberOf(what) === 0 ? "·" : `**${numberOf(what)}**`));
  const head = [row(["environment", ...COUNTED]), row(["---", ...COUNTED.map(() => "---:")])];
  const rows = environments.map((each) => row([cell(each.environment), ...counts((what) => each.counts[what])]));
  const sum = (what: (typeof COUNTED)[number]) => environments.reduce((total, each) => total + each.counts[what], 0);
  const sums = environments.length > 1 ? [row([count(environments.length, "environment"), ...counts(sum)])] : rows;
  return { full: [...head, ...rows].join("\n"), short: [...head, ...sums].join("\n") };
}

const SIGN = { gain: "🔺", unknown: "❓", none: "❔", loss: "🔻" } as const;

/** What is left out first, if a review is too long. */
function severityOf({ effect, administrator }: AccessFinding): number {
  if (effect === "loss") return 0;
  return effect === "none" ? 1 : administrator ? 3 : 2;
}

function paragraphsOf({ environment }: EnvironmentReview, findings: readonly AccessFinding[]): Paragraph[] {
  return [...bySubject(findings)].map(([subject, all]) => {
    const title = (limit?: number) => `**${code(environment)}: ${inMarkdown([{ code: subject }], limit)}**`;
    return {
      title: { full: title(), short: title(SHORT_FINDING) },
      findings: all.map((each) => ({
        ...blockOf(`- ${SIGN[each.effect]} `, describeFinding(each)),
        severity: severityOf(each),
      })),
    };
  });
}

function folds(environment: EnvironmentReview): Fold[] {
  const consequences = environment.access.filter(({ consequence }) => consequence);
  const sections = [
    { title: CONSEQUENCES, blocks: consequences.map(consequenceBlock) },
    ...sectionsOf(environment).map(({ title, entries }) => ({ title, blocks: entries.map(entryBlock) })),
  ];
  return sections
    .filter(({ blocks }) => blocks.length > 0)
    .map(({ title, blocks }) => ({
      title: `${htmlCode(environment.environment)}: ${title} (${blocks.length})`,
      blocks,
    }));
}

function consequenceBlock(finding: AccessFinding): Block {
  return blockOf(`- ${SIGN[finding.effect]} `, [{ code: finding.subject }, ": ", ...describeFinding(finding)]);
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

/** A change that makes the text shorter: of a block, or of a fold. */
type Cut = { readonly shorten: Block } | { readonly drop: Block | Fold };

/** All cuts, in the order in which they are made until the text fits. */
function cutsOf({ notices, table, sections, folds }: Parts): readonly Cut[] {
  const saving = ({ full, short }: Block) => full.length - short.length;
  const shorten = (blocks: readonly Block[]) =>
    [...blocks].sort((a, b) => saving(b) - saving(a)).map((block) => ({ shorten: block }));
  const dropLastFirst = (all: readonly (Block | Fold)[]) => [...all].reverse().map((drop) => ({ drop }));
  const size = ({ blocks }: Fold) => blocks.reduce((sum, { full }) => sum + full.length, 0);
  const paragraphs = sections.flatMap((section) => section.paragraphs);
  const findings = paragraphs.flatMap((each) => each.findings);
  return [
    ...shorten(folds.flatMap(({ blocks }) => blocks)),
    ...[...folds].sort((a, b) => size(b) - size(a)).flatMap(({ blocks }) => dropLastFirst(blocks)),
    ...dropLastFirst(folds),
    { shorten: table },
    ...shorten([...findings, ...paragraphs.map(({ title }) => title)]),
    ...[0, 1, 2, 3].flatMap((severity) => dropLastFirst(findings.filter((each) => each.severity === severity))),
    ...dropLastFirst(notices),
  ];
}

function truncate(parts: Parts, { limit = Number.POSITIVE_INFINITY, artifactUrl }: MarkdownOptions): string {
  const whole = assemble(parts, []);
  if (whole.length <= limit) return whole;
  const link =
    artifactUrl === undefined ? "" : `: [the complete review](${artifactUrl.replace(/[()<>\s]/g, encodeURIComponent)})`;
  const note = `> ✂️ This review exceeds GitHub's comment limit and was truncated${link}.`;
  const cuts = cutsOf(parts);
  let [low, high] = [0, cuts.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (assemble(parts, cuts.slice(0, middle)).length + note.length + 2 <= limit) high = middle;
    else low = middle + 1;
  }
  return `${assemble(parts, cuts.slice(0, low))}\n${note}\n`;
}

/** The text after these cuts, with the number of what each list lacks. */
function assemble({ headline, notices, table, sections, folds }: Parts, cuts: readonly Cut[]): string {
  const shortened = new Set(cuts.flatMap((cut) => ("shorten" in cut ? [cut.shorten] : [])));
  const dropped = new Set(cuts.flatMap((cut) => ("drop" in cut ? [cut.drop] : [])));
  const textOf = (block: Block) => (dropped.has(block) ? "" : shortened.has(block) ? block.short : block.full);
  const textsOf = (blocks: readonly Block[]) => blocks.map(textOf).filter((text) => text !== "");
  const more = (number: number) => (number > 0 ? [`… and ${number} more`] : []);

  const noticeTexts = textsOf(notices);
  const accessTexts = sections.flatMap(({ heading, paragraphs }) => {
    const shown = paragraphs.map(({ title, findings }) => ({ title: textOf(title), texts: textsOf(findings) }));
    const texts = shown.filter((each) => each.texts.length > 0).map((each) => [each.title, ...each.texts].join("\n"));
    const number = (all: readonly { readonly length: number }[]) => all.reduce((sum, { length }) => sum + length, 0);
    const missing = number(paragraphs.map(({ findings }) => findings)) - number(shown.map((each) => each.texts));
    return [heading, ...texts, ...more(missing)];
  });
  const details = folds
    .filter((fold) => !dropped.has(fold))
    .map(({ title, blocks }) => {
      const texts = textsOf(blocks);
      const body = [...texts, ...more(blocks.length - texts.length)].join("\n\n");
      return `<details><summary>${title}</summary>\n\n${body}\n\n</details>`;
    });
  const missing = more(notices.length - noticeTexts.length).map((text) => `> ${text}`);
  return `${[headline, ...noticeTexts, ...missing, textOf(table), ...accessTexts, ...details].join("\n\n")}\n`;
}
