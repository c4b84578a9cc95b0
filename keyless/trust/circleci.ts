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

/**
 * The pattern for any user's id, which has a fixed length. Spelled so, and with everything before the ref literal, no
 * branch or tag name can move the ref of another into its place: with `user/*` a branch named
 * `x/vcs-origin/…/refs/heads/main` gets in.
 */
export const ANY_USER = "????????-????-????-????-????????????";

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

/** A token's subject, or a pattern for subjects, taken apart; what it does not say is absent. */
export interface SubjectParts {
  readonly organization: string;
  readonly project?: string;
  readonly user?: string;
  /** Where the pipeline's source comes from, host/owner/name: a fork's own name in a fork's pipeline. V2 tokens only. */
  readonly repository?: string;
  /** `refs/heads/<branch>` or `refs/tags/<tag>`. V2 tokens only. */
  readonly ref?: string;
}

/** The parts in the order in which a subject spells them, each with the word that leads to it. */
export const SUBJECT_PARTS = [
  ["organization", "org/"],
  ["project", "/project/"],
  ["user", "/user/"],
  ["repository", "/vcs-origin/"],
  ["ref", "/vcs-ref/"],
] as const satisfies readonly (readonly [keyof SubjectParts, string])[];

/** The subject that CircleCI writes for these parts: of the V2 form where repository and ref are given, else of V1. */
export function formatSubject(parts: SubjectParts): string {
  return SUBJECT_PARTS.map(([part, word]) => (parts[part] === undefined ? "" : `${word}${parts[part]}`)).join("");
}

const SUBJECT = new RegExp(
  `^${SUBJECT_PARTS.map(([part, word], index) => (index === 0 ? `${word}(?<${part}>.*?)` : `(?:${word}(?<${part}>.*?))?`)).join("")}$`,
  "s",
);

/**
 * Takes apart a subject or a pattern for subjects, each part ending where the next one's word stands for the first time:
 * so does CircleCI, since neither ids nor a repository's name contain those words, whatever a branch is called.
 * Undefined for what is no subject of a job.
 */
export function parseSubject(subject: string): SubjectParts | undefined {
  return SUBJECT.exec(subject)?.groups as SubjectParts | undefined;
}

/** The claims that AWS has condition keys for: `<issuer>:aud` and so on. It has none for any other claim of CircleCI. */
export const CONDITION_CLAIMS = ["aud", "sub", "oidc.circleci.com/project-id"] as const;

/**
 * The CircleCI organization that an issuer belongs to, given without its `https://`; undefined for an issuer that is not
 * CircleCI's, nor that of one of the CircleCI servers named by their hosts.
 */
export function organizationOf(issuer: string, servers: readonly string[] = []): string | undefined {
  const [host, organization] = issuer.split("/org/");
  return host !== undefined && [CIRCLECI_CLOUD, ...servers].includes(host) ? organization : undefined;
}
