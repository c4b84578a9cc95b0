import { setTimeout } from "node:timers/promises";
import type { Octokit, RestEndpointMethodTypes } from "@octokit/rest";
import { UserError } from "../errors";

/** A pull request on GitHub or GitHub Enterprise, and how to reach it. */
export interface PullRequest {
  /** E.g. `https://api.github.com`. */
  readonly apiUrl: string;
  readonly owner: string;
  readonly repo: string;
  readonly number: number;
  readonly token: string;
  /** Limit on the total time of a task, waiting included. Default: 60,000. */
  readonly timeLimitMs?: number;
}

/** GitHub's limit for a comment, in characters. */
const COMMENT_LIMIT = 65_536;

/** The hidden first line that identifies the comment. */
const MARKER = "<!-- keyless review -->";

/** Attempts after server errors. */
const ATTEMPTS = 5;

/** The GitHub token in the environment variables. */
export function githubToken(env: NodeJS.ProcessEnv): string | undefined {
  return env.GITHUB_TOKEN || env.GH_TOKEN;
}

/**
 * The pull request of a job. Undefined if it has none. Its API is at `GITHUB_API_URL`; default: derived from the host, of
 * github.com, ghe.com or GitHub Enterprise Server.
 *
 * @param env the environment variables of the job
 * @param url the page of the pull request. Default: the one in `CIRCLE_PULL_REQUEST`
 * @throws {UserError} the URL is not the page of a pull request, or there is no token
 */
export function findPullRequest(env: NodeJS.ProcessEnv, url = env.CIRCLE_PULL_REQUEST): PullRequest | undefined {
  if (!url) return undefined;
  const [, host, owner, repo, number] = /^https:\/\/([\w.:-]+)\/([\w.-]+)\/([\w.-]+)\/pull\/(\d+)\/?$/.exec(url) ?? [];
  if (!host || !owner || !repo)
    throw new UserError(`"${url}" is not a pull request on GitHub: expected https://HOST/OWNER/REPOSITORY/pull/NUMBER`);
  const token = githubToken(env);
  if (!token) throw new UserError("no token: set GITHUB_TOKEN to a token with the permission pull-requests: write");
  return { apiUrl: env.GITHUB_API_URL || apiOf(host), owner, repo, number: Number(number), token };
}

function apiOf(host: string): string {
  if (host === "github.com") return "https://api.github.com";
  return host.endsWith(".ghe.com") ? `https://api.${host}` : `https://${host}/api/v3`;
}

/**
 * Creates or updates the comment on the pull request. Afterwards there is exactly one, even if concurrent jobs created
 * one each.
 *
 * @param render renders the comment in at most `limit` characters; called again with a lower limit if GitHub rejects
 * the comment as too long
 * @returns the comment's URL
 * @throws {UserError} GitHub rejected a request, or the time limit was exceeded
 */
export async function postComment(pullRequest: PullRequest, render: (limit: number) => string): Promise<string> {
  const client = await connect(pullRequest);
  const body = (limit: number) => `${MARKER}\n${render(limit - MARKER.length - 1)}`;
  return withRetry(client, async () => {
    try {
      return await upsert(client, body(COMMENT_LIMIT));
    } catch (error) {
      if (statusOf(error) !== 422) throw error;
      // Another server may count bytes; a character has up to four.
      return upsert(client, body(COMMENT_LIMIT / 4));
    }
  });
}

/** How a person opens a closed gate: by a label on the pull request, or by approving its latest commit. */
export type Override = "approval" | `label:${string}`;

/**
 * Returns the overrides that the pull request has.
 *
 * @throws {UserError} GitHub rejected a request, or the time limit was exceeded
 */
export async function grantedOverrides(
  pullRequest: PullRequest,
  overrides: readonly Override[],
): Promise<readonly Override[]> {
  const client = await connect(pullRequest);
  const { paginate, rest } = client.octokit;
  const { owner, repo, number: pull_number } = pullRequest;
  return withRetry(client, async () => {
    const { data } = await rest.pulls.get({ owner, repo, pull_number });
    const labels = data.labels.map(({ name }) => `label:${name}`);
    const reviews = overrides.includes("approval")
      ? await paginate(rest.pulls.listReviews, { owner, repo, pull_number, per_page: 100 })
      : [];
    const approved = isApproved(reviews, data.user?.login, data.head.sha);
    return overrides.filter((override) => (override === "approval" ? approved : labels.includes(override)));
  });
}

type ApprovalReview = RestEndpointMethodTypes["pulls"]["listReviews"]["response"]["data"][number];

/** Whether a user with write access other than the author has approved this commit, and has not withdrawn it. */
function isApproved(reviews: readonly ApprovalReview[], author: string | undefined, head: string): boolean {
  const decisions = reviews.filter(({ state }) => state !== "COMMENTED" && state !== "PENDING");
  const latest = new Map(decisions.map((review) => [review.user?.login, review]));
  return [...latest].some(
    ([login, { state, commit_id, author_association }]) =>
      state === "APPROVED" &&
      login !== undefined &&
      login !== author &&
      commit_id === head &&
      ["OWNER", "MEMBER", "COLLABORATOR"].includes(author_association),
  );
}

/** A connection to GitHub for one task, with a limit on its total time. */
interface GitHubClient {
  readonly octokit: Octokit;
  readonly pullRequest: PullRequest;
  /** Whether a request failed because of a rate limit that does not end within the time limit. */
  readonly isRateLimited: () => boolean;
  /** Whether so many seconds remain until the time limit. */
  readonly hasTimeFor: (seconds: number) => boolean;
}

const ignore = () => {};

/** @see https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit */
async function connect(pullRequest: PullRequest): Promise<GitHubClient> {
  // Loaded on demand: they take a tenth of a second that printing a review does not need.
  const [{ Octokit }, { throttling }] = await Promise.all([
    import("@octokit/rest"),
    import("@octokit/plugin-throttling"),
  ]);
  const { token, apiUrl, timeLimitMs = 60_000 } = pullRequest;
  const end = Date.now() + timeLimitMs;
  const hasTimeFor = (seconds: number) => Date.now() + seconds * 1_000 < end;
  let rateLimited = false;
  const waitIfInTime = (seconds: number) => {
    rateLimited = !hasTimeFor(seconds);
    return !rateLimited;
  };
  const octokit = new (Octokit.plugin(throttling))({
    auth: token,
    baseUrl: apiUrl.replace(/\/$/, ""),
    userAgent: "keyless-review",
    request: { signal: AbortSignal.timeout(timeLimitMs) },
    throttle: { id: apiUrl, onRateLimit: waitIfInTime, onSecondaryRateLimit: waitIfInTime },
    // Failed requests are reported once, by the error of the task.
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
  });
  return { octokit, pullRequest, hasTimeFor, isRateLimited: () => rateLimited };
}

/** Looks for the comment before creating it: an earlier attempt may have created it although its response was lost. */
async function upsert(client: GitHubClient, body: string): Promise<string> {
  const { octokit, pullRequest } = client;
  const { owner, repo, number: issue_number } = pullRequest;
  const [kept, ...extras] = await ownComments(client);
  if (kept === undefined) {
    const { data } = await octokit.rest.issues.createComment({ owner, repo, issue_number, body });
    // A concurrent job may have created one too: keep the older one, with this text.
    return (await ownComments(client)).length > 1 ? upsert(client, body) : data.html_url;
  }
  await octokit.rest.issues.updateComment({ owner, repo, comment_id: kept.id, body });
  for (const { id } of extras) {
    await octokit.rest.issues.deleteComment({ owner, repo, comment_id: id }).catch((error) => {
      if (statusOf(error) !== 404) throw error;
    });
  }
  return kept.html_url;
}

/** This project's comments, the oldest first. Anyone can write the marker, so the author must be the token's. */
async function ownComments(client: GitHubClient) {
  const { octokit, pullRequest } = client;
  const { owner, repo, number: issue_number } = pullRequest;
  const comments = await octokit.paginate(octokit.rest.issues.listComments, {
    owner,
    repo,
    issue_number,
    per_page: 100,
  });
  const marked = comments.filter(({ body }) => body?.startsWith(MARKER)).sort((a, b) => a.id - b.id);
  if (marked.length === 0) return [];
  const login = await ownLogin(client);
  return marked.filter(({ user }) => (login === undefined ? user?.type !== "User" : user?.login === login));
}

/** The token's user. Undefined for the token of a GitHub app, which cannot request it: no user is the author then. */
async function ownLogin({ octokit, isRateLimited }: GitHubClient): Promise<string | undefined> {
  try {
    return (await octokit.rest.users.getAuthenticated()).data.login;
  } catch (error) {
    if (isRateLimited() || ![401, 403, 404].includes(statusOf(error) ?? 0)) throw error;
    return undefined;
  }
}

/**
 * Repeats requests after server errors and lost responses. Octokit's retry plugin is not used: it would repeat a POST
 * without looking for the comment that the first one created, and its delays do not respect the time limit.
 */
async function withRetry<Result>(client: GitHubClient, requests: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await requests();
    } catch (error) {
      const seconds = attempt ** 2 / 2;
      const status = statusOf(error) ?? 0;
      const isTransient = status >= 500 || status === 408 || status === 429;
      if (!isTransient || client.isRateLimited() || attempt === ATTEMPTS || !client.hasTimeFor(seconds))
        throw toUserError(error, client);
      await setTimeout(seconds * 1_000);
    }
  }
}

/** The status of the response. Octokit sets 500 if there was none. */
function statusOf(error: unknown): number | undefined {
  const status = (error as { status?: unknown } | null)?.status;
  return typeof status === "number" ? status : undefined;
}

const REMEDIES: { readonly [status: number]: string } = {
  401: "the token is invalid or expired",
  403: "the token must have the permission pull-requests: write",
  404: "there is no such pull request, or the token has no access to the repository",
};

function toUserError(error: unknown, client: GitHubClient): UserError {
  const { owner, repo, number, apiUrl } = client.pullRequest;
  const status = statusOf(error);
  const what = error instanceof Error ? error.message : String(error);
  const remedy = client.isRateLimited()
    ? "GitHub's rate limit is exceeded: rerun this job later"
    : client.hasTimeFor(0)
      ? REMEDIES[status ?? 0]
      : "the time limit is exceeded: rerun this job later";
  return new UserError(
    `${owner}/${repo}#${number} at ${apiUrl}: ${status ?? "no response"}: ${what}${remedy ? ` (${remedy})` : ""}`,
  );
}
