import type { Explanation } from "../../trust/explain";
import type { Check, Mismatch, PartComparison } from "../../trust/explain/types";
import { wrap } from "../../wrap";
import type { Paint, Terminal } from "./terminal";

/** What `keyless explain` found out, beside the explanation itself. */
export interface Report extends Explanation {
  readonly environment: string;
  readonly role: string;
  /** Where the trust was read. */
  readonly trust: "configuration" | "account";
  /** How the account's trust differs from the configured one; empty when it does not. Absent unless both were read. */
  readonly differences?: readonly string[];
}

const INDENT = "  ";
const COLUMN = 14;

/** An explanation for people: the decision, what to do, and what was compared; one screen. */
export function renderReport(report: Report, { paint, columns }: Omit<Terminal, "colors">): string {
  const { mismatch, checks } = report;
  return [
    wrap(headline(report, paint), columns, INDENT),
    ...remedyLines(report, paint, columns),
    ...(mismatch === undefined ? [] : ["", ...mismatchLines(mismatch, paint)]),
    "",
    ...checkLines(checks, paint, columns),
    ...differenceLines(report),
    "",
  ].join("\n");
}

function headline({ decision, environment, role, trust }: Report, { good, bad }: Paint): string {
  const where = `${role} in ${environment}${trust === "account" ? ", as it is in the account," : ""}`;
  switch (decision) {
    case "allowed":
      return `${good("allowed")}: ${where} lets this token in${trust === "account" ? "" : "; if AWS refuses it, add --live"}`;
    case "refused":
      return `${bad("refused")}: ${where} does not let this token in`;
    case "unknown":
      return `${bad("could not tell")}: whether ${where} lets this token in is not known`;
  }
}

function remedyLines({ remedy }: Report, { bad, good }: Paint, columns: number): string[] {
  if (remedy === undefined) return [];
  const paragraph = (label: string, text: string) => `${INDENT}${label}${hang(text, columns, INDENT.length)}`;
  return [
    "",
    paragraph(bad("why".padEnd(COLUMN)), remedy.why),
    paragraph(good("remedy".padEnd(COLUMN)), remedy.remedy),
  ];
}

/** Text behind a label and `before` more columns, wrapped with its lines below each other. */
function hang(text: string, columns: number, before: number): string {
  const indent = " ".repeat(before + COLUMN);
  return wrap(text, columns, indent);
}

function mismatchLines(mismatch: Mismatch, paint: Paint): string[] {
  const { operator, key, parts, expected, closest, actual, firstDifference, note } = mismatch;
  const which = expected.length > 1 ? `, beside the closest of ${expected.length}` : "";
  const title = `${INDENT}${operator} ${paint.faint(key)}${which}`;
  const mismatched = parts?.filter(({ matches }) => !matches) ?? [];
  if (parts !== undefined && mismatched.length > 0) return [title, ...parts.flatMap((part) => partLines(part, paint))];
  if (note !== undefined) return [title, ...sides(actual.join(", "), closest, undefined, paint)];
  return [title, ...sides(actual.join(", "), closest, firstDifference, paint)];
}

function partLines({ part, actual, expected, matches, firstDifference }: PartComparison, paint: Paint): string[] {
  if (matches) {
    const any = expected === "*" ? paint.faint(" (any)") : "";
    return [`${INDENT}${INDENT}${paint.faint(part.padEnd(COLUMN))}${actual ?? paint.faint("none")}${any}`];
  }
  const mark = actual === undefined || expected === undefined ? undefined : firstDifference;
  return [`${INDENT}${paint.bad(`✗ ${part}`)}`, ...sides(actual, expected, mark, paint)];
}

function sides(
  actual: string | undefined,
  expected: string | undefined,
  mark: number | undefined,
  paint: Paint,
): string[] {
  const line = (label: string, text: string) => `${INDENT}${INDENT}${paint.faint(label.padEnd(COLUMN))}${text}`;
  const marked = (text: string) => (mark === undefined ? text : text.slice(0, mark) + paint.bad(text.slice(mark)));
  return [
    line("  token", actual === undefined || actual === "" ? paint.faint("none") : marked(actual)),
    line("  trusted", expected === undefined ? paint.faint("none: the subject must end before it") : expected),
    ...(mark === undefined ? [] : [line("", `${" ".repeat(mark)}${paint.bad("^")}`)]),
  ];
}

/** What was checked: what passed in one line, the rest with its reason. */
function checkLines(checks: readonly Check[], { good, bad, faint }: Paint, columns: number): string[] {
  const passed = checks.filter(({ outcome }) => outcome === "passed").map(({ name }) => name);
  const others = checks.filter(({ outcome }) => outcome !== "passed");
  return [
    ...(passed.length === 0 ? [] : [`${INDENT}${good("✓")} ${wrap(passed.join(", "), columns, INDENT.repeat(2))}`]),
    ...others.map(({ name, outcome, detail }) => {
      const sign = outcome === "failed" ? bad("✗") : faint("?");
      return `${INDENT}${sign} ${name.padEnd(COLUMN)}${hang(detail, columns, 2 * INDENT.length)}`;
    }),
  ];
}

function differenceLines({ differences }: Report): string[] {
  if (differences === undefined) return [];
  if (differences.length === 0) return ["", `${INDENT}the account's trust is the configured one`];
  return [
    "",
    `${INDENT}the account's trust differs from the configured one:`,
    ...differences.map((difference) => `${INDENT}${INDENT}${difference}`),
  ];
}
