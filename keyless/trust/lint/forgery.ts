import { matchesPattern } from "../../policy/pattern";
import { formatRef, formatSubject, parseRef, parseSubject, type SubjectParts, UUID } from "../circleci";
import { isRefName } from "../ref-name";

/** A random id for the parts of a subject that a pattern leaves open. */
const SAMPLE_ID = "f7c1e0b4-0a52-4f6e-9d3b-6c8f0e2a7b15";

/** The subject of a sample job, without the ref: literal parts are those of the pattern. */
export function sampleJob({ project, user, repository = "" }: Partial<SubjectParts>, organization: string) {
  const named = withoutWildcards(repository);
  const isRepository = /^[\w.-]+(\/[\w.~-]+){2,}$/.test(named);
  return {
    organization,
    project: sampleId(project),
    user: sampleId(user),
    repository: isRepository ? named : "github.com/acme/site",
  };
}

/** An id that begins with the literal beginning of a pattern, up to its first `*`. */
function sampleId(pattern = ""): string {
  const start = pattern.split(/[*/]/)[0] ?? "";
  const id = [...SAMPLE_ID].map((digit, index) => (start[index] ?? "?").replace("?", digit)).join("");
  return UUID.test(id) ? id : SAMPLE_ID;
}

/**
 * The name of a branch that forges a subject: its tokens match the pattern, although the pattern is for another ref. The
 * name contains the part of the pattern after a wildcard. Undefined if there is none; git accepts every name returned.
 */
export function forgingBranch(pattern: string, organization: string): string | undefined {
  const parts: Partial<SubjectParts> = parseSubject(pattern) ?? {};
  const job = sampleJob(parts, organization);
  return [...pattern.matchAll(/\*/g)]
    .map(({ index }) => `e${withoutWildcards(pattern.slice(index + 1))}`)
    .find((branch) => {
      const forged = formatRef({ kind: "branch", name: branch });
      const isIntended = parts.ref === undefined ? pattern.endsWith("*") : matchesPattern(parts.ref, forged);
      return !isIntended && isRefName(branch) && matchesPattern(pattern, formatSubject({ ...job, ref: forged }));
    });
}

/** A branch whose name differs only in case from that in a full ref. Undefined if there is none. */
export function caseVariantBranch(ref = ""): string | undefined {
  const { kind, name: branch = "" } = parseRef(ref) ?? {};
  if (kind !== "branch") return undefined;
  return [branch.toUpperCase(), branch.toLowerCase()].find((other) => other !== branch);
}

function withoutWildcards(pattern: string): string {
  return pattern.replace(/[*?]/g, "x");
}
