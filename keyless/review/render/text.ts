import { styleText } from "node:util";
import type { DiffLine } from "../../plan/difference";
import { wrap } from "../../wrap";
import type { AccessFinding } from "../delta/finding";
import { COUNTED, type EnvironmentReview, isQuiet, type ResourceReview, type Review } from "../review";
import { renderRichText } from "../rich-text";
import { oneLine } from "./escape";
import { bySubject, describeFinding, notices, verdict } from "./summary";

type Style = "bold" | "red" | "green" | "yellow";

interface TextOptions {
  /** Whether to write escape codes for colors. Default: no. */
  readonly colors?: boolean;
  /** The width at which sentences are wrapped; differences never are. Default: unlimited. */
  readonly columns?: number;
}

/** A review for a terminal. */
export function toText(
  review: Review,
  { colors = false, columns = Number.POSITIVE_INFINITY }: TextOptions = {},
): string {
  const paint = (style: Style, text: string) =>
    colors ? styleText(style, oneLine(text), { validateStream: false }) : oneLine(text);
  const sentence = (style: Style, text: string) => {
    const indent = " ".repeat(text.length - text.trimStart().length + 2);
    return wrap(oneLine(text), columns, indent)
      .split("\n")
      .map((line) => paint(style, line))
      .join("\n");
  };
  const { environments } = review;
  const lines = [sentence("bold", renderRichText(verdict(review)))];
  if (environments.every(isQuiet)) return `${lines[0]}\n`;
  lines.push(...environments.flatMap(notices).map((notice) => sentence("yellow", `! ${renderRichText(notice)}`)));
  for (const each of environments) lines.push("", ...environmentLines(each, paint, sentence));
  return `${lines.join("\n")}\n`;
}

type Paint = (style: Style, text: string) => string;

function environmentLines(review: EnvironmentReview, paint: Paint, sentence: Paint): string[] {
  const counts = COUNTED.filter((what) => review.counts[what] > 0).map((what) => `${review.counts[what]} ${what}`);
  const part = (title: string, lines: readonly string[]) => (lines.length > 0 ? [`  ${title}`, ...lines] : []);
  return [
    paint("bold", `${review.environment}: ${counts.join(", ") || "no change of a resource"}`),
    ...part("access", accessLines(review.access, sentence)),
    ...part(
      "resources",
      review.resources.flatMap((each) => resourceLines(each, paint)),
    ),
    ...part("drift", [
      ...accessLines(review.driftAccess, sentence),
      ...review.drift.flatMap((each) => resourceLines(each, paint)),
    ]),
    ...part(
      "outputs",
      review.outputs.flatMap(({ name, action, lines }) => [
        oneLine(`    ${action} ${name}`),
        ...diffLines(lines, paint),
      ]),
    ),
    ...part(
      "put off to a later run",
      review.deferred.map(({ address, reason }) => oneLine(`    ${address}: ${reason}`)),
    ),
    ...part(
      "warnings",
      review.warnings.map((warning) => sentence("yellow", `    ${warning}`)),
    ),
  ];
}

const SIGNS = { gain: "+", unknown: "?", loss: "-" } as const;
const STYLES = { gain: "red", unknown: "yellow", loss: "green" } as const;

function accessLines(findings: readonly AccessFinding[], sentence: Paint): string[] {
  return [...bySubject(findings)].flatMap(([subject, all]) => [
    oneLine(`    ${subject}`),
    ...all.map((each) =>
      sentence(STYLES[each.effect], `      ${SIGNS[each.effect]} ${renderRichText(describeFinding(each))}`),
    ),
  ]);
}

function resourceLines(
  { action, address, deposed, reason, previousAddress, importId, lines }: ResourceReview,
  paint: Paint,
): string[] {
  const notes = [
    ...(deposed ? ["deposed"] : []),
    ...(reason === undefined ? [] : [reason]),
    ...(previousAddress === undefined ? [] : [`moved from ${previousAddress}`]),
    ...(importId === undefined ? [] : [`imported from ${importId}`]),
  ];
  return [oneLine(`    ${[`${action} ${address}`, ...notes].join(" - ")}`), ...diffLines(lines, paint)];
}

function diffLines(lines: readonly DiffLine[], paint: Paint): string[] {
  return lines.map(({ sign, text }) => {
    const line = `      ${sign} ${text}`;
    return sign === " " ? oneLine(line) : paint(sign === "+" ? "green" : "red", line);
  });
}
