import { groupBy } from "../group-by";
import type { EnvironmentAccess, RoleAccess, Source } from "./matrix";

/** One environment as a graph: projects, sources, and groups of roles. Equal nodes are merged, and ordered to cross few edges. */
interface Graph {
  readonly projects: readonly Project[];
  readonly groups: readonly RoleGroup[];
  /** The worst tone of each open source, over the groups that it can assume. A source that is not open is `plain`. */
  readonly tones: ReadonlyMap<Source, Tone>;
}

/** A project and its sources. */
export interface Project {
  readonly project: string;
  readonly repository?: string;
  readonly sources: readonly Source[];
}

/** Roles with the same sources, policies and permissions boundary. */
export interface RoleGroup {
  /** The same objects as in the graph's projects. */
  readonly sources: readonly Source[];
  /** At least one role. The roles differ in their names only. */
  readonly roles: readonly RoleAccess[];
  /** The first of the roles, for what they have in common. */
  readonly representative: RoleAccess;
  /** The worst tone, over its sources. */
  readonly tone: Tone;
  /** The tone of its permissions. */
  readonly permissionTone: Tone;
}

/** `caution`: anyone with push access can assume the role. `danger`: and the role may write; or it is an administrator. */
export type Tone = "plain" | "caution" | "danger";

/** The graph of one environment. */
export function graphOf({ roles }: EnvironmentAccess): Graph {
  const sources = new Map<string, Source>();
  for (const source of roles.flatMap((role) => role.sources)) {
    // Tags are open for the roles that may write.
    if (!sources.get(sourceKey(source))?.open) sources.set(sourceKey(source), source);
  }
  const projects = [...groupBy(sources.values(), projectKey).values()].map(([first, ...others]) => ({
    ...first,
    sources: [first, ...others],
  }));
  const order = new Map(projects.flatMap((project) => project.sources).map((source, index) => [source, index]));
  const groups = [...groupBy(roles, roleKey).values()].map((members): RoleGroup => {
    const [representative] = members;
    const own = new Set(representative.sources.flatMap((source) => sources.get(sourceKey(source)) ?? []));
    return {
      roles: members,
      representative,
      sources: [...own],
      tone: worstTone([...own].map((source) => toneOf(source, representative))),
      permissionTone: representative.level === "administrator" ? "danger" : "plain",
    };
  });
  const position = (group: RoleGroup) =>
    group.sources.reduce((sum, source) => sum + (order.get(source) ?? 0), 0) / group.sources.length;
  const tones = [...order.keys()].map((source) => {
    const assumed = groups.filter((group) => source.open && group.sources.includes(source));
    return [source, worstTone(assumed.map(({ representative }) => toneOf(source, representative)))] as const;
  });
  return { projects, groups: groups.sort((a, b) => position(a) - position(b)), tones: new Map(tones) };
}

/** How dangerous it is that a source can assume a role. */
export function toneOf({ open }: Source, { level }: RoleAccess): Tone {
  if (level === "administrator" || (open && level === "write")) return "danger";
  return open ? "caution" : "plain";
}

function worstTone(tones: readonly Tone[]): Tone {
  return (["danger", "caution"] as const).find((tone) => tones.includes(tone)) ?? "plain";
}

/** Identifies the project of a source, with its repository. */
export function projectKey({ project, repository }: Pick<Source, "project" | "repository">): string {
  return JSON.stringify([project, repository]);
}

function sourceKey({ project, repository, refs, users, pinsProjectId }: Source): string {
  return JSON.stringify([project, repository, refs, users, pinsProjectId]);
}

function roleKey({ sources, capabilities, boundary }: RoleAccess): string {
  return JSON.stringify([sources.map(sourceKey).sort(), capabilities, boundary]);
}
