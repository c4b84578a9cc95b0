import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { type JudgedFinding, judge, lintRole, serversOf } from "../config/lint";
import type { Environment } from "../config/types";
import type { PolicyDocument } from "../policy/document";
import { UserError } from "../policy/errors";
import { lintTrust, trustsCircleCi } from "../trust/lint";
import { AccountError, LiveAccount, readDocument } from "./account";
import { environmentNamed, loadConfig } from "./load-config";
import { type Paint, paintFor } from "./paint";

const EXIT = { clean: 0, errors: 1, unknown: 2, usage: 64 } as const;

interface Flags {
  readonly live?: string;
  readonly server?: string[];
  readonly json?: true;
}

/** What was linted, a role as `<environment>/<role>` or a file, and what was found in it. */
interface Subject {
  readonly subject: string;
  readonly findings: readonly JudgedFinding[];
}

export function register(program: Command): void {
  program
    .command("lint")
    .description("find trust that lets in whom nobody meant: in config.ts, in files, or in an account")
    .argument("[file...]", "trust policies in JSON, or what `aws iam get-role` prints; - is standard input")
    .option("--live <environment>", "every role of the environment's account that trusts a CircleCI issuer")
    .option("--server <host...>", "for files: hosts of CircleCI servers, whose issuers count as CircleCI's")
    .option("--json", "for machines")
    .addHelpText(
      "after",
      "\nExit status: 0 no error that is not accepted, 1 errors, 2 could not tell, 64 wrong usage or configuration.\n",
    )
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT.usage))
    .action(async (files: string[], flags: Flags) => {
      process.exitCode = await run(files, flags);
    });
}

async function run(files: readonly string[], flags: Flags): Promise<number> {
  try {
    const subjects = await lint(files, flags);
    const open = subjects.flatMap(({ findings }) => findings).filter(({ accepted }) => accepted === undefined);
    process.stdout.write(
      flags.json ? `${JSON.stringify(subjects, undefined, 2)}\n` : render(subjects, paintFor(process.stdout)),
    );
    return open.some(({ severity }) => severity === "error") ? EXIT.errors : EXIT.clean;
  } catch (error) {
    const known = error instanceof UserError;
    process.stderr.write(`${known ? error.message : error instanceof Error ? error.stack : error}\n`);
    return known && !(error instanceof AccountError) ? EXIT.usage : EXIT.unknown;
  }
}

async function lint(files: readonly string[], { live, server }: Flags): Promise<Subject[]> {
  if (live !== undefined && files.length > 0)
    throw new UserError("lint either files or an account: leave out one of them");
  if (live !== undefined) return lintAccount(environmentNamed(loadConfig(), live));
  if (files.length > 0) return files.flatMap((file) => lintFile(file, server ?? []));
  return loadConfig().environments.flatMap((environment) =>
    environment.roles.map((role) => ({
      subject: `${environment.name}/${role.name}`,
      findings: lintRole(environment, role),
    })),
  );
}

async function lintAccount(environment: Environment): Promise<Subject[]> {
  const account = await LiveAccount.open(environment);
  const servers = serversOf(environment);
  const subjects: Subject[] = [];
  for (const { name, trustPolicy } of await account.roles()) {
    if (!trustsCircleCi(trustPolicy, servers)) continue;
    const findings = lintTrust({ trustPolicy, policies: await account.policies(name), servers });
    const accepted = environment.roles.find((role) => role.name === name)?.acceptedFindings ?? {};
    subjects.push({ subject: `${environment.name}/${name}`, findings: judge(findings, accepted) });
  }
  return subjects;
}

function lintFile(file: string, servers: readonly string[]): Subject[] {
  const json = parse(file);
  const list = isRecord(json) && Array.isArray(json.Roles) ? json.Roles : undefined;
  const named =
    list === undefined
      ? [{ name: file, trustPolicy: policyIn(json) }]
      : list.map((role) => ({ name: `${file}: ${nameOf(role)}`, trustPolicy: policyIn(role) }));
  return named
    .filter(({ trustPolicy }) => list === undefined || trustsCircleCi(trustPolicy as PolicyDocument, servers))
    .map(({ name, trustPolicy }) => ({ subject: name, findings: lintTrust({ trustPolicy, servers }) }));
}

function parse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file === "-" ? 0 : file, "utf8"));
  } catch (error) {
    throw new UserError(`${file} cannot be read as JSON: ${error instanceof Error ? error.message : error}`);
  }
}

/** The trust policy in what IAM's commands print, or the value itself. */
function policyIn(json: unknown): unknown {
  if (!isRecord(json)) return json;
  if (isRecord(json.Role)) return policyIn(json.Role);
  const { AssumeRolePolicyDocument: policy = json } = json;
  return typeof policy === "string" ? readDocument(policy) : policy;
}

function nameOf(role: unknown): string {
  return isRecord(role) ? String(role.RoleName) : "";
}

function isRecord(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function render(subjects: readonly Subject[], paint: Paint): string {
  const withFindings = subjects.filter(({ findings }) => findings.length > 0);
  const all = subjects.flatMap(({ findings }) => findings);
  const count = (word: string, list: readonly unknown[]) => `${list.length} ${word}${list.length === 1 ? "" : "s"}`;
  const open = all.filter(({ accepted }) => accepted === undefined);
  const summary = [
    count(
      "error",
      open.filter(({ severity }) => severity === "error"),
    ),
    count(
      "warning",
      open.filter(({ severity }) => severity === "warning"),
    ),
    `${all.length - open.length} accepted`,
  ];
  return [
    ...withFindings.map(({ subject, findings }) =>
      [`${subject}`, ...findings.map((finding) => renderFinding(finding, paint)), ""].join("\n"),
    ),
    `${count("trust", subjects).replace(/^(\d+) trusts?$/, "$1 trust policies")} read: ${summary.join(", ")}\n`,
  ].join("\n");
}

function renderFinding(finding: JudgedFinding, { bad, faint, good }: Paint): string {
  const { severity, name, accepted, where, problem, attack, fixed } = finding;
  const label = accepted === undefined ? (severity === "error" ? bad(severity) : severity) : good("accepted");
  const line = (word: string, text: string) => `    ${faint(word.padEnd(10))}${text}`;
  return [
    `  ${label} ${name}`,
    ...(where === "" ? [] : [line("where", where)]),
    line("problem", problem),
    line("attacker", attack),
    ...(accepted === undefined ? [] : [line("reason", accepted)]),
    ...(accepted !== undefined || fixed === undefined
      ? []
      : [line("mended", JSON.stringify(fixed, undefined, 2).replaceAll("\n", "\n              "))]),
  ].join("\n");
}
