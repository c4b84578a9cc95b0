import type { Statement } from "../../policy/document";

/**
 * `error`: an unintended identity can assume the role. `warning`: the policy does not do what it seems to, or it trusts
 * an identity outside CircleCI.
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
  "administrator-policy": "warning",
  "any-ref-of-project": "warning",
  "unknown-condition-key": "warning",
  "wildcard-action": "warning",
  "other-principal": "warning",
  "literal-wildcard": "warning",
  "unmatched-subject": "warning",
  "unmatched-project": "warning",
  "v1-subject": "warning",
  "ref-without-effect": "warning",
  "no-circleci-trust": "warning",
} as const satisfies { readonly [name: string]: Severity };

/** A finding's name, by which the configuration accepts it. */
export type FindingName = keyof typeof SEVERITIES;

/** The names of all findings. */
export const FINDING_NAMES = Object.keys(SEVERITIES) as FindingName[];

/** A fault of a trust policy. */
export interface LintFinding {
  readonly name: FindingName;
  readonly severity: Severity;
  /** The statement, from 0. Absent if the finding is about the policy. */
  readonly statement?: number;
  /** The path in the policy, e.g. `Statement[0].Condition.StringLike["…:sub"]`; empty for the policy itself. */
  readonly where: string;
  readonly problem: string;
  /** How an attacker can use it. */
  readonly attack: string;
  /** A branch name, valid in git, whose tokens match the subject pattern against its intention. */
  readonly branch?: string;
  /**
   * The statement without this finding. An id or name that the policy does not contain is a placeholder that matches no
   * token: the project `00000000-0000-0000-0000-000000000000`, the repository `github.com/OWNER/REPOSITORY`, the account
   * `000000000000`.
   */
  readonly fixed?: Statement;
}

/**
 * A finding with its usual severity, unless another is given.
 *
 * @param index the statement; undefined for a finding about the policy
 * @param path the path in the statement, or in the policy
 */
export function lintFinding(
  name: FindingName,
  { index: statement }: { readonly index?: number },
  path: string,
  details: Omit<LintFinding, "name" | "severity" | "statement" | "where"> & { severity?: Severity },
): LintFinding {
  const position = statement === undefined ? { where: path } : { statement, where: `Statement[${statement}]${path}` };
  return { name, severity: SEVERITIES[name], ...position, ...details };
}

/** The path of a condition in its statement. */
export function conditionPath({ operator, key }: { readonly operator: string; readonly key: string }): string {
  return `.Condition.${operator}["${key}"]`;
}
