import type { JudgedFinding, LintReport } from "../../config/lint";
import type { PolicyDocument } from "../../policy/document";
import { count } from "../../text";
import { placeholdersIn } from "../../trust/lint/fix";
import { wrap } from "../../wrap";
import type { Terminal } from "./terminal";

/** The findings of each trust policy and a suggested fix, and the number of findings. */
export function renderLint(reports: readonly LintReport[], terminal: Terminal): string {
  const all = reports.flatMap(({ findings }) => findings);
  const open = all.filter(({ accepted }) => accepted === undefined);
  const summary = [
    count(open.filter(({ severity }) => severity === "error").length, "error"),
    count(open.filter(({ severity }) => severity === "warning").length, "warning"),
    `${all.length - open.length} accepted`,
  ];
  return [
    ...reports
      .filter(({ findings }) => findings.length > 0)
      .flatMap(({ subject, findings, fixed }) => [
        subject,
        ...findings.map((finding) => renderLintFinding(finding, terminal)),
        ...(fixed === undefined ? [] : renderFix(fixed)),
        "",
      ]),
    `${count(reports.length, "trust policy", "trust policies")} checked: ${summary.join(", ")}\n`,
  ].join("\n");
}

function renderLintFinding(finding: JudgedFinding, { paint: { bad, faint, good }, columns }: Terminal): string {
  const { severity, name, accepted, where, problem, attack } = finding;
  const label = accepted === undefined ? (severity === "error" ? bad(severity) : severity) : good("accepted");
  const line = (word: string, text: string) => `    ${faint(word.padEnd(10))}${wrap(text, columns, " ".repeat(14))}`;
  return [
    `  ${label} ${name}`,
    ...(where === "" ? [] : [line("where", where)]),
    line("problem", problem),
    line("attacker", attack),
    ...(accepted === undefined ? [] : [line("reason", accepted)]),
  ].join("\n");
}

function renderFix(fixed: PolicyDocument): string[] {
  const json = JSON.stringify(fixed, undefined, 2).split("\n");
  const left = placeholdersIn(fixed).map(({ placeholder, by }) => `${placeholder} by ${by}`);
  return [
    "  suggested fix:",
    ...json.map((line) => `    ${line}`),
    ...(left.length === 0 ? [] : [`  replace ${left.join(", ")}`]),
  ];
}
