import { createHash } from "node:crypto";
import { UserError } from "../../errors";
import { statusOf } from "./client";
import type { PullRequest } from "./pull-request";

/** What to post on a pull request. */
export interface ReviewComment {
  /** Identifies the comment among those of this project on the pull request; see {@link commentId}. */
  readonly id: string;
  /** Renders the text in at most `limit` characters. Called again with a lower limit if GitHub rejects it as too long. */
  readonly render: (limit: number) => string;
}

/**
 * - `current`: the comment shows the text;
 * - `outdated`: it does, and states that the pull request has another head than the reviewed commit;
 * - `not-posted`: the reviewed commit is not the head, and the comment shows the review of another commit.
 */
export interface PostedComment {
  readonly status: "current" | "outdated" | "not-posted";
  readonly url: string;
}

/** GitHub's limit for a comment, in characters. */
const COMMENT_LIMIT = 65_536;

/** Room for the hidden lines, the notice that a comment is outdated, and the line about the commit. */
const RESERVED = 1_000;

/** Attempts to write the comment while other jobs or users change it. */
const ROUNDS = 8;

/** The first line of comments before they had ids. */
const LEGACY_MARKER = "<!-- keyless review -->";

/** The hidden lines that identify a comment and its commit, and the notice after them. */
const HEADER =
  /^<!-- keyless review: (\S+) -->\r?\n<!-- commit (\w+)(?: outdated by (\w+))? -->\r?\n(?:> [^\n]*\n\r?\n)?/;

/** The id of the comment about these environments. The order of environments does not matter. */
export function commentId(environments: readonly string[]): string {
  const id = [...new Set(environments)].sort().map(encodeURIComponent).join(",");
  return id.length <= 200 ? id : `sha256-${createHash("sha256").update(id).digest("hex")}`;
}

/**
 * Creates or updates the comment with this id. Afterwards there is exactly one, also if concurrent jobs created one each or
 * a user deleted it. A comment about another commit is not replaced unless the reviewed commit is the pull request's head.
 *
 * @throws {UserError} GitHub rejected a request, or the time limit was exceeded
 */
export async function postComment(pullRequest: PullRequest, comment: ReviewComment): Promise<PostedComment> {
  const thread = new Thread(pullRequest);
  return run(pullRequest, async () => {
    try {
      return await thread.post(comment, COMMENT_LIMIT);
    } catch (error) {
      if (statusOf(error) !== 422) throw error;
      // Another server may count bytes; a character has up to four.
      return thread.post(comment, COMMENT_LIMIT / 4);
    }
  });
}

/**
 * Marks all comments of this project that do not describe the pull request's head as outdated, and removes the mark from
 * the others: after a forced push, an earlier commit can be the head again.
 *
 * @returns the URLs of the comments that are outdated
 * @throws {UserError} GitHub rejected a request, or the time limit was exceeded
 */
export async function markOutdatedComments(pullRequest: PullRequest): Promise<readonly string[]> {
  const thread = new Thread(pullRequest);
  return run(pullRequest, () => thread.markOutdated());
}

function run<Result>({ client, owner, repo, number }: PullRequest, task: () => Promise<Result>): Promise<Result> {
  return client.run(`${owner}/${repo}#${number}`, task);
}

/** A comment of this project. */
interface OwnComment {
  readonly id: number;
  readonly url: string;
  /** Undefined for a comment from before comments had ids. */
  readonly header: Header | undefined;
  /** The text after the header. */
  readonly text: string;
}

interface Header {
  readonly id: string;
  /** The commit that the comment describes, or `unknown`. */
  readonly commit: string;
  /** The head of the pull request, if the comment does not describe it. */
  readonly outdatedBy: string | undefined;
}

/**
 * The comments of a pull request. GitHub has no conditional updates, so every write is followed by a read that shows whether
 * a concurrent job has interfered; the last round of requests changes nothing.
 */
class Thread {
  /** The author of this project's comments. Undefined if the token cannot read its own login: see {@link #ownComments}. */
  #login: string | undefined;
  readonly #pull: { readonly owner: string; readonly repo: string };

  constructor(private readonly pullRequest: PullRequest) {
    this.#pull = { owner: pullRequest.owner, repo: pullRequest.repo };
  }

  async post({ id, render }: ReviewComment, limit: number): Promise<PostedComment> {
    const { commit } = this.pullRequest;
    const text = `${render(limit - RESERVED)}\n${describeCommit(commit)}\n`;
    let written: Pick<OwnComment, "id" | "url"> | undefined;
    for (let round = 0; round < ROUNDS; round++) {
      const [head, comments] = await this.#read();
      const outdatedBy = commit === undefined || head === commit ? undefined : head;
      const header: Header = { id, commit: commit ?? "unknown", outdatedBy };
      const [kept, ...extras] = comments.filter((each) => each.header?.id === id);
      const other = kept?.header?.commit;
      if (kept && outdatedBy !== undefined && other !== "unknown" && other !== commit) {
        await this.#mark(kept, head);
        return { status: "not-posted", url: kept.url };
      }
      // A new comment may be missing in the list for a moment.
      const isSettled = kept === undefined || (kept.id === written?.id && isSame(kept.header, header));
      if (written !== undefined && isSettled && extras.length === 0)
        return { status: outdatedBy === undefined ? "current" : "outdated", url: written.url };
      if (!isSettled || written === undefined) {
        written = await (kept ? this.#update(kept, header, text) : this.#create(header, text));
        if (kept === undefined) extras.push(...comments.filter((each) => each.header === undefined));
      }
      for (const extra of extras) await this.#delete(extra);
    }
    throw new UserError("other jobs change the comment at the same time: rerun this job");
  }

  async markOutdated(): Promise<readonly string[]> {
    for (let round = 0; round < ROUNDS; round++) {
      const [head, comments] = await this.#read();
      const changed = await Promise.all(comments.map((comment) => this.#mark(comment, head)));
      if (!changed.includes(true))
        return comments.flatMap(({ header, url }) => (header?.outdatedBy === undefined ? [] : [url]));
    }
    throw new UserError("other jobs change the comments at the same time: rerun this job");
  }

  /** The pull request's head, undefined if the token cannot read it, and this project's comments, the oldest first. */
  async #read(): Promise<readonly [string | undefined, readonly OwnComment[]]> {
    return [await this.#head(), await this.#ownComments()];
  }

  async #head(): Promise<string | undefined> {
    const { client, number: pull_number } = this.pullRequest;
    try {
      return (await client.octokit.rest.pulls.get({ ...this.#pull, pull_number })).data.head.sha;
    } catch (error) {
      if (!client.isDenied(error)) throw error;
      return undefined;
    }
  }

  /**
   * Anyone can write a marker, so the author must be the token's user. If that is unknown, there are none at first: the
   * comment that {@link #create} writes shows its author, and is deleted in the next round if there is an earlier one.
   */
  async #ownComments(): Promise<readonly OwnComment[]> {
    const { client, number: issue_number } = this.pullRequest;
    const { paginate, rest } = client.octokit;
    const comments = await paginate(rest.issues.listComments, { ...this.#pull, issue_number, per_page: 100 });
    const marked = comments.flatMap(({ id, html_url: url, body = "", user }) => {
      const [start = "", name, commit, outdatedBy] = HEADER.exec(body) ?? [];
      const header = name === undefined || commit === undefined ? undefined : { id: name, commit, outdatedBy };
      const isOwn = header !== undefined || body.startsWith(LEGACY_MARKER);
      return isOwn ? [{ id, url, header, text: body.slice(start.length), login: user?.login }] : [];
    });
    if (marked.length > 0) this.#login ??= await client.readLogin();
    return marked.filter(({ login }) => login !== undefined && login === this.#login).sort((a, b) => a.id - b.id);
  }

  async #create(header: Header, text: string): Promise<Pick<OwnComment, "id" | "url">> {
    const { client, number: issue_number } = this.pullRequest;
    const body = withHeader(header, text);
    const { data } = await client.octokit.rest.issues.createComment({ ...this.#pull, issue_number, body });
    this.#login = data.user?.login ?? this.#login;
    return { id: data.id, url: data.html_url };
  }

  /** Undefined if the comment was deleted. */
  async #update(
    { id, url }: OwnComment,
    header: Header,
    text: string,
  ): Promise<Pick<OwnComment, "id" | "url"> | undefined> {
    const { rest } = this.pullRequest.client.octokit;
    const updated = rest.issues.updateComment({ ...this.#pull, comment_id: id, body: withHeader(header, text) });
    return (await ifExists(updated)) ? { id, url } : undefined;
  }

  async #delete({ id }: OwnComment): Promise<void> {
    await ifExists(this.pullRequest.client.octokit.rest.issues.deleteComment({ ...this.#pull, comment_id: id }));
  }

  /** Marks a comment as outdated unless it describes the head. Returns whether it changed. */
  async #mark(comment: OwnComment, head: string | undefined): Promise<boolean> {
    const { header, text } = comment;
    if (header === undefined || head === undefined || header.commit === "unknown") return false;
    const outdatedBy = header.commit === head ? undefined : head;
    if (header.outdatedBy === outdatedBy) return false;
    await this.#update(comment, { ...header, outdatedBy }, text);
    return true;
  }
}

/** Undefined if what the request is about does not exist any more. */
async function ifExists<Response>(request: Promise<Response>): Promise<Response | undefined> {
  return request.catch((error) => {
    if (statusOf(error) !== 404) throw error;
    return undefined;
  });
}

/** GitHub links a full SHA in a text, and shortens it. */
function describeCommit(commit: string | undefined): string {
  return commit === undefined
    ? "The commit that this comment describes is unknown."
    : `This comment describes commit ${commit}. A later commit is not reviewed until this line names it.`;
}

function withHeader({ id, commit, outdatedBy }: Header, text: string): string {
  const hidden = [
    `<!-- keyless review: ${id} -->`,
    `<!-- commit ${commit}${outdatedBy ? ` outdated by ${outdatedBy}` : ""} -->`,
  ];
  const notice = outdatedBy
    ? [`> ⚠️ **Outdated**: this comment describes commit ${commit}; the pull request's head is ${outdatedBy}.`, ""]
    : [];
  return [...hidden, ...notice, text].join("\n");
}

function isSame(a: Header | undefined, b: Header): boolean {
  return a !== undefined && a.id === b.id && a.commit === b.commit && a.outdatedBy === b.outdatedBy;
}
