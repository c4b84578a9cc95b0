import type { Config, Environment } from "../config/resolved";
import type { Ref, TrustRule } from "../trust/circleci";
import type { Claims } from "../trust/token";
import { isTrusted, jobClaims } from "./jobs";
import { accessMatrix, type EnvironmentAccess, type RoleAccess, type Source } from "./matrix";

/** The roles that trust a token, each with the sources that match it. */
export function accessOfToken(config: Config, claims: Claims): EnvironmentAccess[] {
  return filterAccess(config, (environment, rule) => isTrusted(environment, [rule], claims));
}

/** The roles that trust a token of a project, each with its sources of that project. */
export function accessOfProject(config: Config, project: string): EnvironmentAccess[] {
  return filterAccess(config, (_environment, _rule, source) => source.project === project);
}

/**
 * The roles that trust a token of a repository, each with its sources of that repository.
 *
 * @param ref only the roles that trust a job of this ref. Default: of any ref.
 */
export function accessOfRepository(config: Config, repository: string, ref?: Ref): EnvironmentAccess[] {
  return filterAccess(config, (environment, rule, source) => {
    if (source.repository !== repository) return false;
    if (ref === undefined) return true;
    const { project, users = [undefined] } = source;
    const jobs = users.flatMap((user) => jobClaims(environment, { project, user, repository, ref }));
    return jobs.some((claims) => isTrusted(environment, [rule], claims));
  });
}

/** The ids of projects that config.ts trusts without a repository: the project may have any. */
export function projectsWithoutRepository(config: Config): string[] {
  const sources = accessMatrix(config).flatMap(({ roles }) => roles.flatMap((role) => role.sources));
  return [...new Set(sources.filter(({ repository }) => repository === undefined).map(({ project }) => project))];
}

/** Whether a trust rule of a role, with its source, is part of the answer. */
type RuleFilter = (environment: Environment, rule: TrustRule, source: Source) => boolean;

/** The access of the trust rules that a filter accepts, without the roles and environments that have none of them. */
function filterAccess(config: Config, filter: RuleFilter): EnvironmentAccess[] {
  return accessMatrix(config).flatMap((access, at) => {
    const environment = config.environments[at] as Environment;
    const roles = access.roles.flatMap((role, position): RoleAccess[] => {
      const rules = environment.roles[position]?.trust ?? [];
      const sources = role.sources.filter((source, index) => filter(environment, rules[index] as TrustRule, source));
      return sources.length === 0 ? [] : [{ ...role, sources }];
    });
    return roles.length === 0 ? [] : [{ ...access, roles }];
  });
}
