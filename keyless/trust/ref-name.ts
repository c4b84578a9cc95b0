/**
 * Whether git accepts a name for a branch or tag: the rules of `git check-ref-format refs/heads/<name>`. Unlike
 * `git branch`, it accepts a leading `-`.
 *
 * @see https://git-scm.com/docs/git-check-ref-format
 */
export function isRefName(name: string): boolean {
  return (
    !/[\0-\x20\x7f~^:?*[\\]|\.\.|@\{|\.$/.test(name) &&
    name.split("/").every((part) => part !== "" && !part.startsWith(".") && !part.endsWith(".lock"))
  );
}

/** Whether git accepts a name that matches the pattern. The only wildcard is a `*` at the end, where no name can forge it. */
export function isRefNamePattern(pattern: string): boolean {
  return isRefName(pattern.replace(/\*$/, "x"));
}

/** The longest branch or tag name that the configuration accepts: GitHub's limit of 255 bytes less `refs/heads/`. */
const MAX_LENGTH = 244;

/**
 * Whether the configuration accepts a name that git accepts. It refuses names that begin with `refs/`, which are most
 * likely a full ref by mistake, names with `${`, `&{` or `%{`, which IAM or Terraform would replace as variables, and
 * names of more than 244 characters.
 */
export function isConfigurableRefName(name: string): boolean {
  return name.length <= MAX_LENGTH && !name.startsWith("refs/") && !/[$&%]\{/.test(name);
}
