import type { Statement } from "../../policy/document";

/**
 * `error`: somebody gets in whom the author cannot mean. `warning`: nobody does, but it does not do what it says, or
 * somebody outside CircleCI gets in.
 */
export type Severity = "error" | "warning";

/** Every finding by name, with its usual severity. */
const SEVERITIES = {
  "malformed-policy": "error",
  "any-principal": "error",
  "no-audience": "error",
  "no-subject": "error",
  "optional-condition": "error",
  "negated-condition": "error",
  "loose-audience": "error",
  "whole-organization": "error",
  "unpinned-subject": "error",
  "forgeable-subject": "error",
  "administrator-any-ref": "error",
  "unknown-condition-key": "warning",
  "wildcard-action": "warning",
  "other-principal": "warning",
  "literal-wildcard": "warning",
  "unmatched-subject": "warning",
  "v1-subject": "warning",
  "ref-without-effect": "warning",
  "no-circleci-trust": "warning",
} as const satisfies { readonly [name: string]: Severity };

/** A finding's name, by which the configuration accepts it. */
export type FindingName = keyof typeof SEVERITIES;

/** The names of all findings. */
export const FINDING_NAMES = Object.keys(SEVERITIES) as FindingName[];

/** One thing that is wrong with a trust policy. */
export interface Finding {
  readonly name: FindingName;
  readonly severity: Severity;
  /** Where in the policy, e.g. `Statement[0].Condition.StringLike["…:sub"]`; empty for the whole of it. */
  readonly where: string;
  readonly problem: string;
  /** What an attacker does with it. */
  readonly attack: string;
  /** A branch name, valid in git, from which a token gets in that the pattern does not mean. */
  readonly branch?: string;
  /**
   * The statement with this finding mended. An id or a name that the policy does not tell is filled in with one that
   * lets nobody in: the project `00000000-0000-0000-0000-000000000000`, the repository `github.com/OWNER/REPOSITORY`,
   * the account `000000000000`.
   */
  readonly fixed?: Statement;
}

/** A finding at its place, with its usual severity unless another is given. */
export function finding(
  name: FindingName,
  where: string,
  details: Omit<Finding, "name" | "severity" | "where"> & { severity?: Severity },
): Finding {
  return { name, severity: SEVERITIES[name], where, ...details };
}
