import type { Config, Environment, Role } from "../config/resolved";
import type { Ref } from "../trust/circleci";
import type { Claims } from "../trust/token";
import { ANYBODY, letsIn, tokensOf } from "./jobs";
import { accessOf, type EnvironmentAccess, type RoleAccess, type Source } from "./matrix";

/** What a token reaches: the roles that let it in, each with the rules that do. */
export function reachOfToken(config: Config, claims: Claims): EnvironmentAccess[] {
  return reach(config, (environment, role, index) => letsIn(environment, role.trust.slice(index, index + 1), claims));
}

/** What the tokens of a project reach, each role with the refs that lead to it. */
export function reachOfProject(config: Config, project: string): EnvironmentAccess[] {
  return reach(config, (_environment, _role, _index, source) => source.project === project);
}

/**
 * What the tokens of a repository reach, each role with the refs that lead to it.
 *
 * @param ref only what a job of this ref reaches. Default: of any ref.
 */
export function reachOfRepository(config: Config, repository: string, ref?: Ref): EnvironmentAccess[] {
  return reach(config, (environment, role, index, source) => {
    if (source.repository !== repository) return false;
    if (ref === undefined) return true;
    const jobs = (source.users ?? [ANYBODY]).flatMap((user) =>
      tokensOf(environment, {
        project: source.project,
        user,
        source: { repository, ref },
        audience: environment.circleci.audiences[0] ?? "",
      }),
    );
    return jobs.some((claims) => letsIn(environment, role.trust.slice(index, index + 1), claims));
  });
}

/** Projects that are trusted as a whole and whose repository the configuration does not name: it may be any. */
export function projectsWithoutRepository(config: Config): string[] {
  const sources = accessOf(config).flatMap(({ roles }) => roles.flatMap((role) => role.sources));
  return [...new Set(sources.filter(({ repository }) => repository === undefined).map(({ project }) => project))];
}

type Leads = (environment: Environment, role: Role, index: number, source: Source) => boolean;

/** The access that is left of the configuration's when only the trust rules that lead there are looked at. */
function reach(config: Config, leads: Leads): EnvironmentAccess[] {
  const access = accessOf(config);
  return config.environments.flatMap((environment, at) => {
    const whole = access[at];
    if (whole === undefined) return [];
    const roles = environment.roles.flatMap((role, position): RoleAccess[] => {
      const all = whole.roles[position];
      const sources = all?.sources.filter((source, index) => leads(environment, role, index, source)) ?? [];
      return all === undefined || sources.length === 0 ? [] : [{ ...all, sources }];
    });
    return roles.length === 0 ? [] : [{ ...whole, roles }];
  });
}
