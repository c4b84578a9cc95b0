import type { RestEndpointMethodTypes } from "@octokit/rest";
import { statusOf } from "./client";
import type { PullRequest } from "./pull-request";

/** How a person opens a closed gate: by a label on the pull request, or by approving its latest commit. */
export type Override = "approval" | `label:${string}`;

/** The overrides that a pull request has, and the reason for each approval and label that does not count. */
export interface GrantedOverrides {
  readonly granted: readonly Override[];
  readonly notCounted: readonly string[];
}

type PullRequestData = RestEndpointMethodTypes["pulls"]["get"]["response"]["data"];
type PullRequestReview = RestEndpointMethodTypes["pulls"]["listReviews"]["response"]["data"][number];

/** An approval, or the assignment of a label. */
interface Signal {
  /** E.g. `the approval of octocat`. */
  readonly what: string;
  /** Null for a deleted user. Undefined if it is not known who decided. */
  readonly user: { readonly login: string; readonly type: string } | null | undefined;
  /** Why the decision does not count, regardless of its user. Undefined if it does. */
  readonly defect?: string;
}

/**
 * Returns those of the requested overrides that the pull request has. An approval counts if it is the latest decision of its
 * user, and if the approved commit is the reviewed commit and the head of the pull request. Approvals and labels count only
 * if their user has write permission on the repository and is neither a bot, nor the token's own user, nor the author of
 * the pull request, nor known to have pushed its head; none count on a pull request that the token's user opened.
 *
 * @throws {UserError} GitHub rejected a request, or the time limit was exceeded
 */
export async function grantedOverrides(
  pullRequest: PullRequest | undefined,
  overrides: readonly Override[],
): Promise<GrantedOverrides> {
  if (pullRequest === undefined) return { granted: [], notCounted: [] };
  const { client, owner, repo, number: pull_number } = pullRequest;
  return client.run(`${owner}/${repo}#${pull_number}`, async () => {
    const { data: pull } = await client.octokit.rest.pulls.get({ owner, repo, pull_number });
    const tokenLogin = await client.readLogin();
    const granted: Override[] = [];
    const notCounted: string[] = [];
    for (const override of overrides) {
      const decisions =
        override === "approval"
          ? await approvals(pullRequest, pull)
          : await labelings(pullRequest, pull, override.slice("label:".length));
      for (const { what, user, defect } of decisions) {
        const reason = defect ?? (await whyNotCounted(pullRequest, pull, tokenLogin, user));
        if (reason === undefined) {
          granted.push(override);
          break;
        }
        notCounted.push(`${what} does not count: ${reason}`);
      }
    }
    return { granted, notCounted };
  });
}

/** The latest decision of each user, if it is an approval. Comments are no decisions. */
async function approvals(
  { client, owner, repo, number: pull_number, commit }: PullRequest,
  { head }: PullRequestData,
): Promise<readonly Signal[]> {
  const { paginate, rest } = client.octokit;
  const reviews = await paginate(rest.pulls.listReviews, { owner, repo, pull_number, per_page: 100 });
  const decisions = reviews.filter(({ state }) => state !== "COMMENTED" && state !== "PENDING");
  const latest = new Map(decisions.map((review) => [review.user?.login, review]));
  return [...latest.values()]
    .filter(({ state }) => state === "APPROVED")
    .map(({ user, commit_id }: PullRequestReview) => ({
      what: `the approval of ${user?.login ?? "a deleted user"}`,
      user,
      defect: whyNotCurrent(commit, commit_id, head.sha),
    }));
}

function whyNotCurrent(reviewed: string | undefined, approved: string | null, head: string): string | undefined {
  if (reviewed === undefined) return "the reviewed commit is unknown: name it by --commit";
  if (reviewed !== head) return `the review is of commit ${reviewed}, the pull request's head is ${head}`;
  return approved === head ? undefined : `it is for commit ${approved}, the pull request's head is ${head}`;
}

/** The latest assignment of a label that the pull request has. GitHub ignores the case of label names. */
async function labelings(
  { client, owner, repo, number: issue_number }: PullRequest,
  { labels }: PullRequestData,
  name: string,
): Promise<readonly Signal[]> {
  const isLabel = (label: { readonly name: string }) => label.name.toLowerCase() === name.toLowerCase();
  if (!labels.some(isLabel)) return [];
  const { paginate, rest } = client.octokit;
  const events = await paginate(rest.issues.listEventsForTimeline, { owner, repo, issue_number, per_page: 100 });
  const [latest] = events
    .flatMap((event) => ("label" in event && event.event === "labeled" && isLabel(event.label) ? event.actor : []))
    .slice(-1);
  return [{ what: `the label ${name}, set by ${latest?.login ?? "an unknown user"},`, user: latest }];
}

/** The permissions with which a user can push, approve and merge. */
const WRITE_PERMISSIONS = ["admin", "maintain", "write"];

async function whyNotCounted(
  pullRequest: PullRequest,
  pull: PullRequestData,
  tokenLogin: string | undefined,
  user: Signal["user"],
): Promise<string | undefined> {
  const { client, owner, repo } = pullRequest;
  if (!user) return "permissions cannot be read";
  const { login } = user;
  // The jobs of every branch can read the token: what it does shows no decision of a person. That of an app acts as a bot.
  if (user.type === "Bot") return "only people can approve";
  if (tokenLogin !== undefined && login === tokenLogin) return "it is the user of the token";
  if (tokenLogin !== undefined && pull.user?.login === tokenLogin)
    return "the user of the token opened the pull request";
  if (login === pull.user?.login) return "the author cannot approve";
  try {
    const { permission } = (
      await client.octokit.rest.repos.getCollaboratorPermissionLevel({ owner, repo, username: login })
    ).data;
    if (!WRITE_PERMISSIONS.includes(permission)) return `permission ${permission} is not write`;
  } catch (error) {
    if (!client.isDenied(error)) throw error;
    return `the token cannot read the permission (${statusOf(error)})`;
  }
  return (await hasPushed(pullRequest, pull, login)) ? "the user pushed the pull request's head" : undefined;
}

/** Whether a user is known to have pushed the head. The author and committer of a commit are whatever its creator wrote. */
async function hasPushed({ client, owner, repo }: PullRequest, { head }: PullRequestData, actor: string) {
  const source = { owner: head.repo?.owner.login ?? owner, repo: head.repo?.name ?? repo };
  try {
    const request = { ...source, actor, ref: `refs/heads/${head.ref}`, per_page: 100 };
    const { data } = await client.octokit.rest.repos.listActivities(request);
    return data.some(({ after }) => after === head.sha);
  } catch (error) {
    if (!client.isDenied(error)) throw error;
    return false;
  }
}
