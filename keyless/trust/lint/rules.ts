import { groupBy } from "../../group-by";
import type { Statement } from "../../policy/document";
import { matchesPattern } from "../../policy/pattern";
import {
  auditLogSubject,
  conditionClaims,
  describeSubject,
  formatSubject,
  isPinnedSubject,
  PROJECT_CLAIM,
  parseRef,
  parseSubject,
  REF_FORMS,
  type SubjectParts,
  subjectPrefix,
  UUID,
} from "../circleci";
import { AUTHORIZED_BY_IDP, claimOfKey, unknownKeyFor } from "../decide";
import {
  ASSUME,
  type ClaimCondition,
  conditionsOn,
  isLike,
  isNegated,
  isOptional,
  NO_ID,
  type TrustedSubject,
  type TrustStatement,
  trustedSubjects,
} from "../statement";
import { type Exposure, type Forgery, hasVariable, matchesValue } from "./exposure";
import { conditionPath, type FindingName, type LintFinding, lintFinding } from "./findings";
import { safeSubject, withAudience, withConditions, withOperator, withSubject, withValue } from "./fix";
import { FORK, OTHER_ID } from "./forgery";

/**
 * The findings in one statement that applies to the tokens of a CircleCI issuer. Of a Deny, only its condition keys.
 *
 * @param trusts all statements of the policy that apply to CircleCI issuers
 */
export function lintStatement(
  trust: TrustStatement,
  exposure: Exposure | undefined,
  trusts: readonly TrustStatement[],
): LintFinding[] {
  if (exposure === undefined) return unknownKeys(trust);
  const findings = [
    ...looseAudience(trust, exposure),
    ...optionalClaims(trust, exposure),
    ...unknownKeys(trust),
    wildcardAction(trust),
    ...otherProjects(trust, exposure),
    ...trustedSubjects(trust).map((subject) => subjectFinding(trust, subject)),
    ...unmatchedProjects(trust),
    ...forgeableSubjects(exposure),
    anyRefOfProject(trust, exposure),
    exposure.anyRef ? refWithoutEffect(trust, trusts) : undefined,
  ];
  return findings.filter((finding) => finding !== undefined);
}

const NO_ATTACK = "none: no token matches";
const CONFUSED_DEPUTY = "a third party that receives the organization's tokens can replay them (confused deputy)";
const ANY_CUSTOMER =
  "anyone with a CircleCI account can assume the role: the issuer signs the tokens of every organization, for any audience";

/** Why tokens for any audience are trusted. */
function looseAudience(trust: TrustStatement, { anyAudience, without }: Exposure): LintFinding[] {
  const conditions = conditionsOn(trust, "aud");
  if (!anyAudience && (!without.aud || conditions.some(isOptional))) return [];
  const fixed = withAudience(trust);
  const loose = conditions.filter(
    (condition) =>
      !isNegated(condition) &&
      condition.values.some((value) => hasVariable(value) || (isLike(condition) && /[*?]/.test(value))),
  );
  if (loose.length > 0)
    return loose.map((condition) =>
      lintFinding("loose-audience", trust, conditionPath(condition), {
        problem: `the audience is a pattern or a policy variable: ${condition.values.join(", ")}`,
        attack: CONFUSED_DEPUTY,
        fixed,
      }),
    );
  const negated = conditions.filter(isNegated);
  if (negated.length > 0) return negated.map((condition) => negatedCondition(trust, condition, fixed));
  const problem = `no condition on ${trust.issuer}:aud`;
  return [lintFinding("no-audience", trust, "", { problem, attack: CONFUSED_DEPUTY, fixed })];
}

function negatedCondition(trust: TrustStatement, condition: ClaimCondition, fixed: Statement): LintFinding {
  const { operator, values, claim } = condition;
  return lintFinding("negated-condition", trust, conditionPath(condition), {
    problem: `${operator} lists excluded values; every other value is trusted`,
    attack: `every token whose ${claim} is not ${values.join(" or ")} can assume the role, for example of another project`,
    fixed,
  });
}

/** Operators that are true for tokens without the claim, if no other condition requires it. */
function optionalClaims(trust: TrustStatement, { without }: Exposure): LintFinding[] {
  const optional = (["aud", "sub"] as const).flatMap((claim) => (without[claim] ? conditionsOn(trust, claim) : []));
  return optional.flatMap((condition) => optionalCondition(trust, condition) ?? []);
}

function optionalCondition(trust: TrustStatement, condition: ClaimCondition): LintFinding | undefined {
  if (!isOptional(condition) || isNegated(condition)) return undefined;
  const { operator, key, values, claim } = condition;
  const required = operator.replace(/^ForAllValues:|IfExists$/g, "");
  return lintFinding("optional-condition", trust, conditionPath(condition), {
    problem: `${operator} is true for a token without the claim`,
    attack: `a token of the issuer without ${claim} can assume the role, whatever its other claims`,
    fixed: withOperator(trust, [condition], [required, key, values]),
  });
}

/** Why the jobs of projects are trusted that the policy does not name. */
function otherProjects(trust: TrustStatement, { otherProjects: subjects }: Exposure): LintFinding[] {
  if (subjects.length === 0) return [];
  const conditions = conditionsOn(trust, "sub");
  const negated = conditions.filter(isNegated);
  const found = trustedSubjects(trust).flatMap((subject) => unpinnedSubject(trust, subject, subjects) ?? []);
  if (found.length > 0) return found;
  if (negated.length > 0) return negated.map((condition) => negatedCondition(trust, condition, withSubject(trust)));
  const pins = conditionsOn(trust, PROJECT_CLAIM);
  const optional = pins.flatMap((pin) => optionalCondition(trust, pin) ?? []);
  if (optional.length > 0 && subjects.every((subject) => subject === auditLogSubject(trust.organization)))
    return optional;
  const isPresent = conditions.length > 0 || pins.length > 0;
  return [
    lintFinding("no-subject", trust, "", {
      problem: isPresent ? "no condition pins the project" : `no condition on ${trust.issuer}:sub`,
      attack: trust.isRoot
        ? ANY_CUSTOMER
        : "anyone who can run a job in any project of the organization can assume the role",
      fixed: withSubject(trust),
    }),
  ];
}

/** The project is pinned by its condition key alone, so that every ref is trusted. */
function anyRefOfProject(trust: TrustStatement, exposure: Exposure): LintFinding | undefined {
  const { projectPin, anyRef, otherProjects: others } = exposure;
  if (projectPin === undefined || !anyRef || others.length > 0) return undefined;
  return lintFinding("any-ref-of-project", projectPin.trust, conditionPath(projectPin.condition), {
    problem: "the condition pins the project, but no condition on the subject limits the branches and tags",
    attack: "anyone with push access to the project can assume the role from any branch, reviewed or not",
    ...(projectPin.trust === trust && { fixed: withSubject(trust) }),
  });
}

const isAuthorizedByIdp = (key: string) => key.toLowerCase() === AUTHORIZED_BY_IDP.toLowerCase();
const NO_ROLES_CLAIM = `${AUTHORIZED_BY_IDP} is true only for a token with the claim https://aws.amazon.com/roles, which CircleCI does not issue`;

/** Condition keys that AWS does not have for the issuer: the condition is then always true or never true. */
function unknownKeys(trust: TrustStatement): LintFinding[] {
  const unknownKey = (key: string) => (isAuthorizedByIdp(key) ? NO_ROLES_CLAIM : unknownKeyFor(trust.issuer)(key));
  const allows = trust.normalized.Effect === "Allow";
  return trust.conditions.flatMap((condition) => {
    const problem = unknownKey(condition.key);
    if (problem === undefined) return [];
    const isFalse = isAuthorizedByIdp(condition.key);
    if (isFalse && !(condition.operator.startsWith("Bool") && condition.values.every((each) => /^true$/i.test(each))))
      return [];
    const isAlwaysTrue =
      !isFalse &&
      (isNegated(condition) ||
        isOptional(condition) ||
        (condition.operator === "Null" && condition.values.includes("true")));
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
  const claim = claimOfKey(condition.key);
  if (claim === undefined || !conditionClaims(trust.issuer).includes(claim)) return withConditions(trust, [condition]);
  return withOperator(trust, [condition], [condition.operator, `${trust.issuer}:${claim}`, condition.values]);
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

/** A subject value that other projects match, with the subjects of such jobs. */
function unpinnedSubject(
  trust: TrustStatement,
  { condition, value, parts }: TrustedSubject,
  subjects: readonly string[],
): LintFinding | undefined {
  const { organization } = trust;
  const found = (name: FindingName, problem: string, attack: string) =>
    lintFinding(name, trust, conditionPath(condition), {
      problem: `${value} ${problem}`,
      attack,
      fixed: withValue(trust, condition, value, safeSubject(trust, parts)),
    });
  if (hasVariable(value)) {
    const attack = "a variable for the token's own subject matches every token of the organization";
    return found(
      "unpinned-subject",
      "has a policy variable, which AWS replaces by a value from the token itself",
      attack,
    );
  }
  if (!isLike(condition) || isPinnedSubject(value) || !subjects.some((sub) => matchesPattern(value, sub)))
    return undefined;
  if (!matchesPattern(value, formatSubject({ organization, project: NO_ID, user: NO_ID }))) {
    const attack = "anyone with push access to another project that the pattern matches can assume the role";
    return found("unpinned-subject", `does not begin with the literal ${subjectPrefix()}`, attack);
  }
  const auditLogs = matchesPattern(value, auditLogSubject(organization)) ? ", and its audit log streaming" : "";
  const attack =
    trust.isRoot && matchesPattern(value, formatSubject({ organization: OTHER_ID, project: OTHER_ID, user: OTHER_ID }))
      ? ANY_CUSTOMER
      : "anyone with push access to any project of the organization, or who can create one, can assume the role";
  return found("whole-organization", `trusts every project of the organization${auditLogs}`, attack);
}

/** The most severe fault of a subject value in itself: it matches no token, or only V1 tokens. */
function subjectFinding(trust: TrustStatement, { condition, value, parts }: TrustedSubject): LintFinding | undefined {
  const { organization } = trust;
  const found = (name: FindingName, problem: string, attack: string, by = safeSubject(trust, parts)) =>
    lintFinding(name, trust, conditionPath(condition), {
      problem: `${value} ${problem}`,
      attack,
      fixed: withValue(trust, condition, value, by),
    });
  if (value.includes("${")) return undefined;
  const like = isLike(condition);
  if (!like && /[*?]/.test(value)) {
    const problem = `has a wildcard, but ${condition.operator} compares it as an ordinary character`;
    return found("literal-wildcard", problem, NO_ATTACK, value);
  }
  const fault = subjectFault(value, parts, trust.isRoot ? parts?.organization : organization);
  if (fault !== undefined) return found("unmatched-subject", `is the subject of no token: ${fault}`, NO_ATTACK);
  if (like && !isPinnedSubject(value)) return undefined;
  if (parts?.ref !== undefined || (like && value.endsWith("*"))) return undefined;
  const v2Start = formatSubject({ organization, ...parts, repository: "" });
  if (like && condition.values.some((other) => other !== value && matchesPattern(other, v2Start))) return undefined;
  return found(
    "v1-subject",
    "is a V1 subject, which contains no ref; V2 tokens, which the aws-cli orb uses since version 5, are refused",
    "that user's pipelines of any branch, reviewed or not, can assume the role with CIRCLE_OIDC_TOKEN",
  );
}

/** Values of the conditions on the project's id that no project has, and those that contradict the subjects. */
function unmatchedProjects(trust: TrustStatement): LintFinding[] {
  const pins = conditionsOn(trust, PROJECT_CLAIM);
  if (pins.length === 0 || !conditionClaims(trust.issuer).includes(PROJECT_CLAIM)) return [];
  const malformed = pins.flatMap((pin) => pin.values.flatMap((value) => malformedProject(trust, pin, value) ?? []));
  if (malformed.length > 0) return malformed;
  const isPinned = (project: string) =>
    pins.every((pin) => isNegated(pin) !== pin.values.some((value) => matchesValue(pin, value, project)));
  const subjects = trustedSubjects(trust);
  const excluded = subjects.filter(({ condition, value, parts }) => {
    const project = parts?.project?.split(/[*/]/)[0] ?? "";
    return UUID.test(project) && (!isLike(condition) || isPinnedSubject(value)) && !isPinned(project);
  });
  const [pin] = pins;
  if (excluded.length === 0 || pin === undefined) return [];
  if (excluded.length === subjects.length) {
    const problem = `the condition excludes the projects of all subjects: ${excluded.map(({ value }) => value).join(", ")}`;
    return [lintFinding("unmatched-project", trust, conditionPath(pin), { problem, attack: NO_ATTACK })];
  }
  return excluded.map(({ condition, value }) =>
    lintFinding("unmatched-subject", trust, conditionPath(condition), {
      problem: `${value} is the subject of no trusted token: the condition on ${pin.key} excludes its project`,
      attack: NO_ATTACK,
    }),
  );
}

/** A value of a condition on the project's id that is not an id. */
function malformedProject(trust: TrustStatement, pin: ClaimCondition, value: string): LintFinding | undefined {
  const { operator, key, values } = pin;
  const id = operator.includes("IgnoreCase") ? value.toLowerCase() : value;
  if (
    isNegated(pin) ||
    hasVariable(value) ||
    UUID.test(id) ||
    (isLike(pin) && /^[0-9a-f?*-]*[?*][0-9a-f?*-]*$/.test(id))
  )
    return undefined;
  const replace = (by: string) =>
    withOperator(trust, [pin], [operator, key, values.map((each) => (each === value ? by : each))]);
  if (/[*?]/.test(value) && !isLike(pin))
    return lintFinding("literal-wildcard", trust, conditionPath(pin), {
      problem: `${value} has a wildcard, but ${operator} compares it as an ordinary character`,
      attack: NO_ATTACK,
      fixed: withValue(trust, pin, value, value),
    });
  return lintFinding("unmatched-project", trust, conditionPath(pin), {
    problem: `${value || "an empty text"} is the id of no project: an id is a lower-case UUID`,
    attack: NO_ATTACK,
    fixed: replace(UUID.test(value.toLowerCase()) ? value.toLowerCase() : NO_ID),
  });
}

/** Why CircleCI issues no token with such a subject, judged by its literal parts. */
function subjectFault(value: string, parts: SubjectParts | undefined, organization = ""): string | undefined {
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

/** One finding for each subject value that can be forged, with the most severe forgery of it. */
function forgeableSubjects({ forgeries }: Exposure): LintFinding[] {
  const severityOf = ({ reading, job }: Forgery) =>
    reading === "loose" || job.parts.repository === FORK ? "warning" : "error";
  return [
    ...groupBy(forgeries, ({ trust, condition, value }) => JSON.stringify([trust.index, condition, value])).values(),
  ].flatMap((all) => {
    const worst = all.find((each) => severityOf(each) === "error") ?? all[0];
    if (worst === undefined) return [];
    const { trust, condition, value, job, reading } = worst;
    const { kind, name = "" } = parseRef(job.parts.ref ?? "") ?? {};
    const isFork = job.parts.repository === FORK;
    const ignoresCase = condition.operator.includes("IgnoreCase");
    const why = ignoresCase
      ? `is compared without regard to case, but "${name}" is another ${kind} in git`
      : reading === "loose"
        ? "has a wildcard before the end of the ref, so that any name with that end matches"
        : "has a wildcard of any length before the ref or its end, so that a branch name can contain the rest of the pattern";
    const from = isFork ? "anyone whose fork has pipelines with secrets" : "anyone with push access";
    return lintFinding("forgeable-subject", trust, conditionPath(condition), {
      severity: severityOf(worst),
      problem: `${value} ${why}`,
      attack: `${from} can assume the role from a ${kind} named ${name}`,
      ...(kind === "branch" && { branch: name }),
      fixed: withValue(trust, condition, value, safeSubject(trust, parseSubject(value))),
    });
  });
}

/** Refs that have no effect, because another pattern trusts every ref of the project. */
function refWithoutEffect(trust: TrustStatement, trusts: readonly TrustStatement[]): LintFinding | undefined {
  const likeSubjects = (each: TrustStatement) => trustedSubjects(each).filter(({ condition }) => isLike(condition));
  const open = likeSubjects(trust).find(({ value }) => describeSubject(value).kind === "project");
  if (open === undefined) return undefined;
  const named = trusts
    .filter(({ issuer, normalized: { Effect } }) => issuer === trust.issuer && Effect === "Allow")
    .flatMap(likeSubjects)
    .find(({ parts, value }) => parts?.ref !== undefined && matchesPattern(open.value, value));
  if (named === undefined) return undefined;
  return lintFinding("ref-without-effect", trust, conditionPath(open.condition), {
    problem: `${named.value} names a ref, but ${open.value} trusts every ref of the project`,
    attack: "anyone with push access can assume the role from any branch, although refs are listed",
    fixed: withValue(trust, open.condition, open.value, safeSubject(trust, named.parts)),
  });
}
