import type { RestEndpointMethodTypes } from "@octokit/rest";
import { statusOf } from "./client";
import type { PullRequest } from "./pull-request";

/** How a person opens a closed gate: by a label on the pull request, or by approving its latest commit. */
export type Override = "approval" | `label:${string}`;

/** The overrides that a pull request has, and the reason for each approval that does not count. */
export interface GrantedOverrides {
  readonly granted: readonly Override[];
  readonly notCounted: readonly string[];
}

type PullRequestReview = RestEndpointMethodTypes["pulls"]["listReviews"]["response"]["data"][number];

/**
 * Returns those of the requested overrides that the pull request has. An approval counts if it is the latest decision of a
 * user who has write permission on the repository and is not the author, and if the approved commit is the reviewed commit
 * and the head of the pull request.
 *
 * @throws {UserError} GitHub rejected a request, or the time limit was exceeded
 */
export async function grantedOverrides(
  pullRequest: PullRequest | undefined,
  overrides: readonly Override[],
): Promise<GrantedOverrides> {
  if (pullRequest === undefined) return { granted: [], notCounted: [] };
  const { client, owner, repo, number: pull_number } = pullRequest;
  const { paginate, rest } = client.octokit;
  return client.run(`${owner}/${repo}#${pull_number}`, async () => {
    const { data } = await rest.pulls.get({ owner, repo, pull_number });
    const labels = data.labels.map(({ name }) => `label:${name}`);
    const granted = overrides.filter((override) => labels.includes(override));
    if (!overrides.includes("approval")) return { granted, notCounted: [] };
    const reviews = await paginate(rest.pulls.listReviews, { owner, repo, pull_number, per_page: 100 });
    const notCounted: string[] = [];
    for (const review of approvals(reviews)) {
      const reason = await whyNotCounted(pullRequest, review, data);
      if (reason === undefined) return { granted: [...granted, "approval"], notCounted };
      notCounted.push(`the approval of ${review.user?.login ?? "a deleted user"} does not count: ${reason}`);
    }
    return { granted, notCounted };
  });
}

/** The latest decision of each user, if it is an approval. Comments are no decisions. */
function approvals(reviews: readonly PullRequestReview[]): readonly PullRequestReview[] {
  const decisions = reviews.filter(({ state }) => state !== "COMMENTED" && state !== "PENDING");
  const latest = new Map(decisions.map((review) => [review.user?.login, review]));
  return [...latest.values()].filter(({ state }) => state === "APPROVED");
}

async function whyNotCounted(
  { client, owner, repo, commit }: PullRequest,
  { user, commit_id }: PullRequestReview,
  pull: { readonly head: { readonly sha: string }; readonly user: { readonly login: string } | null },
): Promise<string | undefined> {
  const { sha } = pull.head;
  if (commit !== undefined && commit !== sha)
    return `the review is of commit ${commit}, the pull request's head is ${sha}`;
  if (commit_id !== sha) return `it is for commit ${commit_id}, the pull request's head is ${sha}`;
  if (user === null) return "permissions cannot be read";
  if (user.login === pull.user?.login) return "the author cannot approve";
  if (user.type === "Bot") return "only people can approve";
  const request = { owner, repo, username: user.login };
  try {
    const { permission } = (await client.octokit.rest.repos.getCollaboratorPermissionLevel(request)).data;
    return ["admin", "maintain", "write"].includes(permission) ? undefined : `permission ${permission} is not write`;
  } catch (error) {
    if (!client.isDenied(error)) throw error;
    return `the token cannot read the permission (${statusOf(error)})`;
  }
}
