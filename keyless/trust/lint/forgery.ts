import { matchesPattern } from "../../policy/pattern";
import { formatSubject, isAnyRef, parseRef, parseSubject, type SubjectParts, UUID } from "../circleci";

/** An id that no policy contains: of the attacker's project, user and organization. */
export const OTHER_ID = "f7c1e0b4-0a52-4f6e-9d3b-6c8f0e2a7b15";
/** The repository of a fork, whose pipelines run in the same project. */
export const FORK = "github.com/f7c1e0b4/fork";

/** An id that matches the beginning of a pattern up to its first `*`. */
export function sampleId(pattern = ""): string {
  const start = pattern.split(/[*/]/)[0] ?? "";
  const id = [...OTHER_ID].map((digit, index) => (start[index] ?? "?").replace("?", digit)).join("");
  return UUID.test(id) ? id : OTHER_ID;
}

/** A repository that matches a pattern. */
export function sampleRepository(pattern = ""): string {
  const named = pattern.replace(/[*?]/g, "x");
  return /^[\w.-]+(\/[\w.~-]+){2,}$/.test(named) ? named : "github.com/acme/site";
}

/**
 * Texts that complete a beginning so that a pattern matches it: for each part of the pattern that can follow the
 * beginning, the part with its wildcards replaced.
 */
export function completions(pattern: string, beginning: string): string[] {
  let positions = skipRuns(pattern, [0]);
  for (const character of beginning) {
    const next = positions.flatMap((at) => {
      if (pattern[at] === "*") return [at];
      return pattern[at] === "?" || pattern[at] === character ? [at + 1] : [];
    });
    positions = skipRuns(pattern, next);
    if (positions.length === 0) return [];
  }
  return positions.map((at) => pattern.slice(at).replace(/^\*/, "e").replace(/\*/g, "x").replace(/\?/g, "1"));
}

/** The positions reachable without a character: `*` also matches nothing. */
function skipRuns(pattern: string, positions: readonly number[]): number[] {
  const all = new Set(positions);
  for (const at of all) if (pattern[at] === "*") all.add(at + 1);
  return [...all].sort((a, b) => a - b);
}

/**
 * How a job's subject matches a pattern:
 * - `intended`: each part of the subject matches the same part of the pattern;
 * - `loose`: so, but the ref may begin with anything: `refs/heads/*\/hotfix`;
 * - `forged`: only because a wildcard matches across parts, or any beginning of a branch name: `refs/heads/*main`.
 */
export type Reading = "intended" | "loose" | "forged";

/** A `*` at the end is intended to match everything that follows. */
const hasNoInnerRun = (pattern: string) => /^[^*]*\*?$/.test(pattern);

/** See {@link Reading}. The pattern matches the subject. */
export function readingOf(pattern: string, job: SubjectParts): Reading {
  const collapsed = pattern.replace(/\*+/g, "*");
  if (/^[^*?]*\*?$/.test(collapsed)) return matchesPattern(collapsed, formatSubject(job)) ? "intended" : "forged";
  // It limits no refs; which projects it matches is judged by other tokens.
  if (collapsed.endsWith("*") && !collapsed.includes("/vcs-")) return "intended";
  // In `…/vcs-origin/github.com/acme/site/*`, the last part ends before the wildcard.
  const ending = parseSubject(collapsed);
  const isOpen = collapsed.endsWith("/*") && ![ending?.user, ending?.repository].includes("*") && !ending?.ref;
  const parts = isOpen ? parseSubject(collapsed.slice(0, -2)) : ending;
  if (parts === undefined) return "forged";
  for (const part of ["organization", "project", "user", "repository"] as const) {
    const [wanted, actual] = [parts[part], job[part]];
    if (wanted === undefined) return collapsed.endsWith("*") || actual === undefined ? "intended" : "forged";
    if (actual === undefined || !matchesPattern(wanted, actual)) return "forged";
  }
  if (parts.ref === undefined) return collapsed.endsWith("*") || job.ref === undefined ? "intended" : "forged";
  return job.ref !== undefined && matchesPattern(parts.ref, job.ref) ? refReading(parts.ref) : "forged";
}

/** How a pattern for refs matches a ref. */
export function refReading(pattern: string): Reading {
  if (hasNoInnerRun(pattern) || isAnyRef(pattern)) return "intended";
  const { kind, name = "*" } = parseRef(pattern) ?? {};
  if (!name.startsWith("*")) return "intended";
  return kind === "tag" || (kind === "branch" && name.startsWith("*/")) ? "loose" : "forged";
}
