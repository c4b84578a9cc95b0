import { readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { EXIT_STATUS, UserError } from "../../errors";
import { reasonForNoPlan, reviewPlans } from "../../pipeline/review-plans";
import { GATE_CONDITIONS, type GateCondition, reasonsToClose } from "../../review/gate";
import { findPullRequest, githubToken, grantedOverrides, type Override, postComment } from "../../review/github";
import { skippedToJsonData, toJsonData } from "../../review/render/json";
import { inMarkdown, toMarkdown } from "../../review/render/markdown";
import { describeSkipped } from "../../review/render/summary";
import { toText } from "../../review/render/text";
import type { Review } from "../../review/review";
import { renderRichText } from "../../review/rich-text";
import type { Env } from "../../terraform/executables";
import { oneLine } from "../../text";
import { note, print, readJson, toEnvelope, writeOutput } from "../lib/files";
import { loadConfig, requireStack } from "../lib/load-config";
import { terminalOf } from "../lib/terminal";

const FORMATS = ["markdown", "json", "text"] as const;
type Format = (typeof FORMATS)[number];

interface ReviewFlags {
  readonly planJson?: readonly (readonly [environment: string, file: string])[];
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
  program
    .command("review")
    .description(
      "review saved plans: access that is granted or revoked, resources that are destroyed; print the review, or comment on the pull request",
    )
    .argument("<environments...>", "environments (stack names) whose plans to review")
    .option(
      "--plan-json <environment=file>",
      "read a plan from a file, as `terraform show -json` prints it (repeatable)",
      (value, all: ReviewFlags["planJson"] = []) => [...all, parsePlanFile(value)],
    )
    .option("--plans <folder>", "read the plans that `cdktf diff` saved below this folder", join("cdktf.out", "stacks"))
    .addOption(
      new Option("--format <format>", "choose the output (default: by --out's extension, else text)").choices(FORMATS),
    )
    .option("--json", "print JSON: short for --format json")
    .option("--out <file>", "write the review to a file instead of standard output")
    .option("--comment", "create or update one comment on the pull request; requires GITHUB_TOKEN or GH_TOKEN")
    .option("--pull-request <url>", "comment on this pull request (default: CIRCLE_PULL_REQUEST)")
    .option("--artifact-url <url>", "link to this page if the comment is truncated (default: CIRCLE_BUILD_URL)")
    .option(
      "--fail-on <conditions>",
      `exit with 1 on any of these, separated by commas: ${GATE_CONDITIONS.join(", ")}`,
      (value, all: ReviewFlags["failOn"] = []) => [...all, ...value.split(",").map(parseCondition)],
    )
    .option(
      "--lifted-by <override>",
      "pass --fail-on if the pull request has this: approval, or label:<name> (repeatable)",
      (value, all: ReviewFlags["liftedBy"] = []) => [...all, parseOverride(value)],
    )
    .option("--skipped <reason>", "report that there is no plan, for this reason, instead of a review")
    .action(async (environments: string[], flags: ReviewFlags) => {
      process.exitCode = await runReview(environments, flags, process.env);
    });
}

/** Returns the exit status. */
async function runReview(environments: readonly string[], flags: ReviewFlags, env: Env): Promise<number> {
  const { failure, refused, success } = EXIT_STATUS;
  const files = (flags.planJson ?? []).map(
    ([name, file]) => [name, () => readJson(file, `the plan of ${name}`)] as const,
  );
  const locations = { files: new Map(files), folder: flags.plans };

  // 1. If there is no plan, report why.
  const skipped = flags.skipped ?? reasonForNoPlan(environments, locations, env);
  if (skipped !== undefined) {
    const sentence = describeSkipped(environments, skipped);
    const markdown = `**${inMarkdown(sentence)}**\n`;
    publish(flags, skippedToJsonData(environments, skipped), {
      markdown: () => markdown,
      text: () => `${oneLine(renderRichText(sentence))}\n`,
    });
    const isPosted = await comment(flags, env, () => markdown);
    // A job without credentials has no token either: that is no failure.
    return isPosted || !githubToken(env) ? success : failure;
  }

  // 2. Review the plans.
  const config = loadConfig();
  for (const name of environments) requireStack(config, name);
  const result = reviewPlans(config, environments, locations, env);

  // 3. Print the review, or write it to a file.
  const terminal = flags.out === undefined ? terminalOf() : {};
  publish(flags, toJsonData(result), { markdown: () => toMarkdown(result), text: () => toText(result, terminal) });

  // 4. Comment on the pull request.
  const artifactUrl = flags.artifactUrl ?? env.CIRCLE_BUILD_URL;
  const isPosted = await comment(flags, env, (limit) => toMarkdown(result, { limit, artifactUrl }));

  // 5. Check the gate.
  if (await isClosed(result, flags, env)) return refused;
  return isPosted ? success : failure;
}

/** Prints a review, or writes it to the file of `--out`, in the format that the flags choose. */
function publish(
  { format, json, out }: ReviewFlags,
  data: unknown,
  render: { readonly [format in "markdown" | "text"]: () => string },
): void {
  const byExtension = ({ ".md": "markdown", ".json": "json" } as const)[extname(out ?? "")] ?? "text";
  const chosen = json ? "json" : (format ?? byExtension);
  const text = chosen === "json" ? toEnvelope("review", data) : render[chosen]();
  if (out === undefined) print(text);
  else writeOutput("--out", out, text);
}

/** Comments on the pull request if `--comment` is given and there is one. False if the comment cannot be written. */
async function comment(flags: ReviewFlags, env: Env, render: (limit: number) => string): Promise<boolean> {
  if (!flags.comment) return true;
  try {
    const pullRequest = findPullRequest(env, flags.pullRequest);
    note(
      pullRequest === undefined
        ? "no pull request found; printing the review instead"
        : `review: ${await postComment(pullRequest, render)}`,
    );
    return true;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    note(`cannot comment on the pull request: ${error.message}`);
    if (flags.out !== undefined) print(readFileSync(flags.out, "utf8"));
    return false;
  }
}

/** Reports where a condition of `--fail-on` applies. False if none does, or if an override opens the gate. */
async function isClosed(result: Review, flags: ReviewFlags, env: Env): Promise<boolean> {
  const { failOn = [], liftedBy = [] } = flags;
  const reasons = reasonsToClose(result, failOn).join(", ");
  if (reasons === "") return false;
  try {
    const pullRequest = liftedBy.length > 0 ? findPullRequest(env, flags.pullRequest) : undefined;
    const [openedBy] = pullRequest ? await grantedOverrides(pullRequest, liftedBy) : [];
    const remedy = liftedBy.length > 0 ? `; to open it: ${liftedBy.join(" or ")}` : "";
    note(`gate: ${reasons}${openedBy ? `: opened by ${openedBy}` : remedy}`);
    return openedBy === undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    note(`gate: ${reasons}; could not read approvals and labels: ${error.message}`);
    return true;
  }
}

/** Parses `dev=plan.json`. */
function parsePlanFile(value: string): [environment: string, file: string] {
  const at = value.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("expected <environment>=<file>.");
  return [value.slice(0, at), value.slice(at + 1)];
}

function parseCondition(value: string): GateCondition {
  const condition = GATE_CONDITIONS.find((each) => each === value.trim());
  if (condition === undefined) throw new InvalidArgumentError(`"${value}" is none of ${GATE_CONDITIONS.join(", ")}.`);
  return condition;
}

function parseOverride(value: string): Override {
  if (value === "approval" || /^label:./.test(value)) return value as Override;
  throw new InvalidArgumentError("expected approval or label:<name>.");
}
