import { existsSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { EXIT_STATUS, UsageError, UserError } from "../../errors";
import { administratorRoles } from "../../pipeline/administrator";
import { type Plan, readPlan } from "../../plan/schema";
import { GATE_CONDITIONS, type GateCondition, gate } from "../../review/gate";
import { grantedOverrides, type Override, type PullRequest, parsePullRequest, postComment } from "../../review/github";
import { toJsonData } from "../../review/render/json";
import { toMarkdown } from "../../review/render/markdown";
import { renderSkipped } from "../../review/render/skipped";
import { toText } from "../../review/render/text";
import { type Review, review } from "../../review/review";
import { savedPlan } from "../../terraform/saved-plan";
import { note, print, readInput, toEnvelope, writeOutput } from "../lib/files";
import { loadConfig, requireStack } from "../lib/load-config";
import { terminalOf } from "../lib/terminal";

type Format = "markdown" | "json" | "text";

interface Options {
  readonly planJson?: readonly string[];
  readonly plans: string;
  readonly format?: Format;
  readonly json?: true;
  readonly out?: string;
  readonly comment?: true;
  readonly pullRequest?: string;
  readonly artifactUrl?: string;
  readonly failOn?: readonly GateCondition[];
  readonly liftedBy?: readonly Override[];
  readonly skipped?: string;
}

export function register(program: Command): void {
  const collect = (value: string, all: readonly string[] = []) => [...all, value];
  program
    .command("review")
    .description(
      "review saved plans: access that is granted or revoked, resources that are destroyed; print the review, or comment on the pull request",
    )
    .argument("<environments...>", "environments (stack names) whose plans to review")
    .option(
      "--plan-json <environment=file>",
      "read a plan from a file, as `terraform show -json` prints it (repeatable)",
      collect,
    )
    .option("--plans <folder>", "read the plans that `cdktf diff` saved below this folder", join("cdktf.out", "stacks"))
    .addOption(
      new Option("--format <format>", "choose the output (default: by --out's extension, else text)").choices([
        "markdown",
        "json",
        "text",
      ]),
    )
    .option("--json", "print JSON: short for --format json")
    .option("--out <file>", "write the review to a file instead of standard output")
    .option("--comment", "create or update one comment on the pull request; requires GITHUB_TOKEN or GH_TOKEN")
    .option("--pull-request <url>", "comment on this pull request (default: CIRCLE_PULL_REQUEST)")
    .option("--artifact-url <url>", "link to this page if the comment is truncated (default: CIRCLE_BUILD_URL)")
    .option(
      "--fail-on <conditions>",
      `exit with 1 on any of these, separated by commas: ${GATE_CONDITIONS.join(", ")}`,
      parseConditions,
    )
    .option(
      "--lifted-by <lift>",
      "pass --fail-on if the pull request has this: approval, or label:<name> (repeatable)",
      collectOverride,
    )
    .option("--skipped <reason>", "report that there is no plan, for this reason, instead of a review")
    .action(async (environments: string[], options: Options) => {
      process.exitCode = await run(environments, options, process.env);
    });
}

type Environment = NodeJS.ProcessEnv;

async function run(environments: readonly string[], options: Options, env: Environment): Promise<number> {
  const given = new Map((options.planJson ?? []).map(planFile));
  const reason = options.skipped ?? forkReason(environments, given, options.plans, env);
  if (reason !== undefined) {
    const skipped = { environments, skipped: reason };
    publish(options, (format) => (format === "json" ? toEnvelope("review", skipped) : renderSkipped(skipped, format)));
    const status = await comment(options, env, () => renderSkipped(skipped, "markdown"));
    // Where there are no credentials there is no token either: that is no failure.
    return token(env) ? status : 0;
  }
  const config = loadConfig();
  for (const name of environments) requireStack(config, name);
  const plans = environments.map((name) => loadPlan(name, given.get(name), options.plans, env));
  const ofPipeline = config.environments.map((each) => [each.name, administratorRoles(each)]);
  const result = review(plans, { administratorRoles: Object.fromEntries(ofPipeline) });
  publish(options, (format) => render(result, format, options));
  const artifactUrl = options.artifactUrl ?? env.CIRCLE_BUILD_URL;
  const posted = await comment(options, env, (limit) => toMarkdown(result, { limit, artifactUrl }));
  return (await isClosed(result, options, env)) ? EXIT_STATUS.refused : posted;
}

/** A fork's pull request gets no credentials, so it has no plan; CircleCI sets CIRCLE_PR_NUMBER for those alone. */
function forkReason(
  names: readonly string[],
  given: ReadonlyMap<string, string>,
  folder: string,
  env: Environment,
): string | undefined {
  const planned = names.every((name) => given.has(name) || existsSync(join(folder, name, "plan")));
  if (planned || !env.CIRCLE_PR_NUMBER) return undefined;
  return "the pull request comes from a fork, which gets no credentials";
}

function loadPlan(name: string, file: string | undefined, folder: string, env: Environment): Plan {
  const json = file === undefined ? showPlan(name, folder, env) : readInput(file, `the plan of ${name}`);
  try {
    return readPlan(name, JSON.parse(json));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UserError(`cannot read the plan of ${name}: it is not JSON`);
  }
}

function showPlan(name: string, folder: string, env: Environment): string {
  return savedPlan(name, join(folder, name), env.TERRAFORM_BINARY_NAME || "terraform");
}

function publish({ format, json, out }: Options, rendered: (format: Format) => string): void {
  const chosen = json ? "json" : (format ?? FORMATS[extname(out ?? "")] ?? "text");
  if (out === undefined) {
    print(rendered(chosen));
    return;
  }
  writeOutput("--out", out, rendered(chosen));
}

const FORMATS: { readonly [extension: string]: Format } = { ".md": "markdown", ".json": "json" };

function render(result: Review, format: Format, { out }: Options): string {
  if (format === "json") return toEnvelope("review", toJsonData(result));
  if (format === "markdown") return toMarkdown(result);
  return toText(result, out === undefined ? terminalOf() : {});
}

/**
 * Writes the comment if it was asked for and there is a pull request; the review is printed already, whatever happens
 * here.
 */
async function comment(options: Options, env: Environment, body: (limit: number) => string): Promise<number> {
  if (!options.comment) return EXIT_STATUS.success;
  try {
    const pullRequest = findPullRequest(options, env);
    if (pullRequest === undefined) {
      note("no pull request found; printing the review instead");
      return 0;
    }
    note(`review: ${await postComment(pullRequest, body)}`);
    return 0;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    note(`the review is not on the pull request: ${error.message}`);
    if (options.out !== undefined) print(readFileSync(options.out, "utf8"));
    return EXIT_STATUS.failure;
  }
}

const token = (env: Environment) => env.GITHUB_TOKEN || env.GH_TOKEN;

function findPullRequest({ pullRequest }: Options, env: Environment): PullRequest | undefined {
  const url = pullRequest ?? env.CIRCLE_PULL_REQUEST;
  if (!url) return undefined;
  const found = parsePullRequest(url, env.GITHUB_API_URL || undefined);
  const secret = token(env);
  if (!secret) throw new UserError("no token: set GITHUB_TOKEN, with the permission to write pull requests");
  return { ...found, token: secret };
}

async function isClosed(result: Review, options: Options, env: Environment): Promise<boolean> {
  const reasons = gate(result, options.failOn ?? []);
  if (reasons.length === 0) return false;
  const overrides = options.liftedBy ?? [];
  try {
    const pullRequest = overrides.length > 0 ? findPullRequest(options, env) : undefined;
    const [given] = pullRequest ? await grantedOverrides(pullRequest, overrides) : [];
    const remedy = overrides.length > 0 ? `; lifted by ${overrides.join(" or ")}` : "";
    note(`gate: ${reasons.join(", ")}${given ? `: lifted by ${given}` : remedy}`);
    return given === undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    note(`gate: ${reasons.join(", ")}; whether it is lifted cannot be told: ${error.message}`);
    return true;
  }
}

/** `dev=plan.json` as its two parts. */
function planFile(value: string): [environment: string, file: string] {
  const at = value.indexOf("=");
  if (at < 1) throw new UsageError(`--plan-json ${value}: expected <environment>=<file>`);
  return [value.slice(0, at), value.slice(at + 1)];
}

function parseConditions(value: string, all: readonly GateCondition[] = []): readonly GateCondition[] {
  return value.split(",").reduce<readonly GateCondition[]>((conditions, each) => {
    const known = GATE_CONDITIONS.find((condition) => condition === each.trim());
    if (known === undefined) throw new InvalidArgumentError(`"${each}" is none of ${GATE_CONDITIONS.join(", ")}.`);
    return conditions.concat(known);
  }, all);
}

function collectOverride(value: string, all: readonly Override[] = []): readonly Override[] {
  if (value !== "approval" && !/^label:./.test(value)) {
    throw new InvalidArgumentError("expected approval or label:<name>.");
  }
  return [...all, value as Override];
}
