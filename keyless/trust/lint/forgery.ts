import { matchesPattern } from "../../policy/pattern";
import { formatRef, formatSubject, parseSubject, type SubjectParts, UUID } from "../circleci";
import { isRefName } from "../ref-name";

/** An id that nobody has, to fill in what a pattern leaves open. */
const SOMEBODY = "f7c1e0b4-0a52-4f6e-9d3b-6c8f0e2a7b15";

/** The parts of some job's subject, all but the ref, as far as a pattern's parts say how they are. */
export function jobLike({ project, user, repository = "" }: Partial<SubjectParts>, organization: string) {
  const named = withoutWildcards(repository);
  const isRepository = /^[\w.-]+(\/[\w.~-]+){2,}$/.test(named);
  return {
    organization,
    project: idLike(project),
    user: idLike(user),
    repository: isRepository ? named : "github.com/acme/site",
  };
}

/** An id that begins as a pattern does, up to its first `*`. */
function idLike(pattern = ""): string {
  const start = pattern.split(/[*/]/)[0] ?? "";
  const id = [...SOMEBODY].map((digit, index) => (start[index] ?? "?").replace("?", digit)).join("");
  return UUID.test(id) ? id : SOMEBODY;
}

/**
 * The name of a branch from which a token gets in that a pattern for subjects does not mean, if there is one: the part
 * of the pattern that follows a wildcard, written into the branch's name, where the wildcard reaches over to it.
 *
 * Everything but the branch is as the pattern wants it: organization, project, and as far as it says, user and
 * repository. Only a name that git takes is returned, and only one whose token the pattern matches.
 */
export function branchThatGetsIn(pattern: string, organization: string): string | undefined {
  const parts: Partial<SubjectParts> = parseSubject(pattern) ?? {};
  const job = jobLike(parts, organization);
  return [...pattern.matchAll(/\*/g)]
    .map(({ index }) => `e${withoutWildcards(pattern.slice(index + 1))}`)
    .find((branch) => {
      const forged = formatRef({ kind: "branch", name: branch });
      const meant = parts.ref === undefined ? pattern.endsWith("*") : matchesPattern(parts.ref, forged);
      return !meant && isRefName(branch) && matchesPattern(pattern, formatSubject({ ...job, ref: forged }));
    });
}

function withoutWildcards(pattern: string): string {
  return pattern.replace(/[*?]/g, "x");
}
