import type { Config, Environment, Role } from "../config/resolved";
import type { Ref } from "../trust/circleci";
import type { Claims } from "../trust/token";
import { isTrusted, tokensOf } from "./jobs";
import { accessMatrix, type EnvironmentAccess, type RoleAccess, type Source } from "./matrix";

/** The roles that trust a token, each with the sources that match it. */
export function accessOfToken(config: Config, claims: Claims): EnvironmentAccess[] {
  return filterAccess(config, (environment, role, index) =>
    isTrusted(environment, role.trust.slice(index, index + 1), claims),
  );
}

/** The roles that trust a token of a project, each with its sources of that project. */
export function accessOfProject(config: Config, project: string): EnvironmentAccess[] {
  return filterAccess(config, (_environment, _role, _index, source) => source.project === project);
}

/**
 * The roles that trust a token of a repository, each with its sources of that repository.
 *
 * @param ref only the roles that trust a job of this ref. Default: of any ref.
 */
export function accessOfRepository(config: Config, repository: string, ref?: Ref): EnvironmentAccess[] {
  return filterAccess(config, (environment, role, index, source) => {
    if (source.repository !== repository) return false;
    if (ref === undefined) return true;
    const { project, users = [undefined] } = source;
    const jobs = users.flatMap((user) => tokensOf(environment, { project, user, repository, ref }));
    return jobs.some((claims) => isTrusted(environment, role.trust.slice(index, index + 1), claims));
  });
}

/** The ids of projects that config.ts trusts without a repository: the project may have any. */
export function projectsWithoutRepository(config: Config): string[] {
  const sources = accessMatrix(config).flatMap(({ roles }) => roles.flatMap((role) => role.sources));
  return [...new Set(sources.filter(({ repository }) => repository === undefined).map(({ project }) => project))];
}

/** Whether the trust rule at `index` of a role, with its source, is part of the answer. */
type RuleFilter = (environment: Environment, role: Role, index: number, source: Source) => boolean;

/** The access of the trust rules that a filter accepts, without the roles and environments that have none of them. */
function filterAccess(config: Config, filter: RuleFilter): EnvironmentAccess[] {
  const access = accessMatrix(config);
  return config.environments.flatMap((environment, at) => {
    const all = access[at];
    if (all === undefined) return [];
    const roles = environment.roles.flatMap((role, position): RoleAccess[] => {
      const found = all.roles[position];
      const sources = found?.sources.filter((source, index) => filter(environment, role, index, source)) ?? [];
      return found === undefined || sources.length === 0 ? [] : [{ ...found, sources }];
    });
    return roles.length === 0 ? [] : [{ ...all, roles }];
  });
}
