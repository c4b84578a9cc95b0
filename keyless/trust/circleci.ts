/**
 * Everything that is specific to CircleCI: its issuer, the subjects and refs of its tokens, and the trust rules for them.
 *
 * @see https://circleci.com/docs/openid-connect-tokens/
 */

/** The host of the issuer of circleci.com. A CircleCI server is its own issuer. */
export const CIRCLECI_CLOUD = "oidc.circleci.com";

/** A lower-case UUID, the form of every organization, project and user id of CircleCI. */
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

interface ProjectRule {
  /** The project's id, a lower-case UUID: CircleCI → Project Settings → Overview, `CIRCLE_PROJECT_ID` in a job. */
  readonly project: string;
  /** The ids of the users whose pipelines are trusted, lower-case UUIDs. Default: any user. */
  readonly users?: readonly string[];
}

/**
 * Trusts every branch, tag and trigger of a project. For circleci.com, the trust policy also compares the token's claim
 * `oidc.circleci.com/project-id` with the project; AWS has no condition key for the claims of a CircleCI server.
 */
export interface AnyRefRule extends ProjectRule {
  /** Every branch, tag and kind of trigger: anyone with push access to the repository can assume the role. */
  readonly refs: "any";
}

/** Trusts only these branches and tags of one repository; at least one branch or tag. Requires V2 tokens. */
export interface RefRule extends ProjectRule {
  /** The repository as it appears in the token: host/owner/name, e.g. `github.com/acme/site`. */
  readonly repository: string;
  /**
   * Branch names as git accepts them, without `refs/heads/`; up to 244 Latin-1 characters, without `${`, `&{` and `%{`.
   * A name can end with `*`: `release/*`. Default: no branch.
   */
  readonly branches?: readonly string[];
  /** Tag names, without `refs/tags/`, by the same rules: `v*`. Default: no tag. */
  readonly tags?: readonly string[];
}

/** Trusts the subjects that match a custom pattern. */
export interface SubjectRule {
  /**
   * The pattern for the token's `sub`. `*` matches any number of characters, `/` included, and `?` exactly one.
   * It must begin with the literal `org/<your organization id>/project/<project id>/`.
   */
  readonly subject: string;
}

/** Who may assume a role. */
export type TrustRule = AnyRefRule | RefRule | SubjectRule;

/** An issuer: the host, and the organization whose tokens it signs. */
export interface CircleCiIssuer {
  /** Default: circleci.com's. */
  readonly host?: string;
  readonly organization: string;
}

/** The issuer without `https://`, as it appears in condition keys and in the ARN of the OIDC provider. */
export function formatIssuer({ host = CIRCLECI_CLOUD, organization }: CircleCiIssuer): string {
  return `${host}/org/${organization}`;
}

/** Parses an issuer, given without `https://`. Undefined if it does not have the form of a CircleCI issuer. */
export function parseIssuer(issuer: string): Required<CircleCiIssuer> | undefined {
  const [, host, organization] = /^(.*?)\/org\/(.*)$/s.exec(issuer) ?? [];
  return host === undefined || organization === undefined ? undefined : { host, organization };
}

/**
 * The organization of a CircleCI issuer, given without `https://`. Undefined if the host is neither circleci.com's nor
 * one of the given CircleCI servers.
 */
export function organizationOf(issuer: string, servers: readonly string[] = []): string | undefined {
  const parsed = parseIssuer(issuer);
  return parsed !== undefined && [CIRCLECI_CLOUD, ...servers].includes(parsed.host) ? parsed.organization : undefined;
}

/** A branch or a tag. */
export interface Ref {
  readonly kind: "branch" | "tag";
  /** Without `refs/heads/` or `refs/tags/`. Can be a pattern with the wildcards `*` and `?`. */
  readonly name: string;
}

const REF_PREFIXES = { branch: "refs/heads/", tag: "refs/tags/" } as const;

/** The full ref as tokens contain it: `refs/heads/main`, `refs/tags/v1`. */
export function formatRef({ kind, name }: Ref): string {
  return REF_PREFIXES[kind] + name;
}

/** Parses a full ref, or a pattern for refs of one kind. Undefined for anything else, e.g. a name without prefix. */
export function parseRef(ref: string): Ref | undefined {
  for (const kind of ["branch", "tag"] as const) {
    const prefix = REF_PREFIXES[kind];
    if (ref.startsWith(prefix) && ref !== prefix) return { kind, name: ref.slice(prefix.length) };
  }
  return undefined;
}

/** Whether a pattern for full refs matches every branch and tag. */
export function isAnyRef(pattern: string): boolean {
  return pattern === "*" || pattern === "refs/*";
}

/** `branch main`, `tag v*`, `any branch`. */
export function describeRef({ kind, name }: Ref): string {
  return name === "*" ? `any ${kind}` : `${kind} ${name}`;
}

/** The forms of a full ref, for messages. */
export const REF_FORMS = `${formatRef({ kind: "branch", name: "<branch>" })} or ${formatRef({ kind: "tag", name: "<tag>" })}`;

/**
 * Whether a text is a repository as it appears in tokens: host/owner/name. A path segment `vcs-ref` is not accepted: it
 * would end the repository in a subject, so that a branch of another repository could forge the subject.
 */
export function isRepository(text: string): boolean {
  return /^[a-z0-9.-]+\.[a-z]+(:\d+)?(\/(?!(\.\.?|vcs-ref)(\/|$))[\w.~-]+){2,}(?<!\.git)$/i.test(text);
}

/**
 * The pattern for the id of any user. It has a fixed length, so with everything before the ref literal no branch or tag
 * name can forge the subject of another ref. With `user/*`, a branch named `x/vcs-origin/…/refs/heads/main` can.
 */
export const ANY_USER = "????????-????-????-????-????????????";

/** The patterns for the `sub` claim that a rule allows. A token is trusted if it matches one of them. */
export function subjectPatterns(rule: TrustRule, organization: string): string[] {
  if ("subject" in rule) return [rule.subject];
  const { project } = rule;
  if ("refs" in rule) {
    const users = rule.users?.flatMap((user) => [user, `${user}/*`]) ?? ["*"];
    return users.map((user) => formatSubject({ organization, project, user }));
  }
  const { repository, branches = [], tags = [], users = [ANY_USER] } = rule;
  const refs = [
    ...branches.map((name) => formatRef({ kind: "branch", name })),
    ...tags.map((name) => formatRef({ kind: "tag", name })),
  ];
  return users.flatMap((user) => refs.map((ref) => formatSubject({ organization, project, user, repository, ref })));
}

/** The parts of a subject or of a subject pattern. Parts that it does not contain are absent. */
export interface SubjectParts {
  readonly organization: string;
  readonly project?: string;
  readonly user?: string;
  /** The source of the pipeline, host/owner/name; for a fork's pipeline, the fork. V2 tokens only. */
  readonly repository?: string;
  /** The full ref, see {@link formatRef}. V2 tokens only. */
  readonly ref?: string;
}

/** The parts in the order in which a subject contains them, each with its prefix. */
export const SUBJECT_PARTS = [
  ["organization", "org/"],
  ["project", "/project/"],
  ["user", "/user/"],
  ["repository", "/vcs-origin/"],
  ["ref", "/vcs-ref/"],
] as const satisfies readonly (readonly [keyof SubjectParts, string])[];

/** The subject with these parts: in V2 form if repository and ref are given, otherwise in V1 form. */
export function formatSubject(parts: SubjectParts): string {
  return SUBJECT_PARTS.map(([part, prefix]) => (parts[part] === undefined ? "" : `${prefix}${parts[part]}`)).join("");
}

const SUBJECT = new RegExp(
  `^${SUBJECT_PARTS.map(([part, prefix], index) => (index === 0 ? `${prefix}(?<${part}>.*?)` : `(?:${prefix}(?<${part}>.*?))?`)).join("")}$`,
  "s",
);

/**
 * Parses a subject or a subject pattern. Each part ends at the first occurrence of the next part's prefix: ids and
 * repository names do not contain these prefixes, but branch names can. Undefined for anything but a job's subject.
 */
export function parseSubject(subject: string): SubjectParts | undefined {
  return SUBJECT.exec(subject)?.groups as SubjectParts | undefined;
}

/** The beginning that every trusted subject pattern must have, with the id of the organization if it is known. */
export function subjectPrefix(organization = "<organization id>", project = "<project id>"): string {
  return `${formatSubject({ organization, project })}/`;
}

const PINNED_SUBJECT = /^org\/([\w-]+)\/project\/([\w-]+)(\/.*|\*?)$/s;

/** Whether a subject pattern matches jobs of a single project only: it begins with the literal ids of both. */
export function isPinnedSubject(pattern: string): boolean {
  const [, ...ids] = PINNED_SUBJECT.exec(pattern) ?? [];
  return ids.slice(0, 2).every((id) => UUID.test(id)) && ids.length > 0;
}

/** A subject pattern that pins a project: it begins with the literal ids of an organization and a project. */
interface ProjectScope {
  readonly organization: string;
  readonly project: string;
  /** Absent: any user, or not a part of its own. */
  readonly user?: string;
  /** The pattern after the project. */
  readonly rest: string;
}

/** Which jobs a subject pattern matches, as far as it can be classified. */
export type SubjectScope =
  /** Every subject of the issuer. */
  | { readonly kind: "any" }
  /** Exactly one text: policy variables escape its wildcards. */
  | { readonly kind: "literal"; readonly subject: string }
  /** Every project, branch and trigger of an organization. */
  | { readonly kind: "organization"; readonly organization: string }
  /** `project`: every branch, tag and trigger. `v1`: V1 tokens only. `partial`: a pattern in no standard form. */
  | (ProjectScope & { readonly kind: "project" | "v1" | "partial" })
  | (ProjectScope & {
      readonly kind: "ref";
      readonly repository: string;
      /** A full ref or a pattern for refs. */
      readonly ref: string;
      /** Whether a branch can be named so that its subject matches: a wildcard before the ref has no fixed length. */
      readonly forgeable: boolean;
    })
  /** A pattern that does not pin a project. */
  | { readonly kind: "other" };

const FIXED_LENGTH_ID = /^[0-9a-f?]{8}(-[0-9a-f?]{4}){3}-[0-9a-f?]{12}$/;

/** Classifies a subject pattern. */
export function describeSubject(pattern: string): SubjectScope {
  if (pattern === "*") return { kind: "any" };
  if (/\$\{[*?]\}/.test(pattern)) return { kind: "literal", subject: pattern.replace(/\$\{([*?])\}/g, "$1") };
  const [, all] = /^org\/([\w-]+)\/(?:project\/)?\*$/.exec(pattern) ?? [];
  if (all !== undefined) return { kind: "organization", organization: all };
  const [, organization, project, rest] = /^org\/([\w-]+)\/project\/([\w-]+)\/(.+)$/s.exec(pattern) ?? [];
  if (organization === undefined || project === undefined || rest === undefined) return { kind: "other" };
  const { user = "", repository = "", ref = "" } = parseSubject(pattern) ?? {};
  const isUser = user !== "" && user !== "*" && user !== ANY_USER && !user.includes("/");
  const scope = { organization, project, rest, ...(isUser && { user }) };
  if (rest === "*" || rest === "user/*") return { kind: "project", ...scope };
  if (/^user\/[^/*]+$/.test(rest)) return { kind: "v1", ...scope };
  if (!/^user\/[^/]+\/vcs-origin\//.test(rest) || repository === "" || /[*?]/.test(repository) || ref === "")
    return { kind: "partial", ...scope };
  const forgeable = /[*?]/.test(user) && !FIXED_LENGTH_ID.test(user);
  return { kind: "ref", ...scope, repository, ref, forgeable };
}

/** The name of a branch whose subjects match those of another ref under a pattern that has `user/*`. */
export function imitatingBranch(repository: string, ref: Ref): string {
  return `evil/vcs-origin/${repository}/vcs-ref/${formatRef(ref)}`;
}

/** The subject of the organization's audit log streaming: the only subject that is not a job's. */
export function auditLogSubject(organization: string): string {
  return `org/${organization}/file-streaming/audit-logs`;
}

/** The number of the pull request in the ref of a fork's pipeline. Undefined for every other ref. */
export function pullRequestOf(ref: string): string | undefined {
  return /^refs\/(?:heads\/)?pull\/(\d+)/.exec(ref)?.[1];
}

/** The branch or tag that a job names. Undefined if it names neither. */
export function refOf({ branch, tag }: { readonly branch?: string; readonly tag?: string }): Ref | undefined {
  if (branch !== undefined) return { kind: "branch", name: branch };
  return tag === undefined ? undefined : { kind: "tag", name: tag };
}

/** The claims that contain repository and ref of a V2 token. AWS has no condition keys for them. */
export const SOURCE_CLAIMS = { repository: "oidc.circleci.com/vcs-origin", ref: "oidc.circleci.com/vcs-ref" } as const;

/** The claim that contains the project's id alone, without names that a user of the project can choose. */
export const PROJECT_CLAIM = "oidc.circleci.com/project-id";

/** A claim for which AWS can have a condition key. */
export type ConditionClaim = "aud" | "sub" | typeof PROJECT_CLAIM;

/**
 * The claims of an issuer, given without `https://`, for which AWS has condition keys: `<issuer>:aud` and so on. AWS
 * documents the key of the project for the issuers of circleci.com's organizations, not for a CircleCI server or the root
 * issuer, and no key for the other claims: `context-ids`, `vcs-ref`, `ssh-rerun` and so on.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
 */
export function conditionClaims(issuer: string): readonly ConditionClaim[] {
  return parseIssuer(issuer)?.host === CIRCLECI_CLOUD ? ["aud", "sub", PROJECT_CLAIM] : ["aud", "sub"];
}
