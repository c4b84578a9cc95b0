import { UserError } from "../../errors";
import { connectToGitHub, type GitHubClient } from "./client";

/** A pull request on GitHub or GitHub Enterprise, and how to reach it. */
export interface PullRequest {
  readonly client: GitHubClient;
  readonly owner: string;
  readonly repo: string;
  readonly number: number;
  /** The SHA of the reviewed commit. Undefined if it is unknown. */
  readonly commit: string | undefined;
}

interface PullRequestOptions {
  /** The page of the pull request. Default: `CIRCLE_PULL_REQUEST`; without it, the open pull request of `CIRCLE_BRANCH`. */
  readonly url?: string;
  /** The SHA of the reviewed commit. Default: `CIRCLE_SHA1`. */
  readonly commit?: string;
  /** Limit on the total time of all requests, in milliseconds. Default: 60,000. */
  readonly timeLimitMs?: number;
  /** Limit on the time of each request, in milliseconds. Default: 10,000. */
  readonly requestTimeLimitMs?: number;
}

interface Repository {
  readonly host: string;
  readonly owner: string;
  readonly repo: string;
}

/** The GitHub token in the environment variables. */
export function githubToken(env: NodeJS.ProcessEnv): string | undefined {
  return env.GITHUB_TOKEN || env.GH_TOKEN;
}

/**
 * The pull request of a job. Undefined if it has none. Its API is at `GITHUB_API_URL`; default: derived from the host, of
 * github.com, ghe.com or GitHub Enterprise Server. The time limit starts here.
 *
 * @param env the environment variables of the job
 * @throws {UserError} a URL or the commit is malformed, there is no token, several pull requests have the job's branch, or
 * GitHub rejected a request
 * @see https://circleci.com/docs/reference/variables/#built-in-environment-variables
 */
export async function findPullRequest(
  env: NodeJS.ProcessEnv,
  options: PullRequestOptions = {},
): Promise<PullRequest | undefined> {
  const { url = env.CIRCLE_PULL_REQUEST, commit = env.CIRCLE_SHA1 || undefined, ...limits } = options;
  if (commit !== undefined && !/^\w{1,64}$/.test(commit)) throw new UserError(`"${commit}" is not the SHA of a commit`);
  const page = url ? parsePage(url) : undefined;
  const repository = page ?? (env.CIRCLE_BRANCH ? repositoryOf(env) : undefined);
  if (repository === undefined) return undefined;
  const { host, owner, repo } = repository;
  const token = githubToken(env);
  if (!token) throw new UserError("no token: set GITHUB_TOKEN to a token with the permission pull-requests: write");
  const client = await connectToGitHub({ apiUrl: env.GITHUB_API_URL || apiOf(host), token, ...limits });
  const number = page?.number ?? (await findByBranch(client, repository, env.CIRCLE_BRANCH ?? "", commit));
  return number === undefined ? undefined : { client, owner, repo, number, commit };
}

/** The open pull request with this branch as its head; of several, the one with this commit as its head. */
async function findByBranch(
  { octokit, run }: GitHubClient,
  { owner, repo }: Repository,
  branch: string,
  commit: string | undefined,
): Promise<number | undefined> {
  const parameters = { owner, repo, state: "open", head: `${owner}:${branch}`, per_page: 100 } as const;
  const listed = await run(`${owner}/${repo}`, () => octokit.paginate(octokit.rest.pulls.list, parameters));
  // GitHub ignores a filter that it cannot parse.
  const found = listed.filter(({ head }) => head.ref === branch);
  const current = found.filter(({ head }) => head.sha === commit);
  const [first, ...others] = current.length > 0 ? current : found;
  if (others.length > 0) {
    const numbers = [first, ...others].map((each) => `#${each?.number}`).join(", ");
    throw new UserError(`branch ${branch} has several pull requests, ${numbers}: choose one by --pull-request`);
  }
  return first?.number;
}

function parsePage(url: string): Repository & { readonly number: number } {
  const [, host, owner, repo, number] = /^https:\/\/([\w.:-]+)\/([\w.-]+)\/([\w.-]+)\/pull\/(\d+)\/?$/.exec(url) ?? [];
  if (!host || !owner || !repo)
    throw new UserError(`"${url}" is not a pull request on GitHub: expected https://HOST/OWNER/REPOSITORY/pull/NUMBER`);
  return { host, owner, repo, number: Number(number) };
}

/** The repository of a job. CircleCI sets no CIRCLE_PULL_REQUEST in projects of its GitHub App. */
function repositoryOf(env: NodeJS.ProcessEnv): Repository | undefined {
  const { CIRCLE_REPOSITORY_URL: url, CIRCLE_PROJECT_USERNAME: username, CIRCLE_PROJECT_REPONAME: name } = env;
  if (!url) return username && name ? { host: "github.com", owner: username, repo: name } : undefined;
  const [, host, owner, repo] =
    /^(?:\w+:\/\/)?(?:[^@/]+@)?([\w.-]+)(?::\d+)?[:/]([\w.-]+)\/([\w.-]+?)(?:\.git)?\/?$/.exec(url) ?? [];
  if (!host || !owner || !repo)
    throw new UserError(
      `CIRCLE_REPOSITORY_URL "${url}" is not a repository on GitHub: expected https://HOST/OWNER/REPOSITORY or git@HOST:OWNER/REPOSITORY.git, or name the pull request by --pull-request`,
    );
  return { host, owner, repo };
}

function apiOf(host: string): string {
  if (host === "github.com") return "https://api.github.com";
  return host.endsWith(".ghe.com") ? `https://api.${host}` : `https://${host}/api/v3`;
}
