import { statSync } from "node:fs";
import { type Command, Option } from "commander";
import { accessMatrix, type EnvironmentAccess } from "../../access/matrix";
import { accessMermaid } from "../../access/render/mermaid";
import { accessOfProject, accessOfRepository, accessOfToken, projectsWithoutRepository } from "../../access/who";
import type { Config, Environment } from "../../config/resolved";
import { EXIT_STATUS, UsageError, UserError } from "../../errors";
import { oneLineValues } from "../../text";
import { parseRef, UUID } from "../../trust/circleci";
import { type Claims, readToken, TokenError } from "../../trust/token";
import { note, outputFile, print, readInput, toEnvelope, writeOutput } from "../lib/files";
import { environmentNamed, loadConfig } from "../lib/load-config";
import { terminalOf } from "../lib/terminal";

type AccessFormat = "table" | "json" | "mermaid" | "svg";

interface AccessFlags {
  readonly who?: string;
  readonly format: AccessFormat;
  readonly json?: boolean;
  readonly out?: string;
  readonly live?: true;
}

/** The access to show, and its title. */
type View = { readonly title?: string; readonly access: readonly EnvironmentAccess[] };

export function register(program: Command): void {
  program
    .command("access")
    .description("show who can assume which role, according to config.ts: as a table, as JSON or as a graph")
    .argument("[environments...]", "only these environments (default: all)")
    .option(
      "--who <identity>",
      "show only the roles that trust it: a file with a token, - for a token on standard input, a project id, or a repository[@ref]",
    )
    .addOption(
      new Option("--format <format>", "choose the output")
        .choices(["table", "json", "mermaid", "svg"])
        .default("table"),
    )
    .option(
      "--live",
      "compare with the account of your AWS credentials: show roles that trust CircleCI and are in no environment, and differences",
    )
    .option("--json", "print JSON: short for --format json")
    .option("--out <file>", "write to a file instead of standard output", outputFile)
    .action(showAccess);
}

async function showAccess(names: readonly string[], { who, format, json, out, live }: AccessFlags): Promise<void> {
  const config = loadConfig();
  const selected = names.map((name) => environmentNamed(config, name));
  if (live) {
    if (who !== undefined || out !== undefined || !["table", "json"].includes(format))
      throw new UsageError("--live takes neither --who nor --out, and prints a table or JSON");
    return showLiveAccess(config, selected, json === true || format === "json");
  }
  const environments = selected.map(({ name }) => name);
  const view = who === undefined ? { access: accessMatrix(config) } : viewOf(config, who);
  const shown = view.access.filter(({ name }) => environments.length === 0 || environments.includes(name));
  const access = oneLineValues(shown);
  const text = await renderAccess({ ...view, access }, json ? "json" : format, terminalOf(out).columns);
  if (out === undefined) print(text);
  else {
    writeOutput("--out", out, text);
    note(`wrote ${out}`);
  }
}

/** Exits with 1 if the account's roles differ from the configuration. */
async function showLiveAccess(config: Config, selected: readonly Environment[], json: boolean): Promise<void> {
  // Loaded on demand: the other formats need no AWS SDK.
  const [{ openAccount }, { callerAccount }, { liveAccess }, { renderLiveAccess }] = await Promise.all([
    import("../../aws/iam.js"),
    import("../../aws/identity.js"),
    import("../../access/live.js"),
    import("../lib/live-access-text.js"),
  ]);
  const [first] = selected.length > 0 ? selected : config.environments;
  if (first === undefined) throw new UsageError("config.ts has no environment");
  const accountId = selected.length > 0 ? first.accountId : await callerAccount(first.region);
  const other = selected.find((environment) => environment.accountId !== accountId);
  if (other !== undefined)
    throw new UsageError(`${first.name} and ${other.name} are in different accounts: name environments of one account`);
  const account = await openAccount({ accountId, region: first.region });
  const names = selected.map(({ name }) => name);
  const roles = liveAccess(config, accountId, await account.roles(), names);
  print(
    json ? toEnvelope("access", { accountId, roles }) : renderLiveAccess(accountId, oneLineValues(roles), terminalOf()),
  );
  if (roles.some(({ status }) => status !== "as-configured")) process.exitCode = EXIT_STATUS.refused;
}

async function renderAccess({ title, access }: View, format: AccessFormat, columns: number): Promise<string> {
  if (format === "json") return toEnvelope("access", access);
  if (format === "mermaid") return accessMermaid(access);
  // Loaded on demand: measuring and wrapping text takes longer to load than the other formats.
  if (format === "svg") return (await import("../../access/render/svg.js")).accessSvg(access, title);
  if (access.length === 0) return "no role trusts it\n";
  return `${(await import("../../access/render/table.js")).accessTable(access, columns)}\n`;
}

function viewOf(config: Config, who: string): View {
  if (who === "-" || isFile(who)) {
    return { title: "Roles that trust the token", access: accessOfToken(config, readTokenClaims(who)) };
  }
  const title = `Roles that trust ${who}`;
  if (UUID.test(who)) return { title, access: accessOfProject(config, who) };
  const [, repository, ref] = /^([^@\s/]+(?:\/[^@\s/]+){2,})(?:@(.+))?$/.exec(who) ?? [];
  if (repository === undefined) {
    // Do not print the value: it may be a token.
    throw new UsageError(
      "--who requires a file with a token, - for a token on standard input, a project id, or a repository such as " +
        "github.com/acme/site@main",
    );
  }
  const unnamed = projectsWithoutRepository(config);
  if (unnamed.length > 0) {
    note(`config.ts names no repository for ${unnamed.join(", ")}: use --who with the ids of these projects`);
  }
  const parsed = ref === undefined ? undefined : (parseRef(ref) ?? { kind: "branch" as const, name: ref });
  return { title, access: accessOfRepository(config, repository, parsed) };
}

/** The claims of a token in a file or, if the file is `-`, on standard input. */
function readTokenClaims(file: string): Claims {
  const input = readInput(file, "the token");
  try {
    const { claims } = readToken(input);
    const { exp = 0 } = claims;
    if (exp * 1000 < Date.now()) {
      const expired = new Date(exp * 1000).toISOString();
      note(`the token expired at ${expired}: AWS refuses it; these roles trusted it until then`);
    }
    note("the token's signature was not verified: `keyless explain` verifies it");
    return claims;
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    throw new UserError(
      `${file === "-" ? "standard input" : file} does not contain a CircleCI token: ${error.message}`,
    );
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
