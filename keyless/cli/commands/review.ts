import { readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { EXIT_STATUS, UsageError, UserError } from "../../errors";
import { reasonForNoPlan, reviewPlans } from "../../pipeline/review-plans";
import { GATE_CONDITIONS, type GateCondition, reasonsToClose } from "../../review/gate";
import { commentId, markOutdatedComments, postComment } from "../../review/github/comment";
import { grantedOverrides, type Override } from "../../review/github/overrides";
import { findPullRequest, githubToken, type PullRequest } from "../../review/github/pull-request";
import { skippedToJsonData, toJsonData } from "../../review/render/json";
import { skippedToMarkdown, toMarkdown } from "../../review/render/markdown";
import { describeSkipped } from "../../review/render/summary";
import { toText } from "../../review/render/text";
import type { Review } from "../../review/review";
import { renderRichText } from "../../review/rich-text";
import type { Env } from "../../terraform/executables";
import { count, oneLine } from "../../text";
import { note, outputFile, print, readPlanJson, toEnvelope, writeOutput } from "../lib/files";
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
  readonly commentId?: string;
  readonly markOutdated?: true;
  readonly pullRequest?: string;
  readonly commit?: string;
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
    .argument("[environments...]", "environments (stack names) whose plans to review")
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
    .option("--out <file>", "write the review to a file instead of standard output", outputFile)
    .option(
      "--comment",
      "create or update the comment about these environments on the pull request; requires GITHUB_TOKEN or GH_TOKEN",
    )
    .option(
      "--comment-id <id>",
      "create or update the comment with this id (default: the names of the environments)",
      parseCommentId,
    )
    .option("--mark-outdated", "only mark the comments that do not describe the pull request's head as outdated")
    .option(
      "--pull-request <url>",
      "use this pull request (default: CIRCLE_PULL_REQUEST, else the open one of CIRCLE_BRANCH)",
    )
    .option("--commit <sha>", "the commit of the plans (default: CIRCLE_SHA1)", parseCommit)
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
  let found: Promise<PullRequest | undefined> | undefined;
  const findOnce = () => {
    const { pullRequest: url, commit } = flags;
    found ??= findPullRequest(env, { url, commit });
    return found;
  };
  if (flags.markOutdated) {
    await markOutdated(await findOnce());
    return success;
  }
  if (environments.length === 0) throw new UsageError("name the environments to review");
  const files = (flags.planJson ?? []).map(
    ([name, file]) => [name, () => readPlanJson(file, `the plan of ${name}`)] as const,
  );
  const locations = { files: new Map(files), folder: flags.plans };

  // 1. If there is no plan, report why.
  const skipped = flags.skipped ?? reasonForNoPlan(environments, locations, env);
  if (skipped !== undefined) {
    const sentence = describeSkipped(environments, skipped);
    publish(flags, skippedToJsonData(environments, skipped), {
      markdown: () => skippedToMarkdown(environments, skipped),
      text: () => `${oneLine(renderRichText(sentence))}\n`,
    });
    const isPosted = await comment(environments, flags, findOnce, (limit) =>
      skippedToMarkdown(environments, skipped, { limit }),
    );
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
  const isPosted = await comment(environments, flags, findOnce, (limit) => toMarkdown(result, { limit, artifactUrl }));

  // 5. Check the gate.
  if (await isClosed(result, flags, findOnce)) return refused;
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

type FindPullRequest = () => Promise<PullRequest | undefined>;

const NO_PULL_REQUEST = "no pull request found";

async function markOutdated(pullRequest: PullRequest | undefined): Promise<void> {
  if (pullRequest === undefined) return note(NO_PULL_REQUEST);
  const urls = await markOutdatedComments(pullRequest);
  note(`${count(urls.length, "comment is", "comments are")} outdated${urls.length > 0 ? `: ${urls.join(", ")}` : ""}`);
}

const POSTED = {
  current: "",
  outdated: " (outdated: the pull request's head is another commit)",
  "not-posted": " describes another commit and was not replaced: the reviewed commit is not the pull request's head",
} as const;

/** Comments on the pull request if `--comment` is given and there is one. False if the comment cannot be written. */
async function comment(
  environments: readonly string[],
  flags: ReviewFlags,
  findOnce: FindPullRequest,
  render: (limit: number) => string,
): Promise<boolean> {
  if (!flags.comment) return true;
  try {
    const pullRequest = await findOnce();
    if (pullRequest === undefined) note(`${NO_PULL_REQUEST}: the review is not posted`);
    else {
      const id = flags.commentId ?? commentId(environments);
      const { status, url } = await postComment(pullRequest, { id, render });
      note(`review: ${url}${POSTED[status]}`);
    }
    return true;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    note(`cannot comment on the pull request: ${error.message}`);
    if (flags.out !== undefined) print(readFileSync(flags.out, "utf8"));
    return false;
  }
}

/** Reports where a condition of `--fail-on` applies. False if none does, or if an override opens the gate. */
async function isClosed(result: Review, flags: ReviewFlags, findOnce: FindPullRequest): Promise<boolean> {
  const { failOn = [], liftedBy = [] } = flags;
  const reasons = reasonsToClose(result, failOn).join(", ");
  if (reasons === "") return false;
  try {
    const pullRequest = liftedBy.length > 0 ? await findOnce() : undefined;
    const { granted, notCounted } = await grantedOverrides(pullRequest, liftedBy);
    const [openedBy] = granted;
    const remedy = liftedBy.length > 0 ? [`to open it: ${liftedBy.join(" or ")}`, ...notCounted] : [];
    note(`gate: ${openedBy ? `${reasons}: opened by ${openedBy}` : [reasons, ...remedy].join("; ")}`);
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

function parseCommentId(value: string): string {
  if (/^[\w.,/-]{1,100}$/.test(value)) return value;
  throw new InvalidArgumentError("expected at most 100 letters, digits and the characters . , / _ -");
}

function parseCommit(value: string): string {
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(value)) return value;
  throw new InvalidArgumentError("expected a full SHA: 40 hexadecimal digits.");
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
