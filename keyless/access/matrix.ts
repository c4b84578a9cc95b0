import type { Config, Environment, Role } from "../config/resolved";
import { parseSubject, type TrustRule, UUID } from "../trust/circleci";
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
  /** What to look at twice, in words: administration, or writing for whoever can push. */
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
  /** Whether whoever can push to the project gets in: neither refs nor users keep anybody out. */
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
      ...(level !== undefined && sources.some(({ open }) => open) ? ["whoever can push may write"] : []),
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
    refs: [...branches.map((name) => refInWords("branch", name)), ...tags.map((name) => refInWords("tag", name))],
    open: everyone && (branches.includes("*") || tags.includes("*")),
    ...users,
  };
}

// A pattern of one's own is believed to name a ref only in the form that no branch name can forge. A wildcard before
// the ref lets in a branch named for it, and a subject without a ref is in the V1 token of every branch's job.
function sourceOfSubject(subject: string): Source {
  const [, project = "", rest = ""] = /^org\/[^/]+\/project\/([^/]+)\/(.*)$/s.exec(subject) ?? [];
  const { user = "", repository = "", ref = "" } = parseSubject(subject) ?? {};
  const users = UUID.test(user) ? { users: [user] } : {};
  const open = users.users === undefined;
  if (rest === "*" || rest === "user/*") return { project, refs: [ANY_REF], open };
  const [, kind, name] = /^refs\/(heads|tags)\/([^*?]*\*?)$/.exec(ref) ?? [];
  if (name === undefined || !FIXED_LENGTH_USER.test(user) || /[*?]/.test(repository)) {
    return { project, refs: [`subject ${rest}`], open, ...users };
  }
  const refs = [refInWords(kind === "tags" ? "tag" : "branch", name)];
  return { project, repository, refs, open: open && name === "*", ...users };
}

const FIXED_LENGTH_USER = /^[0-9a-f?]{8}(-[0-9a-f?]{4}){3}-[0-9a-f?]{12}$/;

function refInWords(kind: "branch" | "tag", name: string): string {
  return name === "*" ? `any ${kind}` : `${kind} ${name}`;
}
