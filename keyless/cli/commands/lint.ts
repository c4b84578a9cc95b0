import type { Command } from "commander";
import { openAccount } from "../../aws/iam";
import type { AcceptedFindings } from "../../config/input";
import { type JudgedFinding, judge, lintInputOf, serversOf } from "../../config/lint";
import type { Environment } from "../../config/resolved";
import { EXIT_STATUS, UsageError, UserError } from "../../errors";
import { decodeDocument, isObject, type PolicyDocument } from "../../policy/document";
import { count } from "../../text";
import { fixTrust, type LintInput, lintTrust } from "../../trust/lint";
import { placeholdersIn } from "../../trust/lint/fix";
import { trustsCircleCi } from "../../trust/statement";
import { wrap } from "../../wrap";
import { print, readInput, toEnvelope } from "../lib/files";
import { environmentNamed, loadConfig } from "../lib/load-config";
import { type Terminal, terminalOf } from "../lib/terminal";

interface Flags {
  readonly live?: string;
  readonly server?: string[];
  readonly json?: true;
}

/** What was linted, what was found in it, and how it would be without the findings that are not accepted. */
interface Subject {
  /** A role as `<environment>/<role>`, or a file. */
  readonly subject: string;
  readonly findings: readonly JudgedFinding[];
  readonly fixed?: PolicyDocument;
}

export function register(program: Command): void {
  program
    .command("lint")
    .description("find overly permissive trust policies in config.ts, in files, or in an account")
    .argument(
      "[file...]",
      "trust policies as JSON, or the output of `aws iam get-role`; - for standard input (default: the roles of config.ts)",
    )
    .option("--live <environment>", "lint every role of the environment's account that trusts a CircleCI issuer")
    .option(
      "--server <host>",
      "for files: also accept the issuers of this CircleCI server (repeatable)",
      (host, others: string[] = []) => [...others, host],
    )
    .option("--json", "print JSON")
    .action(async (files: string[], flags: Flags) => {
      const subjects = await lint(files, flags);
      print(flags.json ? toEnvelope("lint", subjects) : render(subjects, terminalOf()));
      const open = subjects.flatMap(({ findings }) => findings).filter(({ accepted }) => accepted === undefined);
      if (open.some(({ severity }) => severity === "error")) process.exitCode = EXIT_STATUS.refused;
    });
}

async function lint(files: readonly string[], { live, server }: Flags): Promise<Subject[]> {
  if (live !== undefined && files.length > 0)
    throw new UsageError("lint either files or an account: leave out one of them");
  if (live !== undefined) return lintAccount(environmentNamed(loadConfig(), live));
  if (files.length > 0) return files.flatMap((file) => lintFile(file, server ?? []));
  return loadConfig().environments.flatMap((environment) =>
    environment.roles.map((role) =>
      lintSubject(`${environment.name}/${role.name}`, lintInputOf(environment, role), role.acceptedFindings),
    ),
  );
}

function lintSubject(subject: string, input: LintInput, accepted: AcceptedFindings = {}): Subject {
  return { subject, findings: judge(lintTrust(input), accepted), fixed: fixTrust(input, Object.keys(accepted)) };
}

async function lintAccount(environment: Environment): Promise<Subject[]> {
  const account = await openAccount(environment);
  const servers = serversOf(environment);
  const subjects: Subject[] = [];
  for (const { name, trustPolicy } of await account.roles()) {
    if (!trustsCircleCi(trustPolicy, servers)) continue;
    const input = { trustPolicy, policies: await account.policies(name), servers, accountId: environment.accountId };
    const configured = environment.roles.find((role) => role.name === name);
    subjects.push(lintSubject(`${environment.name}/${name}`, input, configured?.acceptedFindings));
  }
  return subjects;
}

function lintFile(file: string, servers: readonly string[]): Subject[] {
  const json = parse(file);
  if (!isObject(json) || !Array.isArray(json.Roles))
    return [lintSubject(file, { trustPolicy: policyIn(json), servers })];
  return json.Roles.map((role: unknown) => ({ name: nameOf(role), trustPolicy: policyIn(role) }))
    .filter(({ trustPolicy }) => trustsCircleCi(trustPolicy, servers))
    .map(({ name, trustPolicy }) => lintSubject(`${file}: ${name}`, { trustPolicy, servers }));
}

function parse(file: string): unknown {
  const text = readInput(file, "the trust policy");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(`${file} is not JSON: ${(error as Error).message}`);
  }
}

/** The trust policy in what IAM's commands print, or the value itself. */
function policyIn(json: unknown): unknown {
  if (!isObject(json)) return json;
  if (isObject(json.Role)) return policyIn(json.Role);
  const { AssumeRolePolicyDocument: policy = json } = json;
  return typeof policy === "string" ? decodeDocument(policy) : policy;
}

function nameOf(role: unknown): string {
  return isObject(role) ? String(role.RoleName) : "";
}

function render(subjects: readonly Subject[], terminal: Terminal): string {
  const all = subjects.flatMap(({ findings }) => findings);
  const open = all.filter(({ accepted }) => accepted === undefined);
  const summary = [
    count(open.filter(({ severity }) => severity === "error").length, "error"),
    count(open.filter(({ severity }) => severity === "warning").length, "warning"),
    `${all.length - open.length} accepted`,
  ];
  return [
    ...subjects.filter(({ findings }) => findings.length > 0).map((subject) => renderSubject(subject, terminal)),
    `${count(subjects.length, "trust policy", "trust policies")} read: ${summary.join(", ")}\n`,
  ].join("\n");
}

function renderSubject({ subject, findings, fixed }: Subject, terminal: Terminal): string {
  const lines = findings.map((finding) => renderFinding(finding, terminal));
  return [subject, ...lines, ...(fixed === undefined ? [] : renderFix(fixed)), ""].join("\n");
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

function renderFinding(finding: JudgedFinding, { paint: { bad, faint, good }, columns }: Terminal): string {
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
