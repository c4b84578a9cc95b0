import { asArray } from "../../policy/document";
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
import {
  ASSUME,
  type Condition,
  conditionsOn,
  isLike,
  isNegated,
  isOptional,
  type TrustedSubject,
  type TrustStatement,
  trustedSubjects,
} from "../statement";
import { unknownKeyFor } from "../token";
import { type Finding, finding } from "./findings";
import { NO_PROJECT, replaced, safeSubject, withAudience, withSubject, withValue } from "./fix";
import { branchThatGetsIn } from "./forgery";

/** What is wrong with one statement that trusts a CircleCI issuer, each thing judged by itself. */
export function lintStatement(trust: TrustStatement): Finding[] {
  if (!trust.allows) return unknownKeys(trust);
  return [
    ...missing(trust),
    ...weakOperators(trust),
    ...looseAudience(trust),
    ...unknownKeys(trust),
    ...wideAction(trust),
    ...trustedSubjects(trust).flatMap((subject) => [...subjectFindings(trust, subject), ...forgeable(trust, subject)]),
    ...refsWithoutEffect(trust),
  ];
}

function missing(trust: TrustStatement): Finding[] {
  // A condition under a misspelt key was meant for the claim: that it is never met is another finding.
  const lacks = (claim: "aud" | "sub") =>
    conditionsOn(trust, claim).length === 0 &&
    !trust.conditions.some((condition) => condition.claim === undefined && condition.key.endsWith(`:${claim}`));
  const audience = finding("no-audience", trust.place, {
    problem: `no condition on ${trust.issuer}:aud`,
    attack: "a service that is shown the organization's tokens for its own use can use them here",
    fixed: withAudience(trust),
  });
  const subject = finding("no-subject", trust.place, {
    problem: `no condition on ${trust.issuer}:sub`,
    attack: "whoever can run a job in any project of the organization assumes the role",
    fixed: withSubject(trust),
  });
  return [...(lacks("aud") ? [audience] : []), ...(lacks("sub") ? [subject] : [])];
}

/** Operators that let in whom nobody named: those without the claim, or all but some. */
function weakOperators(trust: TrustStatement): Finding[] {
  return [...conditionsOn(trust, "aud"), ...conditionsOn(trust, "sub")].flatMap((condition) => {
    const { operator, key, where, values, claim } = condition;
    if (isNegated(condition)) {
      return finding("negated-condition", where, {
        problem: `${operator} says who is kept out, not who gets in`,
        attack: `every token gets in whose ${claim} is not ${values.join(" or ")}: that of another project, say`,
        fixed: claim === "aud" ? withAudience(trust) : withSubject(trust),
      });
    }
    if (!isOptional(condition)) return [];
    const strict = operator.replace(/^ForAllValues:|IfExists$/g, "");
    return finding("optional-condition", where, {
      problem: `${operator} is met by a token without the claim`,
      attack: `whoever has the issuer sign a token that lacks ${claim} gets in, whatever else it says`,
      fixed: replaced(trust, condition, [strict, key, values.length === 1 ? (values[0] ?? "") : values]),
    });
  });
}

function looseAudience(trust: TrustStatement): Finding[] {
  return conditionsOn(trust, "aud")
    .filter((condition) =>
      condition.values.some((value) => value.includes("${") || (isLike(condition) && /[*?]/.test(value))),
    )
    .map(({ where, values }) =>
      finding("loose-audience", where, {
        problem: `the audience is a pattern or a variable: ${values.join(", ")}`,
        attack: "a service that is shown the organization's tokens for its own use can use them here",
        fixed: withAudience(trust),
      }),
    );
}

/** Keys that AWS does not have for the issuer: most such conditions keep everybody out, some keep nobody out. */
function unknownKeys(trust: TrustStatement): Finding[] {
  const unknownKey = unknownKeyFor(trust.issuer);
  return trust.conditions.flatMap((condition) => {
    const problem = unknownKey(condition.key);
    if (problem === undefined) return [];
    const isMet =
      isNegated(condition) ||
      isOptional(condition) ||
      (condition.operator === "Null" && condition.values.includes("true"));
    const holdsNobody = isMet === trust.allows;
    const what = trust.allows ? "condition" : "Deny";
    return finding("unknown-condition-key", condition.where, {
      severity: holdsNobody ? "error" : "warning",
      problem,
      attack: holdsNobody
        ? `the ${what} holds nobody off: tokens get in that it seems to keep out`
        : `none: the ${what} keeps everybody out`,
      fixed: rekeyed(trust, condition),
    });
  });
}

/** Without the condition, or under the right key if it was misspelt. */
function rekeyed(trust: TrustStatement, condition: Condition) {
  const claim = condition.claim === undefined ? /:(aud|sub)$/.exec(condition.key)?.[1] : undefined;
  return replaced(
    trust,
    condition,
    claim === undefined ? undefined : [condition.operator, `${trust.issuer}:${claim}`, condition.values],
  );
}

function wideAction({ statement, place }: TrustStatement): Finding[] {
  const wide = asArray(statement.Action).some((action) => String(action).includes("*"));
  if (!wide && statement.NotAction === undefined) return [];
  const { NotAction: _, ...rest } = statement;
  return [
    finding("wildcard-action", `${place}.${wide ? "Action" : "NotAction"}`, {
      problem: `allows more than ${ASSUME}`,
      attack: "who gets in may also tag the session and name its source, which other policies may rely on",
      fixed: { ...rest, Action: ASSUME },
    }),
  ];
}

/** What a subject's value names: nobody, everybody, any branch in secret, or more than one project. The worst alone. */
function subjectFindings(trust: TrustStatement, subject: TrustedSubject): Finding[] {
  const { condition, value, parts } = subject;
  const safe = withValue(trust, condition, value, safeSubject(trust, parts));
  const at = { where: condition.where, nobody: "none: nobody gets in by it" };
  if (value.includes("${")) {
    return [
      finding("unpinned-subject", at.where, {
        problem: `${value} has a variable, which AWS fills in from the very token that asks`,
        attack: "a variable that stands for the token's own subject is met by every token of the organization",
        fixed: safe,
      }),
    ];
  }
  const like = isLike(condition);
  if (!like && /[*?]/.test(value)) {
    return [
      finding("literal-wildcard", at.where, {
        problem: `${value} has a wildcard, which ${condition.operator} takes for an ordinary character`,
        attack: at.nobody,
        fixed: withValue(trust, condition, value, value),
      }),
    ];
  }
  const impossible = impossiblePart(value, parts, trust.organization);
  if (impossible !== undefined) {
    return [
      finding("unmatched-subject", at.where, {
        problem: `no token has the subject ${value}: ${impossible}`,
        attack: at.nobody,
        fixed: safe,
      }),
    ];
  }
  if (like && !isPinnedSubject(value)) return [unpinned(trust, subject, safe)];
  if (parts?.ref !== undefined || (like && value.endsWith("*"))) return [];
  const v2Start = formatSubject({ organization: trust.organization, ...parts, repository: "" });
  if (like && condition.values.some((other) => other !== value && matchesPattern(other, v2Start))) return [];
  return [
    finding("v1-subject", at.where, {
      problem: `${value} is a V1 subject, which names no branch; V2 tokens, which the aws-cli orb sends from version 5 on, are refused`,
      attack: "that user's pipelines of every branch get in with CIRCLE_OIDC_TOKEN, reviewed or not",
      fixed: safe,
    }),
  ];
}

function unpinned(
  { organization }: TrustStatement,
  { condition, value }: TrustedSubject,
  fixed: Finding["fixed"],
): Finding {
  if (!matchesPattern(value, formatSubject({ organization, project: NO_PROJECT, user: NO_PROJECT }))) {
    return finding("unpinned-subject", condition.where, {
      problem: `${value} does not begin with ${subjectPrefix()}, spelled out`,
      attack: "whoever can push to another project that the pattern happens to match gets in",
      fixed,
    });
  }
  const streamer = matchesPattern(value, auditLogSubject(organization));
  return finding("whole-organization", condition.where, {
    problem: `${value} trusts every project of the organization${streamer ? ", and its audit-log streamer" : ""}`,
    attack: "whoever can push to any project of the organization, or set up a new one, gets in",
    fixed,
  });
}

/** Why no token of CircleCI has such a subject, as far as the literal parts tell. */
function impossiblePart(value: string, parts: SubjectParts | undefined, organization: string): string | undefined {
  if (value.includes("://")) return "it holds a URL";
  if (parts === undefined) return value.startsWith("*") ? undefined : `it does not begin with ${subjectPrefix()}`;
  const literal = (part: string | undefined): part is string => part !== undefined && !/[*?]/.test(part);
  if (literal(parts.organization) && parts.organization.split("/")[0] !== organization)
    return `the issuer's organization is ${organization}`;
  for (const part of ["project", "user"] as const) {
    if (literal(parts[part]) && !UUID.test(parts[part])) return `its ${part} is not a lower-case UUID`;
  }
  if (literal(parts.repository) && parts.repository.endsWith(".git")) return "CircleCI names a repository without .git";
  if (literal(parts.ref) && parseRef(parts.ref) === undefined) return `a ref is ${REF_FORMS}`;
  return undefined;
}

function forgeable(trust: TrustStatement, { condition, value, parts }: TrustedSubject): Finding[] {
  const ignoresCase = condition.operator.includes("IgnoreCase");
  const branch = isLike(condition)
    ? branchThatGetsIn(value, trust.organization)
    : ignoresCase
      ? branchInOtherCase(parts?.ref)
      : undefined;
  if (branch === undefined) return [];
  const why = ignoresCase
    ? `is compared without regard to case, while git has "${branch}" for a branch of its own`
    : "has a wildcard before the ref, and a branch's name can be chosen so that the rest stands in it";
  return [
    finding("forgeable-subject", condition.where, {
      problem: `${value} ${why}`,
      attack: `whoever can push any branch gets in from one named ${branch}`,
      branch,
      fixed: withValue(trust, condition, value, safeSubject(trust, parts)),
    }),
  ];
}

function branchInOtherCase(ref = ""): string | undefined {
  const { kind, name: branch = "" } = parseRef(ref) ?? {};
  if (kind !== "branch") return undefined;
  return [branch.toUpperCase(), branch.toLowerCase()].find((other) => other !== branch);
}

/** Refs that are named for a project beside a pattern that lets in every token of it. */
function refsWithoutEffect(trust: TrustStatement): Finding[] {
  const subjects = trustedSubjects(trust).filter(({ condition }) => isLike(condition));
  const open = subjects.find(({ value }) => describeSubject(value).kind === "project");
  const named = subjects.find(
    ({ parts, value }) => parts?.ref !== undefined && open !== undefined && matchesPattern(open.value, value),
  );
  if (open === undefined || named === undefined) return [];
  return [
    finding("ref-without-effect", named.condition.where, {
      problem: `${named.value} names a ref, but ${open.value} beside it lets in every ref of the project`,
      attack: "whoever can push any branch gets in, though refs are named",
      fixed: withValue(trust, open.condition, open.value, safeSubject(trust, named.parts)),
    }),
  ];
}
