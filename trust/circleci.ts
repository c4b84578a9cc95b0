/**
 * What is CircleCI's own: its issuer, the subjects of its tokens, and the rules that name them.
 *
 * @see https://circleci.com/docs/openid-connect-tokens/
 */

/** The host that issues the tokens of circleci.com; a CircleCI server issues its own. */
export const CIRCLECI_CLOUD = "oidc.circleci.com";

/** A lower-case UUID, the form of every organization, project and user id of CircleCI. */
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Trusts every branch, tag and trigger of a project. */
export interface AnyRefRule {
  /** The project's id, a lower-case UUID: CircleCI → Project Settings → Overview, `CIRCLE_PROJECT_ID` in a job. */
  readonly project: string;
  /** Every branch, every tag and every kind of trigger: whoever can push any branch of the project gets in. */
  readonly refs: "any";
  /** Only pipelines of these users' ids, lower-case UUIDs. Default: of any user. */
  readonly users?: readonly string[];
}

/** Trusts only these branches and tags of one repository; at least one must be named. Needs V2 tokens. */
export interface RefRule {
  /** The project's id, a lower-case UUID: CircleCI → Project Settings → Overview, `CIRCLE_PROJECT_ID` in a job. */
  readonly project: string;
  /** The repository as the token spells it: host/owner/name, e.g. `github.com/acme/site`. */
  readonly repository: string;
  /** Branch names, without `refs/heads/`; a `*` may end one: `release/*`. Default: no branch. */
  readonly branches?: readonly string[];
  /** Tag names, without `refs/tags/`; a `*` may end one: `v*`. Default: no tag. */
  readonly tags?: readonly string[];
  /** Only pipelines of these users' ids, lower-case UUIDs. Default: of any user. */
  readonly users?: readonly string[];
}

/** Trusts the subjects that match a pattern of one's own. */
export interface SubjectRule {
  /**
   * What the token's `sub` must be like: `*` stands for any run of characters, `/` included, and `?` for one.
   * It must begin with `org/<your organization>/project/<a project's id>/`, spelled out.
   */
  readonly subject: string;
}

/** Who may assume a role. */
export type TrustRule = AnyRefRule | RefRule | SubjectRule;

/** The issuer without its `https://`, as AWS spells it in condition keys and in the provider's ARN. */
export function issuerOf(organizationId: string, server: string = CIRCLECI_CLOUD): string {
  return `${server}/org/${organizationId}`;
}

// A user's id has a fixed length. Spelled so, and with everything before the ref literal, no branch or tag name can
// move the ref of another into its place: with `user/*` a branch named `x/vcs-origin/…/refs/heads/main` gets in.
const ANY_USER = "????????-????-????-????-????????????";

/** The patterns for a token's `sub` that a rule stands for; a token that matches one of them is trusted. */
export function subjectPatterns(rule: TrustRule, organizationId: string): string[] {
  if ("subject" in rule) return [rule.subject];
  const project = `org/${organizationId}/project/${rule.project}`;
  if ("refs" in rule) {
    if (rule.users === undefined) return [`${project}/user/*`];
    return rule.users.flatMap((user) => [`${project}/user/${user}`, `${project}/user/${user}/*`]);
  }
  const refs = [
    ...(rule.branches ?? []).map((branch) => `refs/heads/${branch}`),
    ...(rule.tags ?? []).map((tag) => `refs/tags/${tag}`),
  ];
  return (rule.users ?? [ANY_USER]).flatMap((user) =>
    refs.map((ref) => `${project}/user/${user}/vcs-origin/${rule.repository}/vcs-ref/${ref}`),
  );
}
