import type { Config, Environment, Role } from "../config/resolved";
import { describeRef, describeSubject, parseRef, type TrustRule, UUID } from "../trust/circleci";
import { type Capability, capabilitiesOf, type Level, policyName } from "./capabilities";

/** Who can assume what in one environment. */
export interface EnvironmentAccess {
  readonly name: string;
  readonly accountId: string;
  readonly region: string;
  readonly roles: readonly RoleAccess[];
}

/** Who may assume one role, and what it may do. */
export interface RoleAccess {
  readonly name: string;
  readonly arn: string;
  /** Who may assume it: one for each trust rule. */
  readonly sources: readonly Source[];
  readonly capabilities: readonly Capability[];
  /** The farthest that one of its policies goes. */
  readonly level: Level;
  /** The name of the permissions boundary. */
  readonly boundary?: string;
  /** Reasons to review the role: administrator access, or write access for anyone with push access. */
  readonly dangers: readonly string[];
}

/** Whose jobs a trust rule lets in. */
export interface Source {
  /** The project's id. */
  readonly project: string;
  /** The repository as the rule names it, or the only one that the configuration names for the project. */
  readonly repository?: string;
  /** The branches and tags in words: `branch main`, `tag v*`, `any branch, tag or trigger`. */
  readonly refs: readonly string[];
  /** Whether anyone with push access to the project can assume the role: neither refs nor users restrict it. */
  readonly open: boolean;
  /** The only users whose pipelines get in, by id; absent: any user's. */
  readonly users?: readonly string[];
}

/** Who can assume what, environment by environment, in the configuration's order. */
export function accessOf(config: Config): EnvironmentAccess[] {
  const repositories = repositoriesByProject(config);
  return config.environments.map((environment) => ({
    name: environment.name,
    accountId: environment.accountId,
    region: environment.region,
    roles: environment.roles.map((role) => roleAccess(environment, role, repositories)),
  }));
}

type Repositories = ReadonlyMap<string, ReadonlySet<string>>;

function roleAccess(environment: Environment, role: Role, repositories: Repositories): RoleAccess {
  const sources = role.trust.map((rule) => {
    const source = sourceOf(rule);
    const [only, ...others] = repositories.get(source.project) ?? [];
    return source.repository === undefined && only !== undefined && others.length === 0
      ? { ...source, repository: only }
      : source;
  });
  const capabilities = capabilitiesOf(role, environment);
  const level = (["administrator", "write"] as const).find((it) => capabilities.some(({ level }) => level === it));
  return {
    name: role.name,
    arn: role.arn,
    sources,
    capabilities,
    level: level ?? "read",
    ...(role.permissionsBoundaryArn !== undefined && { boundary: policyName(role.permissionsBoundaryArn) }),
    dangers: [
      ...(level === "administrator" ? ["ADMINISTRATOR of the account"] : []),
      ...(level !== undefined && sources.some(({ open }) => open) ? ["anyone with push access may write"] : []),
    ],
  };
}

function repositoriesByProject({ environments }: Config): Repositories {
  const found = new Map<string, Set<string>>();
  for (const { roles } of environments) {
    for (const rule of roles.flatMap(({ trust }) => trust)) {
      const { project, repository } = sourceOf(rule);
      if (repository !== undefined) found.set(project, (found.get(project) ?? new Set()).add(repository));
    }
  }
  return found;
}

const ANY_REF = "any branch, tag or trigger";

/** A trust rule in words. */
function sourceOf(rule: TrustRule): Source {
  if ("subject" in rule) return sourceOfSubject(rule.subject);
  const users = rule.users === undefined ? {} : { users: rule.users };
  const everyone = rule.users === undefined;
  if ("refs" in rule) return { project: rule.project, refs: [ANY_REF], open: everyone, ...users };
  const { branches = [], tags = [] } = rule;
  return {
    project: rule.project,
    repository: rule.repository,
    refs: [
      ...branches.map((name) => describeRef({ kind: "branch", name })),
      ...tags.map((name) => describeRef({ kind: "tag", name })),
    ],
    open: everyone && (branches.includes("*") || tags.includes("*")),
    ...users,
  };
}

// A custom pattern restricts the ref only if no branch name can forge its subject. A pattern without a ref also matches
// the V1 token of every branch's job.
function sourceOfSubject(subject: string): Source {
  const scope = describeSubject(subject);
  if (!("project" in scope)) return { project: "", refs: [`subject ${subject}`], open: true };
  const { project, user = "", rest } = scope;
  const users = UUID.test(user) ? { users: [user] } : {};
  const open = users.users === undefined;
  if (scope.kind === "project") return { project, refs: [ANY_REF], open };
  const ref = scope.kind === "ref" && !scope.forgeable ? parseRef(scope.ref) : undefined;
  if (scope.kind !== "ref" || ref === undefined || !/^[^*?]*\*?$/.test(ref.name)) {
    return { project, refs: [`subject ${rest}`], open, ...users };
  }
  return { project, repository: scope.repository, refs: [describeRef(ref)], open: open && ref.name === "*", ...users };
}
