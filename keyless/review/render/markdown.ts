import { count } from "../../text";
import type { AccessFinding } from "../delta/finding";
import { COUNTED, type EnvironmentReview, gains, isQuiet, type ResourceReview, type Review } from "../review";
import type { RichText } from "../rich-text";
import { cell, code, fenced, htmlCode } from "./escape";
import { bySubject, describeFinding, notices, verdict } from "./summary";

/** How long the Markdown may be, and where the whole of it is kept. */
export interface MarkdownOptions {
  /** In UTF-16 units, of which GitHub's characters are never more. Default: no limit. */
  readonly limit?: number;
  /** Where the whole review is kept, for when it does not fit. */
  readonly artifactUrl?: string;
}

/** A piece of the text that can be had shorter. */
interface Block {
  readonly full: string;
  /** Without the attributes, or without the resource at all. */
  readonly short: string;
}

interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

/**
 * A review as Markdown for GitHub. What comes from the plan stands in code throughout, so that it can neither mention
 * nor link nor format. When it does not fit, attributes go first, the longest first, then resources of the longest
 * section; who gains goes last.
 */
export function toMarkdown(review: Review, options: MarkdownOptions = {}): string {
  const { environments } = review;
  const headline = `**${inMarkdown(verdict(review))}**`;
  if (environments.every(isQuiet)) return `${headline}\n`;
  const top = [
    headline,
    ...environments.flatMap(notices).map((notice) => `> ⚠️ ${inMarkdown(notice)}`),
    table(environments),
  ];
  // Whoever gains comes before whoever only loses, over all environments: a cut falls at the end.
  const access = [true, false].flatMap((gaining) => environments.flatMap((each) => accessOf(each, gaining)));
  const head = [...top, ...(access.length > 0 ? ["### Access", ...access] : [])];
  return fitted(head, environments.flatMap(sections), options);
}

/** A sentence in Markdown, what comes from the plan as code. */
export function inMarkdown(sentence: RichText): string {
  return sentence.map((part) => (typeof part === "string" ? part : code(part.code))).join("");
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

function accessOf({ environment, access }: EnvironmentReview, gaining: boolean): string[] {
  const gainers = new Set(gains(access).map(({ subject }) => subject));
  return accessLines(
    environment,
    access.filter(({ subject }) => gainers.has(subject) === gaining),
  );
}

/** One paragraph a subject, so that a cut falls between two of them. */
function accessLines(environment: string, findings: readonly AccessFinding[]): string[] {
  return [...bySubject(findings)].map(([subject, all]) =>
    [
      `**${code(environment)}: ${code(subject)}**`,
      ...all.map((each) => `- ${SIGN[each.effect]} ${inMarkdown(describeFinding(each))}`),
    ].join("\n"),
  );
}

const SIGN = { gain: "🔺", unknown: "❓", loss: "🔻" } as const;

function sections(environment: EnvironmentReview): Section[] {
  const { resources, drift, outputs, deferred, warnings, driftAccess } = environment;
  const name = htmlCode(environment.environment);
  const plainBlock = (full: string): Block => ({ full, short: "" });
  const all: Section[] = [
    {
      title: `${name}: ${count(resources.length, "resource")}`,
      blocks: grouped(resources).map(resourceBlock),
    },
    {
      title: `${name}: drift`,
      blocks: [...accessLines(environment.environment, driftAccess).map(plainBlock), ...drift.map(resourceBlock)],
    },
    {
      title: `${name}: ${count(outputs.length, "output")}`,
      blocks: outputs.map((output) => folded(`${output.action} ${htmlCode(output.name)}`, output.lines)),
    },
    {
      title: `${name}: put off to a later run`,
      blocks: deferred.map(({ address, reason }) => plainBlock(`- ${code(address)}: ${code(reason)}`)),
    },
    { title: `${name}: warnings`, blocks: warnings.map((warning) => plainBlock(`- ${code(warning)}`)) },
  ];
  return all.filter(({ blocks }) => blocks.length > 0);
}

const ORDER = ["destroy", "replace", "update", "create", "forget", "no-op"];

/** By what happens, the worst first, and within that by type. */
function grouped(resources: readonly ResourceReview[]): readonly ResourceReview[] {
  const rank = ({ action }: ResourceReview) => ORDER.indexOf(action);
  return [...resources].sort((a, b) => rank(a) - rank(b) || (a.type < b.type ? -1 : a.type > b.type ? 1 : 0));
}

function resourceBlock(resource: ResourceReview): Block {
  const { action, address, deposed, previousAddress, importId, reason } = resource;
  const notes = [
    ...(deposed ? ["the old object that a replacement left behind"] : []),
    ...(reason === undefined ? [] : [htmlCode(reason)]),
    ...(previousAddress === undefined ? [] : [`moved from ${htmlCode(previousAddress)}`]),
    ...(importId === undefined ? [] : [`imported from ${htmlCode(importId)}`]),
  ];
  const verb = action === "no-op" ? (importId === undefined ? "move" : "import") : action;
  return folded([`<b>${verb}</b> ${htmlCode(address)}`, ...notes].join(" — "), resource.lines);
}

function folded(summary: string, lines: EnvironmentReview["resources"][number]["lines"]): Block {
  const short = `<details><summary>${summary}</summary></details>`;
  if (lines.length === 0) return { full: short, short };
  const body = fenced(
    "diff",
    lines.map(({ sign, text }) => `${sign} ${text}`),
  );
  return { full: `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`, short };
}

function fitted(
  head: readonly string[],
  all: readonly Section[],
  { limit = Number.POSITIVE_INFINITY, artifactUrl }: MarkdownOptions,
): string {
  const texts = all.map(({ blocks }) => blocks.map(({ full }) => full));
  const whole = assemble(head, all, texts);
  if (whole.length <= limit) return whole;
  const where =
    artifactUrl === undefined ? "" : `: [the whole review](${artifactUrl.replace(/[()<>\s]/g, encodeURIComponent)})`;
  const note = `> ✂️ This did not fit into a comment and is cut${where}.`;
  const room = limit - note.length - 2;
  return `${shorten(head, all, texts, room)}\n${note}\n`;
}

/** Makes `texts` shorter, step by step, until the whole has at most `room` units. */
function shorten(head: readonly string[], all: readonly Section[], texts: string[][], room: number): string {
  let over = assemble(head, all, texts).length - room;
  const detailed = all.flatMap(({ blocks }, at) =>
    blocks.map((block, index) => ({ at, index, block, saved: block.full.length - block.short.length })),
  );
  for (const { at, index, block, saved } of detailed.sort((a, b) => b.saved - a.saved)) {
    if (over <= 0) break;
    const section = texts[at];
    if (section) section[index] = block.short;
    over -= saved;
  }
  const dropped = all.map(() => 0);
  while (over > 0 && texts.some((section) => section.length > 0)) {
    const longest = texts.reduce((best, section, at) => (size(section) > size(texts[best] ?? []) ? at : best), 0);
    over -= (texts[longest]?.pop()?.length ?? 0) + 2;
    dropped[longest] = (dropped[longest] ?? 0) + 1;
    // The line that says how many are missing takes room as well.
    if (dropped[longest] === 1) over += MORE_LENGTH;
  }
  texts.forEach((section, at) => {
    if (dropped[at]) section.push(`… and ${dropped[at]} more`);
  });
  const shortened = assemble(head, all, texts);
  return shortened.length <= room ? shortened : cutHead(head, room);
}

const MORE_LENGTH = "… and 1000000 more\n\n".length;

const size = (section: readonly string[]) => section.reduce((sum, text) => sum + text.length, 0);

/** Only the top is left, and even that is too long: as many whole paragraphs of it as fit. */
function cutHead(head: readonly string[], room: number): string {
  const kept: string[] = [];
  let used = MORE_LENGTH;
  for (const part of head) {
    if (used + part.length + 2 > room) break;
    used += part.length + 2;
    kept.push(part);
  }
  return `${[...kept, `… and ${head.length - kept.length} more`].join("\n\n")}\n`;
}

function assemble(head: readonly string[], all: readonly Section[], texts: readonly (readonly string[])[]): string {
  const folds = all.map(({ title }, at) => {
    const body = (texts[at] ?? []).filter((text) => text !== "").join("\n\n");
    return `<details><summary>${title}</summary>\n\n${body}\n\n</details>`;
  });
  return `${[...head, ...folds].join("\n\n")}\n`;
}
