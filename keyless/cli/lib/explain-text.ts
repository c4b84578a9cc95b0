import type { RoleExplanation } from "../../access/explain";
import { oneLineValues } from "../../text";
import type { Check, Mismatch, PartComparison } from "../../trust/explain/types";
import { wrap } from "../../wrap";
import type { Paint, Terminal } from "./terminal";

const INDENT = "  ";
const COLUMN = 14;

/** An explanation as text: the decision, the remedy, the compared values and the checks. It fits on one screen. */
export function renderExplanation(given: RoleExplanation, { paint, columns }: Omit<Terminal, "colors">): string {
  const explanation = oneLineValues(given);
  const { mismatch, checks, warnings = [] } = explanation;
  return [
    wrap(headline(explanation, paint), columns, INDENT),
    ...remedyLines(explanation, paint, columns),
    ...(mismatch === undefined ? [] : ["", ...mismatchLines(mismatch, paint)]),
    "",
    ...checkLines(checks, paint, columns),
    ...warnings.map((warning) => `${INDENT}! ${wrap(warning, columns, INDENT.repeat(2))}`),
    ...differenceLines(explanation),
    "",
  ].join("\n");
}

function headline({ decision, environment, role, trust }: RoleExplanation, { good, bad }: Paint): string {
  const isLive = trust === "account";
  const name = `${role} in ${environment}${isLive ? ", as it is in the account," : ""}`;
  if (decision === "refused") return `${bad("refused")}: ${name} does not trust this token`;
  if (decision === "unknown") return `${bad("unknown")}: only AWS can decide whether ${name} trusts this token`;
  return `${good("allowed")}: ${name} trusts this token${isLive ? "" : "; if AWS refuses it, add --live"}`;
}

function remedyLines({ remedy }: RoleExplanation, { bad, good }: Paint, columns: number): string[] {
  if (remedy === undefined) return [];
  const paragraph = (label: string, text: string) => `${INDENT}${label}${hang(text, columns, INDENT.length)}`;
  const [why, fix] = [bad("why".padEnd(COLUMN)), good("remedy".padEnd(COLUMN))];
  return ["", paragraph(why, remedy.why), paragraph(fix, remedy.remedy)];
}

/** Wraps text that follows a label in a column of its own. */
function hang(text: string, columns: number, before: number): string {
  return wrap(text, columns, " ".repeat(before + COLUMN));
}

function mismatchLines(mismatch: Mismatch, paint: Paint): string[] {
  const { operator, key, parts, expected, closest, actual, firstDifference, kind } = mismatch;
  const which = expected.length > 1 ? `, compared with the closest of ${expected.length} values` : "";
  const title = `${INDENT}${operator} ${paint.faint(key)}${which}`;
  if (parts?.some(({ matches }) => !matches)) return [title, ...parts.flatMap((part) => partLines(part, paint))];
  const mark = kind === "unknown-key" ? undefined : firstDifference;
  return [title, ...sides(actual.join(", "), closest, mark, paint)];
}

function partLines({ part, actual, expected, matches, firstDifference }: PartComparison, paint: Paint): string[] {
  if (matches) {
    const any = expected === "*" ? paint.faint(" (any)") : "";
    return [`${INDENT}${INDENT}${paint.faint(part.padEnd(COLUMN))}${actual ?? paint.faint("none")}${any}`];
  }
  const mark = actual === undefined || expected === undefined ? undefined : firstDifference;
  return [`${INDENT}${paint.bad(`✗ ${part}`)}`, ...sides(actual, expected, mark, paint)];
}

function sides(actual = "", expected: string | undefined, mark: number | undefined, paint: Paint): string[] {
  const line = (label: string, text: string) => `${INDENT}${INDENT}${paint.faint(label.padEnd(COLUMN))}${text}`;
  const marked = (text: string) => (mark === undefined ? text : text.slice(0, mark) + paint.bad(text.slice(mark)));
  return [
    line("  token", actual === "" ? paint.faint("none") : marked(actual)),
    line("  trusted", expected ?? paint.faint("none: the pattern ends here")),
    ...(mark === undefined ? [] : [line("", `${" ".repeat(mark)}${paint.bad("^")}`)]),
  ];
}

/** The checks that passed on one line, then each other check with its reason. */
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

function differenceLines({ differences }: RoleExplanation): string[] {
  if (differences === undefined) return [];
  const [does, end] = differences.length === 0 ? ["does not differ", ""] : ["differs", ":"];
  const title = `${INDENT}the trust in the account ${does} from the configuration${end}`;
  return ["", title, ...differences.map((difference) => `${INDENT}${INDENT}${difference}`)];
}
