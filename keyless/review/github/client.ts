import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { Octokit } from "@octokit/rest";
import { UserError } from "../../errors";

/** A connection to GitHub's API, with a limit on the total time of everything that it does. */
export interface GitHubClient {
  readonly octokit: Octokit;
  /**
   * Runs a task of several requests. Runs it again after server errors and lost responses, so it must be repeatable.
   *
   * @param subject what the task is about, for the error message: `acme/infra#7`
   * @throws {UserError} GitHub rejected a request, or the time limit was exceeded
   */
  readonly run: <Result>(subject: string, task: () => Promise<Result>) => Promise<Result>;
  /** Whether GitHub denied a request because of the token's permissions, and not because of a rate limit. */
  readonly isDenied: (error: unknown) => boolean;
  /** The login of the token's user, or of its app's bot. Undefined if the token cannot read it. */
  readonly readLogin: () => Promise<string | undefined>;
}

interface ConnectionOptions {
  /** E.g. `https://api.github.com`. */
  readonly apiUrl: string;
  readonly token: string;
  /** Limit on the total time since the connection was made, waiting included. Default: 60,000. */
  readonly timeLimitMs?: number;
  /** Limit on the time of each request. Default: 10,000. */
  readonly requestTimeLimitMs?: number;
}

/** Attempts after server errors. */
const ATTEMPTS = 5;

const ignore = () => {};

/** @see https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit */
export async function connectToGitHub(options: ConnectionOptions): Promise<GitHubClient> {
  const { apiUrl, token, timeLimitMs = 60_000, requestTimeLimitMs = 10_000 } = options;
  const limit = AbortSignal.timeout(timeLimitMs);
  const end = Date.now() + timeLimitMs;
  // Loaded on demand: they take a tenth of a second that printing a review does not need.
  const [{ Octokit }, { throttling }] = await Promise.all([
    import("@octokit/rest"),
    import("@octokit/plugin-throttling"),
  ]);
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
    request: { fetch: fetchJson.bind(undefined, limit, requestTimeLimitMs) },
    throttle: { id: randomUUID(), onRateLimit: waitIfInTime, onSecondaryRateLimit: waitIfInTime },
    // Failed requests are reported once, by the error of the task.
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
  });

  const toUserError = (subject: string, error: unknown, isLate: boolean) => {
    const what = error instanceof Error ? error.message : String(error);
    const status = hasResponse(error) ? statusOf(error) : "no response";
    const remedy = rateLimited
      ? "GitHub's rate limit is exceeded: rerun this job later"
      : isLate
        ? "the time limit is exceeded: rerun this job later"
        : REMEDIES[status ?? 0];
    return new UserError(`${subject} at ${apiUrl}: ${status}: ${what}${remedy ? ` (${remedy})` : ""}`);
  };
  const isDenied = (error: unknown) =>
    !rateLimited && retryAfter(error) === 0 && [401, 403, 404].includes(statusOf(error) ?? 0);
  return {
    octokit,
    isDenied,
    async readLogin() {
      try {
        return (await octokit.rest.users.getAuthenticated()).data.login;
      } catch (error) {
        if (!isDenied(error)) throw error;
      }
      // The token of a GitHub App's installation cannot read its user by REST.
      const query = octokit.graphql<{ readonly viewer: { readonly login: string } }>("{ viewer { login } }");
      return query
        .then(({ viewer }) => viewer.login)
        .catch((error: Error) => {
          // GitHub answered that the token cannot read it. Without an answer, the token's user must not count as another one.
          if (!isDenied(error) && error.name !== "GraphqlResponseError") throw error;
          return undefined;
        });
    },
    // Octokit's retry plugin is not used: it would repeat a POST without looking for what the first one created, and its
    // delays do not respect the time limit.
    async run(subject, task) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await task();
        } catch (error) {
          if (error instanceof UserError) throw error;
          const requested = retryAfter(error);
          if (requested > 0) waitIfInTime(requested);
          const seconds = Math.max(attempt ** 2 / 2, requested);
          const isLate = !hasTimeFor(isTransient(error) ? seconds : 0);
          if (!isTransient(error) || rateLimited || attempt === ATTEMPTS || isLate)
            throw toUserError(subject, error, isLate);
          await setTimeout(seconds * 1_000);
        }
      }
    },
  };
}

/** Octokit treats a response as successful even if its body is truncated or is not JSON, such as the page of a proxy. */
async function fetchJson(limit: AbortSignal, timeLimitMs: number, url: string, init: RequestInit): Promise<Response> {
  const signal = AbortSignal.any([limit, AbortSignal.timeout(timeLimitMs)]);
  const { response, text } = await fetchText(url, { ...init, signal }).catch((error) => {
    throw new Error(signal.aborted ? "no complete answer in time" : (error.cause?.message ?? error.message));
  });
  if (response.ok && response.status !== 204 && !isJson(text)) throw new Error("the response is not JSON");
  return new Response(text === "" ? null : text, response);
}

async function fetchText(url: string, init: RequestInit) {
  const response = await fetch(url, init);
  return { response, text: await response.text() };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

interface FailedRequest {
  readonly status?: unknown;
  readonly response?: { readonly headers?: { readonly [name: string]: string | number | undefined } };
}

/** The status of the response. Octokit sets 500 if there was none. */
export function statusOf(error: unknown): number | undefined {
  const status = (error as FailedRequest | null)?.status;
  return typeof status === "number" ? status : undefined;
}

function hasResponse(error: unknown): boolean {
  return (error as FailedRequest | null)?.response !== undefined;
}

/** The seconds that GitHub asks to wait. */
function retryAfter(error: unknown): number {
  return Number((error as FailedRequest | null)?.response?.headers?.["retry-after"]) || 0;
}

function isTransient(error: unknown): boolean {
  const status = statusOf(error) ?? 0;
  return status >= 500 || status === 408 || status === 429 || (status === 403 && retryAfter(error) > 0);
}

const REMEDIES: { readonly [status: number | string]: string } = {
  401: "the token is invalid or expired",
  403: "the token must have the permission pull-requests: write",
  404: "there is no such pull request, or the token has no access to the repository",
};
