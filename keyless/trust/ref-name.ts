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

/** Whether a pattern matches names that git accepts. The only wildcard is a `*` at the end, which no name can forge. */
export function isRefNamePattern(pattern: string): boolean {
  return isRefName(pattern.replace(/\*$/, "x"));
}

/** The longest branch or tag name that the configuration accepts: GitHub's limit of 255 bytes less `refs/heads/`. */
const MAX_REF_LENGTH = 244;

/**
 * Why the configuration refuses a name, or a pattern for names, that git accepts. Undefined if it accepts the name.
 * - `full-ref`: it begins with `refs/`, most likely a full ref by mistake;
 * - `variable`: it contains `${`, `&{` or `%{`, which IAM or Terraform would replace;
 * - `too-long`: it has more than 244 characters.
 */
export function refNameFault(name: string): "full-ref" | "variable" | "too-long" | undefined {
  if (name.startsWith("refs/")) return "full-ref";
  if (/[$&%]\{/.test(name)) return "variable";
  return name.length > MAX_REF_LENGTH ? "too-long" : undefined;
}
