import type { Octokit } from "@octokit/rest";
import { UserError } from "../errors";

/** A pull request on GitHub or GitHub Enterprise, and how to reach it. */
export interface PullRequest {
  /** E.g. `https://api.github.com`. */
  readonly apiUrl: string;
  readonly owner: string;
  readonly repo: string;
  readonly number: number;
  readonly token: string;
}

/** GitHub's limit for a comment, in characters. */
const COMMENT_LIMIT = 65_536;

/** The hidden first line by which a comment is found again. */
const MARKER = "<!-- keyless review -->";

/** How often a request is tried, and how long GitHub may make it wait in all, in seconds. */
const ATTEMPTS = 5;
const LONGEST_WAIT = 120;

/**
 * The API's URL and the pull request that a page's URL names.
 *
 * @throws {UserError} not the page of a pull request.
 */
export function parsePullRequest(url: string, apiUrl?: string): Omit<PullRequest, "token"> {
  const [, host, owner, repo, number] = /^https:\/\/([\w.:-]+)\/([\w.-]+)\/([\w.-]+)\/pull\/(\d+)\/?$/.exec(url) ?? [];
  if (!host || !owner || !repo) {
    throw new UserError(`"${url}" is no pull request of GitHub: expected https://HOST/OWNER/REPOSITORY/pull/NUMBER`);
  }
  return { apiUrl: apiUrl ?? apiOf(host), owner, repo, number: Number(number) };
}

function apiOf(host: string): string {
  if (host === "github.com") return "https://api.github.com";
  return host.endsWith(".ghe.com") ? `https://api.${host}` : `https://${host}/api/v3`;
}

/**
 * Puts a comment on the pull request, or brings the one that is there up to date. There is one afterwards, even where
 * two jobs made one each. `render` is asked again for less if GitHub finds the text too long.
 *
 * @returns the comment's URL
 * @throws after five attempts, or at once where trying again cannot help; the error's message is for people.
 */
export async function postComment(pullRequest: PullRequest, render: (limit: number) => string): Promise<string> {
  const octokit = await connect(pullRequest);
  const body = (limit: number) => `${MARKER}\n${render(limit - MARKER.length - 1)}`;
  return persist(pullRequest, async () => {
    try {
      return await upsert(octokit, pullRequest, body(COMMENT_LIMIT));
    } catch (error) {
      if (statusOf(error) !== 422) throw error;
      // Another server may count bytes, of which a character has up to four.
      return upsert(octokit, pullRequest, body(COMMENT_LIMIT / 4));
    }
  });
}

/** How a person can lift a gate: by a label on the pull request, or by approving its latest commit. */
export type Lift = "approval" | `label:${string}`;

/** Those of the lifts that have been given. */
export async function liftsGiven(pullRequest: PullRequest, lifts: readonly Lift[]): Promise<readonly Lift[]> {
  const octokit = await connect(pullRequest);
  const { owner, repo, number: pull_number } = pullRequest;
  return persist(pullRequest, async () => {
    const { data } = await octokit.rest.pulls.get({ owner, repo, pull_number });
    const labels = data.labels.map(({ name }) => `label:${name}`);
    const reviews = lifts.includes("approval")
      ? await octokit.paginate(octokit.rest.pulls.listReviews, { owner, repo, pull_number, per_page: 100 })
      : [];
    const approved = isApproved(reviews, data.user?.login, data.head.sha);
    return lifts.filter((lift) => (lift === "approval" ? approved : labels.includes(lift)));
  });
}

interface GivenReview {
  readonly state: string;
  readonly user: { readonly login: string } | null;
  readonly commit_id?: string | null;
  readonly author_association?: string;
}

/** Whether somebody who may write, and is not the author, has approved this very commit and not taken it back. */
function isApproved(reviews: readonly GivenReview[], author: string | undefined, head: string): boolean {
  const latest = new Map<string, GivenReview>();
  for (const review of reviews) {
    if (review.user && review.state !== "COMMENTED" && review.state !== "PENDING")
      latest.set(review.user.login, review);
  }
  return [...latest].some(
    ([login, { state, commit_id, author_association }]) =>
      state === "APPROVED" &&
      login !== author &&
      commit_id === head &&
      ["OWNER", "MEMBER", "COLLABORATOR"].includes(author_association ?? ""),
  );
}

async function connect({ apiUrl, token }: PullRequest): Promise<Octokit> {
  // Loaded here: nobody who only prints a review should wait for it.
  const { Octokit } = await import("@octokit/rest");
  return new Octokit({ auth: token, baseUrl: apiUrl.replace(/\/$/, ""), userAgent: "keyless-review" });
}

/**
 * Looks for the comment before each attempt to write one: a request that failed may have been carried out, and a
 * second would double it.
 */
async function upsert(octokit: Octokit, pullRequest: PullRequest, body: string): Promise<string> {
  const { owner, repo, number: issue_number } = pullRequest;
  const there = await ownComments(octokit, { owner, repo, issue_number });
  const [kept, ...extras] = there;
  if (kept === undefined) {
    const { data } = await octokit.rest.issues.createComment({ owner, repo, issue_number, body });
    // Another job may have made one at the same time: the older one stays, and gets this text.
    const twins = await ownComments(octokit, { owner, repo, issue_number });
    return twins.length > 1 ? upsert(octokit, pullRequest, body) : data.html_url;
  }
  await octokit.rest.issues.updateComment({ owner, repo, comment_id: kept.id, body });
  for (const { id } of extras) {
    await octokit.rest.issues.deleteComment({ owner, repo, comment_id: id }).catch((error) => {
      if (statusOf(error) !== 404) throw error;
    });
  }
  return kept.html_url;
}

/** The comments that this project wrote, the oldest first: anybody can write the marker, so the author must be us. */
async function ownComments(octokit: Octokit, where: { owner: string; repo: string; issue_number: number }) {
  const comments = await octokit.paginate(octokit.rest.issues.listComments, { ...where, per_page: 100 });
  const marked = comments.filter(({ body }) => body?.startsWith(MARKER));
  if (marked.length === 0) return [];
  const isOurs = await authorship(octokit);
  return marked.filter(({ user }) => isOurs(user)).sort((a, b) => a.id - b.id);
}

type Author = { readonly login?: string; readonly type?: string } | null | undefined;

/** Who we are, as far as the token tells: an app's token may not ask, but then we are no human user. */
async function authorship(octokit: Octokit): Promise<(author: Author) => boolean> {
  try {
    const { login } = (await octokit.rest.users.getAuthenticated()).data;
    return (author) => author?.login === login;
  } catch (error) {
    const status = statusOf(error);
    if (isRateLimit(error) || (status !== 401 && status !== 403 && status !== 404)) throw error;
    return (author) => author?.type !== "User";
  }
}

/** Runs requests until they succeed, as often and as late as GitHub asks. */
async function persist<Result>(pullRequest: PullRequest, requests: () => Promise<Result>): Promise<Result> {
  let waited = 0;
  for (let attempt = 1; ; attempt++) {
    try {
      return await requests();
    } catch (error) {
      const seconds = secondsToWait(error, attempt);
      if (attempt === ATTEMPTS || seconds === undefined || waited + seconds > LONGEST_WAIT)
        throw explained(error, pullRequest);
      waited += seconds;
      await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    }
  }
}

/**
 * How long to wait before another attempt; undefined when none can help.
 *
 * @see https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
 */
function secondsToWait(error: unknown, attempt: number): number | undefined {
  const status = statusOf(error);
  if (isRateLimit(error)) {
    const headers = headersOf(error);
    const reset = Number(headers["x-ratelimit-reset"]) - Date.now() / 1_000;
    const asked = Number(
      headers["retry-after"] ?? (headers["x-ratelimit-remaining"] === "0" ? Math.ceil(reset) + 1 : 60),
    );
    return Number.isFinite(asked) ? Math.max(asked, 0) : 60;
  }
  return status === undefined || status >= 500 || status === 408 ? attempt ** 2 / 2 : undefined;
}

function isRateLimit(error: unknown): boolean {
  const status = statusOf(error);
  const headers = headersOf(error);
  const limited =
    "retry-after" in headers || headers["x-ratelimit-remaining"] === "0" || /rate limit/i.test(String(error));
  return status === 429 || (status === 403 && limited);
}

/** The answer's status; undefined when there was no answer. Octokit says 500 then, for want of another. */
function statusOf(error: unknown): number | undefined {
  const status = (error as { status?: unknown } | null)?.status;
  return typeof status === "number" ? status : undefined;
}

function headersOf(error: unknown): { readonly [name: string]: string | number | undefined } {
  return (error as { response?: { headers?: { [name: string]: string | number } } }).response?.headers ?? {};
}

const REMEDIES: { readonly [status: number]: string } = {
  401: "the token is wrong or expired",
  403: "the token may not write pull requests: give it the permission pull-requests: write",
  404: "no such pull request, or the token may not see the repository",
};

function explained(error: unknown, { owner, repo, number, apiUrl }: PullRequest): UserError {
  const status = statusOf(error);
  const what = error instanceof Error ? error.message : String(error);
  const remedy = isRateLimit(error)
    ? "GitHub's rate limit is used up: run this job again later"
    : REMEDIES[status ?? 0];
  return new UserError(
    `${owner}/${repo}#${number} at ${apiUrl}: ${status ?? "no answer"}: ${what}${remedy ? ` (${remedy})` : ""}`,
  );
}
