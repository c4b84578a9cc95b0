import { groupBy } from "../group-by";
import type { EnvironmentAccess, RoleAccess, Source } from "./matrix";

/** What leads where in one environment; equal things are there once. Both lists are in the order that crosses least. */
export interface Graph {
  readonly projects: readonly Project[];
  readonly grants: readonly Grant[];
}

/** A project with the refs that lead to roles. */
export interface Project {
  readonly project: string;
  readonly repository?: string;
  readonly sources: readonly Source[];
}

/** Roles that the same jobs can assume to do the same. */
export interface Grant {
  /** Those of the graph's projects, the very objects. */
  readonly sources: readonly Source[];
  /** At least one; alike but for their names. */
  readonly roles: readonly RoleAccess[];
  /** One of the roles, for what they have in common. */
  readonly like: RoleAccess;
}

/** `caution`: trusts any ref. `danger`: trusts any ref and may write, or is an administrator. */
export type Tone = "plain" | "caution" | "danger";

/** The graph of one environment. */
export function graphOf({ roles }: EnvironmentAccess): Graph {
  const sources = new Map<string, Source>();
  for (const source of roles.flatMap((role) => role.sources)) {
    if (!sources.has(keyOf(source))) sources.set(keyOf(source), source);
  }
  const projects = [
    ...groupBy(sources.values(), ({ project, repository }) => JSON.stringify([project, repository])).values(),
  ].map(([first, ...others]) => ({ ...first, sources: [first, ...others] }));
  const order = new Map(projects.flatMap((project) => project.sources).map((source, index) => [source, index]));
  const grants = [...groupBy(roles, likeness).values()].map((alike) => {
    const [like] = alike;
    const own = new Set(like.sources.flatMap((source) => sources.get(keyOf(source)) ?? []));
    return { roles: alike, like, sources: [...own] };
  });
  const middle = (grant: Grant) =>
    grant.sources.reduce((sum, source) => sum + (order.get(source) ?? 0), 0) / grant.sources.length;
  return { projects, grants: grants.sort((one, other) => middle(one) - middle(other)) };
}

/** What a job from this source makes of the role. */
export function toneOf({ open }: Source, { level }: RoleAccess): Tone {
  if (level === "administrator" || (open && level === "write")) return "danger";
  return open ? "caution" : "plain";
}

/** The most alarming of some tones. */
export function worst(tones: readonly Tone[]): Tone {
  return (["danger", "caution"] as const).find((tone) => tones.includes(tone)) ?? "plain";
}

function keyOf({ project, repository, refs, users }: Source): string {
  return JSON.stringify([project, repository, refs, users]);
}

function likeness({ sources, capabilities, boundary }: RoleAccess): string {
  return JSON.stringify([sources.map(keyOf).sort(), capabilities, boundary]);
}
