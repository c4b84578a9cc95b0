import { matchesPattern } from "../../policy/pattern";
import {
  auditLogSubject,
  describeSubject,
  formatSubject,
  isPinnedSubject,
  parseRef,
  REF_FORMS,
  type SubjectParts,
  subjectPrefix,
  UUID,
} from "../circleci";
import { unknownKeyFor } from "../decide";
import {
  ASSUME,
  type ClaimCondition,
  conditionsOn,
  isLike,
  isNegated,
  isOptional,
  type TrustedSubject,
  type TrustStatement,
  trustedSubjects,
} from "../statement";
import { conditionPath, type FindingName, type LintFinding, lintFinding } from "./findings";
import { NO_PROJECT, safeSubject, withAudience, withConditions, withSubject, withValue } from "./fix";
import { caseVariantBranch, forgingBranch } from "./forgery";

/** The findings in one statement that applies to the tokens of a CircleCI issuer, without regard to the others. */
export function lintStatement(trust: TrustStatement): LintFinding[] {
  if (trust.normalized.Effect !== "Allow") return unknownKeys(trust);
  const findings = [
    missingAudience(trust),
    missingSubject(trust),
    ...weakOperators(trust),
    ...looseAudience(trust),
    ...unknownKeys(trust),
    wildcardAction(trust),
    ...trustedSubjects(trust).flatMap((subject) => [subjectFinding(trust, subject), forgeableSubject(trust, subject)]),
    refWithoutEffect(trust),
  ];
  return findings.filter((finding) => finding !== undefined);
}

const NO_ATTACK = "none: no token matches";
const CONFUSED_DEPUTY = "a third party that receives the organization's tokens can replay them (confused deputy)";

// A condition on a misspelled key was meant for the claim; the key is a finding of its own.
function lacksCondition(trust: TrustStatement, claim: "aud" | "sub"): boolean {
  const isMisspelled = ({ claim: known, key }: ClaimCondition) => known === undefined && key.endsWith(`:${claim}`);
  return conditionsOn(trust, claim).length === 0 && !trust.conditions.some(isMisspelled);
}

function missingAudience(trust: TrustStatement): LintFinding | undefined {
  if (!lacksCondition(trust, "aud")) return undefined;
  const problem = `no condition on ${trust.issuer}:aud`;
  return lintFinding("no-audience", trust, "", { problem, attack: CONFUSED_DEPUTY, fixed: withAudience(trust) });
}

function missingSubject(trust: TrustStatement): LintFinding | undefined {
  if (!lacksCondition(trust, "sub")) return undefined;
  const problem = `no condition on ${trust.issuer}:sub`;
  const attack = "anyone who can run a job in any project of the organization can assume the role";
  return lintFinding("no-subject", trust, "", { problem, attack, fixed: withSubject(trust) });
}

/** Operators that are true for tokens without the claim, or for every value except some. */
function weakOperators(trust: TrustStatement): LintFinding[] {
  return [...conditionsOn(trust, "aud"), ...conditionsOn(trust, "sub")].flatMap((condition) => {
    const { operator, key, values, claim } = condition;
    if (isNegated(condition)) {
      return lintFinding("negated-condition", trust, conditionPath(condition), {
        problem: `${operator} lists excluded values; every other value is trusted`,
        attack: `every token whose ${claim} is not ${values.join(" or ")} can assume the role, for example of another project`,
        fixed: claim === "aud" ? withAudience(trust) : withSubject(trust),
      });
    }
    if (!isOptional(condition)) return [];
    return lintFinding("optional-condition", trust, conditionPath(condition), {
      problem: `${operator} is true for a token without the claim`,
      attack: `a token of the issuer without ${claim} can assume the role, whatever its other claims`,
      fixed: withConditions(trust, [condition], [operator.replace(/^ForAllValues:|IfExists$/g, ""), key, values]),
    });
  });
}

function looseAudience(trust: TrustStatement): LintFinding[] {
  return conditionsOn(trust, "aud")
    .filter((condition) =>
      condition.values.some((value) => value.includes("${") || (isLike(condition) && /[*?]/.test(value))),
    )
    .map((condition) =>
      lintFinding("loose-audience", trust, conditionPath(condition), {
        problem: `the audience is a pattern or a policy variable: ${condition.values.join(", ")}`,
        attack: CONFUSED_DEPUTY,
        fixed: withAudience(trust),
      }),
    );
}

/** Condition keys that AWS does not have for the issuer: the condition is then always true or never true. */
function unknownKeys(trust: TrustStatement): LintFinding[] {
  const unknownKey = unknownKeyFor(trust.issuer);
  const allows = trust.normalized.Effect === "Allow";
  return trust.conditions.flatMap((condition) => {
    const problem = unknownKey(condition.key);
    if (problem === undefined) return [];
    const isAlwaysTrue =
      isNegated(condition) ||
      isOptional(condition) ||
      (condition.operator === "Null" && condition.values.includes("true"));
    const restrictsNothing = isAlwaysTrue === allows;
    const effect = isAlwaysTrue ? "the condition is always true" : "the condition is never true";
    return lintFinding("unknown-condition-key", trust, conditionPath(condition), {
      severity: restrictsNothing ? "error" : "warning",
      problem,
      attack: restrictsNothing
        ? `${effect}: ${allows ? "it" : "the Deny"} restricts nothing`
        : `none: ${effect}, so that ${allows ? "no token matches" : "the Deny applies to every token"}`,
      fixed: withKnownKey(trust, condition),
    });
  });
}

/** The statement without the condition, or with the correct key if it was misspelled. */
function withKnownKey(trust: TrustStatement, condition: ClaimCondition) {
  const claim = condition.claim === undefined ? /:(aud|sub)$/.exec(condition.key)?.[1] : undefined;
  if (claim === undefined) return withConditions(trust, [condition]);
  return withConditions(trust, [condition], [condition.operator, `${trust.issuer}:${claim}`, condition.values]);
}

function wildcardAction(trust: TrustStatement): LintFinding | undefined {
  const { Action, NotAction } = trust.normalized;
  const hasWildcard = Action?.some((action) => action.includes("*"));
  if (!hasWildcard && NotAction === undefined) return undefined;
  const { NotAction: _, ...rest } = trust.statement;
  return lintFinding("wildcard-action", trust, hasWildcard ? ".Action" : ".NotAction", {
    problem: `allows more than ${ASSUME}`,
    attack: "a trusted job can also set session tags and the source identity, on which other policies may rely",
    fixed: { ...rest, Action: ASSUME },
  });
}

/** The most severe fault of a subject value: it matches no token, every token, V1 tokens, or more than one project. */
function subjectFinding(trust: TrustStatement, { condition, value, parts }: TrustedSubject): LintFinding | undefined {
  const { organization } = trust;
  const found = (name: FindingName, problem: string, attack: string, by = safeSubject(trust, parts)) =>
    lintFinding(name, trust, conditionPath(condition), {
      problem: `${value} ${problem}`,
      attack,
      fixed: withValue(trust, condition, value, by),
    });
  if (value.includes("${")) {
    const attack = "a variable for the token's own subject matches every token of the organization";
    return found(
      "unpinned-subject",
      "has a policy variable, which AWS replaces by a value from the token itself",
      attack,
    );
  }
  const like = isLike(condition);
  if (!like && /[*?]/.test(value)) {
    const problem = `has a wildcard, but ${condition.operator} compares it as an ordinary character`;
    return found("literal-wildcard", problem, NO_ATTACK, value);
  }
  const fault = subjectFault(value, parts, organization);
  if (fault !== undefined) return found("unmatched-subject", `is the subject of no token: ${fault}`, NO_ATTACK);
  if (like && !isPinnedSubject(value)) {
    if (!matchesPattern(value, formatSubject({ organization, project: NO_PROJECT, user: NO_PROJECT }))) {
      const attack = "anyone with push access to another project that the pattern matches can assume the role";
      return found("unpinned-subject", `does not begin with the literal ${subjectPrefix()}`, attack);
    }
    const auditLogs = matchesPattern(value, auditLogSubject(organization)) ? ", and its audit log streaming" : "";
    const attack =
      "anyone with push access to any project of the organization, or who can create one, can assume the role";
    return found("whole-organization", `trusts every project of the organization${auditLogs}`, attack);
  }
  if (parts?.ref !== undefined || (like && value.endsWith("*"))) return undefined;
  const v2Start = formatSubject({ organization, ...parts, repository: "" });
  if (like && condition.values.some((other) => other !== value && matchesPattern(other, v2Start))) return undefined;
  return found(
    "v1-subject",
    "is a V1 subject, which contains no ref; V2 tokens, which the aws-cli orb uses since version 5, are refused",
    "that user's pipelines of any branch, reviewed or not, can assume the role with CIRCLE_OIDC_TOKEN",
  );
}

/** Why CircleCI issues no token with such a subject, judged by its literal parts. */
function subjectFault(value: string, parts: SubjectParts | undefined, organization: string): string | undefined {
  if (value.includes("://")) return "it contains a URL";
  if (parts === undefined) return value.startsWith("*") ? undefined : `it does not begin with ${subjectPrefix()}`;
  const literal = (part: string | undefined): part is string => part !== undefined && !/[*?]/.test(part);
  if (literal(parts.organization) && parts.organization.split("/")[0] !== organization)
    return `the issuer's organization is ${organization}`;
  for (const part of ["project", "user"] as const) {
    if (literal(parts[part]) && !UUID.test(parts[part])) return `its ${part} is not a lower-case UUID`;
  }
  if (literal(parts.repository) && parts.repository.endsWith(".git"))
    return "CircleCI writes the repository without .git";
  if (literal(parts.ref) && parseRef(parts.ref) === undefined) return `a ref is ${REF_FORMS}`;
  return undefined;
}

function forgeableSubject(trust: TrustStatement, { condition, value, parts }: TrustedSubject): LintFinding | undefined {
  const ignoresCase = condition.operator.includes("IgnoreCase");
  const branch = isLike(condition)
    ? forgingBranch(value, trust.organization)
    : ignoresCase
      ? caseVariantBranch(parts?.ref)
      : undefined;
  if (branch === undefined) return undefined;
  const why = ignoresCase
    ? `is compared without regard to case, but "${branch}" is another branch in git`
    : "has a wildcard of any length before the ref, so that a branch name can contain the rest of the pattern";
  return lintFinding("forgeable-subject", trust, conditionPath(condition), {
    problem: `${value} ${why}`,
    attack: `anyone with push access can assume the role from a branch named ${branch}`,
    branch,
    fixed: withValue(trust, condition, value, safeSubject(trust, parts)),
  });
}

/** Refs that have no effect, because another pattern trusts every ref of the project. */
function refWithoutEffect(trust: TrustStatement): LintFinding | undefined {
  const subjects = trustedSubjects(trust).filter(({ condition }) => isLike(condition));
  const open = subjects.find(({ value }) => describeSubject(value).kind === "project");
  if (open === undefined) return undefined;
  const named = subjects.find(({ parts, value }) => parts?.ref !== undefined && matchesPattern(open.value, value));
  if (named === undefined) return undefined;
  return lintFinding("ref-without-effect", trust, conditionPath(named.condition), {
    problem: `${named.value} names a ref, but ${open.value} trusts every ref of the project`,
    attack: "anyone with push access can assume the role from any branch, although refs are listed",
    fixed: withValue(trust, open.condition, open.value, safeSubject(trust, named.parts)),
  });
}
