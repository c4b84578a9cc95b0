import { matchesPattern } from "../policy/pattern";
import { formatSubject, parseSubject, UUID } from "./circleci";

const SOMEBODY = "f7c1e0b4-0a52-4f6e-9d3b-6c8f0e2a7b15";

/**
 * The name of a branch from which a token gets in that a pattern for subjects does not mean, if there is one: the part
 * of the pattern that follows a wildcard, written into the branch's name, where the wildcard reaches over to it.
 *
 * Everything but the branch is as the pattern wants it: organization, project, and as far as it says, user and
 * repository. Only a name that git takes is returned, and only one whose token the pattern matches.
 */
export function branchThatGetsIn(pattern: string, organization: string): string | undefined {
  const { project: rest = "", user = "", repository = "", ref } = parseSubject(pattern) ?? {};
  const project = rest.slice(0, SOMEBODY.length);
  const job = {
    organization,
    project: UUID.test(project) ? project : SOMEBODY,
    user: UUID.test(user) ? user : SOMEBODY,
    repository: repository === "" || repository.includes("*") ? "github.com/acme/site" : withoutWildcards(repository),
  };
  return [...pattern.matchAll(/\*/g)]
    .map(({ index }) => `e${withoutWildcards(pattern.slice(index + 1))}`)
    .find((branch) => {
      const forged = `refs/heads/${branch}`;
      const meant = ref === undefined ? pattern.endsWith("*") : matchesPattern(ref, forged);
      return !meant && isBranchName(branch) && matchesPattern(pattern, formatSubject({ ...job, ref: forged }));
    });
}

function withoutWildcards(pattern: string): string {
  return pattern.replace(/[*?]/g, "x");
}

/**
 * Whether git takes the name for a branch.
 *
 * @see https://git-scm.com/docs/git-check-ref-format
 */
export function isBranchName(name: string): boolean {
  return (
    name !== "" &&
    name !== "@" &&
    !/[\p{Cc} ~^:?*[\\]|\.\.|@\{|\/\/|^[-/]|[/.]$/u.test(name) &&
    name.split("/").every((part) => !part.startsWith(".") && !part.endsWith(".lock"))
  );
}
