import { styleText } from "node:util";
import { oneLine } from "../../text";
import { wrap } from "../../wrap";
import type { AccessFinding } from "../delta/finding";
import { COUNTED, type EnvironmentReview, isQuiet, type Review } from "../review";
import { renderRichText } from "../rich-text";
import { accessSections, bySubject, describeFinding, notices, type SectionEntry, sectionsOf, verdict } from "./summary";

interface TextOptions {
  /** Whether to write escape codes for colors. Default: no. */
  readonly colors?: boolean;
  /** The width at which sentences are wrapped; differences never are. Default: unlimited. */
  readonly columns?: number;
}

const SIGNS = { gain: "+", unknown: "?", none: "?", loss: "-" } as const;
const STYLES = { gain: "red", unknown: "yellow", none: "yellow", loss: "green" } as const;
const LINE_STYLES = { " ": undefined, "-": "red", "+": "green" } as const;

/** A review for a terminal. */
export function toText(review: Review, { colors = false, columns = Number.POSITIVE_INFINITY }: TextOptions = {}) {
  const line = (text: string, style?: "bold" | "red" | "green" | "yellow") =>
    colors && style ? styleText(style, oneLine(text), { validateStream: false }) : oneLine(text);
  const sentence = (text: string, style: Parameters<typeof line>[1]) => {
    const indent = " ".repeat(text.length - text.trimStart().length + 2);
    return wrap(oneLine(text), columns, indent)
      .split("\n")
      .map((part) => line(part, style));
  };
  const findingLines = (findings: readonly AccessFinding[]) =>
    [...bySubject(findings)].flatMap(([subject, all]) => [
      line(`    ${subject}`),
      ...all.flatMap((each) =>
        sentence(`      ${SIGNS[each.effect]} ${renderRichText(describeFinding(each))}`, STYLES[each.effect]),
      ),
    ]);
  const entryLines = ({ action, what, notes = [], lines = [] }: SectionEntry) => {
    if (action === undefined) return sentence(`    ${renderRichText(what)}`, "yellow");
    const title = [[`${action} `, ...what], ...notes].map((part) => renderRichText(part)).join(" - ");
    return [line(`    ${title}`), ...lines.map(({ sign, text }) => line(`      ${sign} ${text}`, LINE_STYLES[sign]))];
  };
  const environmentLines = (each: EnvironmentReview) => {
    const counts = COUNTED.filter((what) => each.counts[what] > 0).map((what) => `${each.counts[what]} ${what}`);
    return [
      "",
      line(`${each.environment}: ${counts.join(", ") || "no changes of resources"}`, "bold"),
      ...accessSections(each).flatMap(({ title, findings }) => [`  ${title}`, ...findingLines(findings)]),
      ...sectionsOf(each).flatMap(({ title, entries }) => [`  ${title}`, ...entries.flatMap(entryLines)]),
    ];
  };
  const { environments } = review;
  const lines = [
    ...sentence(renderRichText(verdict(review)), "bold"),
    ...environments.flatMap(notices).flatMap((notice) => sentence(`! ${renderRichText(notice)}`, "yellow")),
    ...(environments.every(isQuiet) ? [] : environments.flatMap(environmentLines)),
  ];
  return `${lines.join("\n")}\n`;
}
