import { statSync } from "node:fs";
import { type Command, Option } from "commander";
import { accessOf, type EnvironmentAccess } from "../../access/matrix";
import { accessMermaid } from "../../access/render/mermaid";
import { accessSvg } from "../../access/render/svg";
import { accessTable } from "../../access/render/table";
import { projectsWithoutRepository, reachOfProject, reachOfRepository, reachOfToken } from "../../access/who";
import type { Config } from "../../config/resolved";
import { UsageError, UserError } from "../../errors";
import { parseRef, UUID } from "../../trust/circleci";
import { readClaims } from "../../trust/token";
import { note, print, readInput, toEnvelope, writeOutput } from "../lib/files";
import { environmentNamed, loadConfig } from "../lib/load-config";

type Format = "table" | "json" | "mermaid" | "svg";

interface Options {
  readonly who?: string;
  readonly format: Format;
  readonly json?: boolean;
  readonly out?: string;
}

/** What is shown, under which title. */
interface View {
  readonly title: string;
  readonly access: readonly EnvironmentAccess[];
}

export function register(program: Command): void {
  program
    .command("access")
    .description("show who can assume what, by config.ts: as a table, as JSON or as a graph")
    .argument("[environments...]", "only these environments (default: all)")
    .option(
      "--who <token>",
      "show only what this reaches: a file with a token, - for a token on standard input, a project's id, or a repository[@ref]",
    )
    .addOption(
      new Option("--format <format>", "choose the output")
        .choices(["table", "json", "mermaid", "svg"])
        .default("table"),
    )
    .option("--json", "print JSON: short for --format json")
    .option("--out <file>", "write to a file instead of standard output")
    .action(showAccess);
}

function showAccess(names: readonly string[], { who, format, json, out }: Options): void {
  const config = loadConfig();
  const environments = names.map((name) => environmentNamed(config, name).name);
  const { title, access } = who === undefined ? { title: undefined, access: accessOf(config) } : reachOf(config, who);
  const chosen = access.filter(({ name }) => environments.length === 0 || environments.includes(name));
  const text = render(chosen, json ? "json" : format, title);
  if (out === undefined) print(text);
  else {
    writeOutput("--out", out, text);
    note(`wrote ${out}`);
  }
}

function render(access: readonly EnvironmentAccess[], format: Format, title?: string): string {
  switch (format) {
    case "json":
      return toEnvelope("access", access);
    case "mermaid":
      return accessMermaid(access);
    case "svg":
      return accessSvg(access, title);
    case "table":
      return access.length === 0 ? "no role lets it in\n" : `${accessTable(access)}\n`;
  }
}

function reachOf(config: Config, who: string): View {
  if (who === "-" || isFile(who)) return { title: "What the token reaches", access: reachOfTokenIn(config, who) };
  const title = `What ${who} reaches`;
  if (UUID.test(who)) return { title, access: reachOfProject(config, who) };
  const [, repository, ref] = /^([^@\s/]+(?:\/[^@\s/]+){2,})(?:@(.+))?$/.exec(who) ?? [];
  if (repository === undefined) {
    // What was given is not shown: it may be the token itself.
    throw new UsageError(
      "--who takes a token's file, - for a token on standard input, a project's id, or a repository such as " +
        "github.com/acme/site@main: what was given is none of them",
    );
  }
  const unnamed = projectsWithoutRepository(config);
  if (unnamed.length > 0) {
    note(`config.ts names no repository for ${unnamed.join(", ")}: ask for these projects by their ids`);
  }
  return {
    title,
    access: reachOfRepository(
      config,
      repository,
      ref === undefined ? undefined : (parseRef(ref) ?? { kind: "branch", name: ref }),
    ),
  };
}

function reachOfTokenIn(config: Config, file: string): EnvironmentAccess[] {
  const place = file === "-" ? "standard input" : file;
  const claims = readToken(file, place);
  const { exp } = claims;
  if (exp !== undefined && exp * 1000 < Date.now()) {
    note(
      `the token expired at ${new Date(exp * 1000).toISOString()}: AWS refuses it now; this is what it reached until then`,
    );
  }
  note("the token's signature was not checked: `keyless explain` does that");
  return reachOfToken(config, claims);
}

function readToken(file: string, place: string): ReturnType<typeof readClaims> {
  const token = readInput(file, "the token").trim();
  try {
    return readClaims(token);
  } catch (error) {
    throw new UserError(`${place} holds no CircleCI token: ${(error as Error).message}`);
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
