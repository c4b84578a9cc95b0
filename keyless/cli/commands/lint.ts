import { type Command, InvalidArgumentError } from "commander";
import { openAccount } from "../../aws/iam";
import { type LintReport, lintConfig, lintFile, lintLiveRole } from "../../config/lint";
import type { Environment } from "../../config/resolved";
import { isHostName } from "../../config/schema";
import { EXIT_STATUS, UsageError } from "../../errors";
import { oneLineValues } from "../../text";
import { print, readJson, toEnvelope } from "../lib/files";
import { renderLint } from "../lib/lint-text";
import { environmentNamed, loadConfig, loadConfigWithWarnings } from "../lib/load-config";
import { terminalOf } from "../lib/terminal";

interface LintFlags {
  readonly live?: string;
  readonly server?: string[];
  readonly json?: true;
}

export function register(program: Command): void {
  program
    .command("lint")
    .description("find overly permissive trust policies in config.ts, in files, or in an account")
    .argument(
      "[file...]",
      "trust policies as JSON, or the output of `aws iam get-role`; - for standard input (default: the roles of config.ts)",
    )
    .option(
      "--live <environment>",
      "check every role of the environment's account that is configured or trusts CircleCI",
    )
    .option(
      "--server <host>",
      "for files: also accept the issuers of this CircleCI server (repeatable)",
      (host, others: string[] = []) => [...others, hostName(host)],
    )
    .option("--json", "print JSON")
    .action(async (files: string[], flags: LintFlags) => {
      const reports = await lint(files, flags);
      print(flags.json ? toEnvelope("lint", reports) : renderLint(reports.map(inOneLine), terminalOf()));
      const errors = reports
        .flatMap(({ findings }) => findings)
        .filter(({ accepted, severity }) => accepted === undefined && severity === "error");
      if (errors.length > 0) process.exitCode = EXIT_STATUS.refused;
    });
}

function hostName(text: string): string {
  if (isHostName(text)) return text;
  throw new InvalidArgumentError('Write the host name in lower case without "https://", port and path.');
}

/** The fix is JSON, which is escaped when it is rendered. */
function inOneLine({ fixed, ...report }: LintReport): LintReport {
  return { ...oneLineValues(report), ...(fixed && { fixed }) };
}

async function lint(files: readonly string[], { live, server = [] }: LintFlags): Promise<LintReport[]> {
  if (live !== undefined && files.length > 0) throw new UsageError("pass either files or --live, not both");
  if (live !== undefined) return lintAccount(environmentNamed(loadConfig(), live));
  if (files.length > 0) return files.flatMap((file) => lintFile(file, readJson(file, "the trust policy"), server));
  return lintConfig(loadConfigWithWarnings());
}

async function lintAccount(environment: Environment): Promise<LintReport[]> {
  const account = await openAccount(environment);
  const reports: (LintReport | undefined)[] = [];
  for (const role of await account.roles())
    reports.push(await lintLiveRole(environment, role, () => account.policies(role.name)));
  return reports.filter((report) => report !== undefined);
}
