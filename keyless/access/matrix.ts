import { rolesOf } from "../config/lint";
import type { Config, Environment, Role } from "../config/resolved";
import { groupBy } from "../group-by";
import { describeRef, describeSubject, parseRef, type Ref, refOf, type TrustRule, UUID } from "../trust/circleci";
import { pinsProjectId } from "../trust/policy";
import { type Capability, capabilitiesOf, type Level, policyName } from "./capabilities";

/** Which jobs can assume which roles in one environment. */
export interface EnvironmentAccess {
  readonly name: string;
  readonly accountId: string;
  readonly region: string;
  readonly roles: readonly RoleAccess[];
}

/** Which jobs can assume one role, and what the role allows. */
export interface RoleAccess {
  readonly name: string;
  readonly arn: string;
  /** The jobs that the role trusts: one source for each trust rule. */
  readonly sources: readonly Source[];
  readonly capabilities: readonly Capability[];
  /** The highest level of its policies. */
  readonly level: Level;
  /** The name of the permissions boundary. Absent: none. */
  readonly boundary?: string;
  /** Reasons to review the role. */
  readonly dangers: readonly Danger[];
}

/**
 * `administrator`: the role is an administrator of the account, or can become one. `possible-administrator`: it depends on
 * what config.ts does not contain. `open-write`: anyone with push access may write.
 */
export type Danger = "administrator" | "possible-administrator" | "open-write";

/** The jobs that a trust rule trusts. */
export interface Source {
  /** The project's id. */
  readonly project: string;
  /** The repository of the rule. If the rule has none: the only repository that config.ts names for the project. */
  readonly repository?: string;
  readonly refs: readonly SourceRef[];
  /**
   * Whether anyone with push access to the project can assume the role: neither refs nor users restrict it. Tags, and
   * branch patterns such as `release/*`, do not restrict a role that may write: anyone with push access can create a
   * matching ref, unless a ruleset of the repository prevents it.
   */
  readonly open: boolean;
  /** The ids of the users whose pipelines are trusted. Absent: any user. */
  readonly users?: readonly string[];
  /** The trust policy also requires the project's id as the token's `oidc.circleci.com/project-id`. Absent: it does not. */
  readonly pinsProjectId?: true;
}

/** What a source trusts: a branch or tag, every ref and trigger, or the subjects that match a custom pattern. */
export type SourceRef = Ref | { readonly kind: "any" } | { readonly kind: "subject"; readonly pattern: string };

/** `branch main`, `tag v*`, `any branch, tag or trigger`, `subject user/*`. */
export function describeSourceRef(ref: SourceRef): string {
  if (ref.kind === "any") return "any branch, tag or trigger";
  return ref.kind === "subject" ? `subject ${ref.pattern}` : describeRef(ref);
}

/** The access that config.ts grants, in its order of environments and roles. */
export function accessMatrix(config: Config): EnvironmentAccess[] {
  const repositories = repositoriesByProject(config);
  return config.environments.map((environment) => {
    const { name, accountId, region } = environment;
    const known = rolesOf(environment);
    const roles = environment.roles.map((role) =>
      roleAccess(environment, role, capabilitiesOf(role, environment, known), repositories),
    );
    return { name, accountId, region, roles };
  });
}

type Repositories = ReadonlyMap<string, readonly Source[]>;

function roleAccess(
  { circleci }: Environment,
  role: Role,
  capabilities: readonly Capability[],
  named: Repositories,
): RoleAccess {
  const levels = capabilities.map(({ level }) => level);
  const level = (["administrator", "write"] as const).find((each) => levels.includes(each)) ?? "read";
  const sources = role.trust.map((rule): Source => {
    const source = sourceOf(rule);
    const pin = pinsProjectId(rule, circleci.issuer) ? { pinsProjectId: true as const } : {};
    const [only, ...others] = new Set(named.get(source.project)?.map(({ repository }) => repository));
    const repository = source.repository ?? (others.length === 0 ? only : undefined);
    const open = source.open || (level !== "read" && source.users === undefined && source.refs.some(isCreatable));
    return { ...source, ...pin, repository, open };
  });
  return {
    name: role.name,
    arn: role.arn,
    sources,
    capabilities,
    level,
    ...(role.permissionsBoundaryArn !== undefined && { boundary: policyName(role.permissionsBoundaryArn) }),
    dangers: [
      ...(level === "administrator" ? ["administrator" as const] : []),
      ...(level !== "administrator" && capabilities.some(({ possibleAdministrator }) => possibleAdministrator)
        ? ["possible-administrator" as const]
        : []),
      ...(level !== "read" && sources.some(({ open }) => open) ? ["open-write" as const] : []),
    ],
  };
}

/** Whether anyone with push access can create a ref that matches. A branch that is named exactly exists already. */
function isCreatable(ref: SourceRef): boolean {
  return ref.kind === "tag" || (ref.kind === "branch" && ref.name.endsWith("*"));
}

/** The sources that name a repository, by project. */
function repositoriesByProject({ environments }: Config): Repositories {
  const sources = environments.flatMap(({ roles }) => roles.flatMap(({ trust }) => trust.map(sourceOf)));
  return groupBy(
    sources.filter(({ repository }) => repository !== undefined),
    ({ project }) => project,
  );
}

function sourceOf(rule: TrustRule): Source {
  if ("subject" in rule) return sourceOfSubject(rule.subject);
  const { project, users } = rule;
  const isAnyUser = users === undefined;
  const restriction = isAnyUser ? {} : { users };
  if ("refs" in rule) return { project, refs: [{ kind: "any" }], open: isAnyUser, ...restriction };
  const { repository, branches = [], tags = [] } = rule;
  const refs = [...branches.map((branch) => refOf({ branch })), ...tags.map((tag) => refOf({ tag }))];
  return {
    project,
    repository,
    refs: refs.flatMap((ref) => ref ?? []),
    open: isAnyUser && refs.some((ref) => ref?.name === "*"),
    ...restriction,
  };
}

// A custom pattern restricts the ref only if no branch name can forge its subject. A pattern without a ref also matches
// the V1 token of every branch's job.
function sourceOfSubject(pattern: string): Source {
  const scope = describeSubject(pattern);
  if (!("project" in scope)) return { project: "", refs: [{ kind: "subject", pattern }], open: true };
  const { project, user = "", rest } = scope;
  const users = UUID.test(user) ? { users: [user] } : {};
  const open = users.users === undefined;
  if (scope.kind === "project") return { project, refs: [{ kind: "any" }], open };
  const ref = scope.kind === "ref" && !scope.forgeable ? parseRef(scope.ref) : undefined;
  if (scope.kind !== "ref" || ref === undefined || !/^[^*?]*\*?$/.test(ref.name)) {
    return { project, refs: [{ kind: "subject", pattern: rest }], open, ...users };
  }
  return { project, repository: scope.repository, refs: [ref], open: open && ref.name === "*", ...users };
}
