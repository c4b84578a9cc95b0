import type { PolicyDocument, Statement } from "../../policy/document";
import { evaluate } from "../../policy/evaluate";
import { normalizePolicy } from "../../policy/normal-form";
import { matchesPattern } from "../../policy/pattern";
import {
  auditLogSubject,
  formatRef,
  formatSubject,
  isPinnedSubject,
  PROJECT_CLAIM,
  parseRef,
  parseSubject,
  type SubjectParts,
  UUID,
} from "../circleci";
import { AUTHORIZED_BY_IDP, isRequestKey, webIdentityRequest } from "../decide";
import { providerArn } from "../provider";
import { isRefName } from "../ref-name";
import {
  ASSUME,
  type ClaimCondition,
  conditionsOn,
  isLike,
  isNegated,
  readStatements,
  type TrustStatement,
} from "../statement";
import type { Claims } from "../token";
import { NO_ACCOUNT, withConditions } from "./fix";
import { completions, FORK, OTHER_ID, type Reading, readingOf, sampleId, sampleRepository } from "./forgery";

/** A job whose token a statement trusts. */
export interface TrustedJob {
  readonly parts: SubjectParts;
  readonly sub: string;
}

/** A subject value that trusts a job against its intention. */
export interface Forgery {
  /** The statement that has the value: the Allow itself, or a Deny of all other subjects. */
  readonly trust: TrustStatement;
  readonly condition: ClaimCondition;
  readonly value: string;
  readonly job: TrustedJob;
  readonly reading: Exclude<Reading, "intended">;
}

/** The unintended tokens that an Allow statement trusts, found by evaluating adversarial tokens. */
export interface Exposure {
  /** Tokens for an audience that the policy does not list. */
  readonly anyAudience: boolean;
  /** Tokens without the claim. */
  readonly without: { readonly aud: boolean; readonly sub: boolean };
  /** The subjects of projects that the policy does not name, and of the audit log streaming. */
  readonly otherProjects: readonly string[];
  readonly forgeries: readonly Forgery[];
  /** The condition that pins the project by its id, if none on the subject does. */
  readonly projectPin?: ClaimList;
  /** Whether the branch, tag or trigger is arbitrary. */
  readonly anyRef: boolean;
  /** Whether anyone with push access can create a trusted ref: a tag, or a branch that the policy does not name exactly. */
  readonly creatableRef: boolean;
}

/** A name that no policy lists. */
const MADE_UP = "f7c1e0b4-made-up";
const UNLISTED_AUDIENCES = ["https://f7c1e0b4.example", "f7c1e0b4"];

/** The claims of a token that differ between jobs. Absent claims are not in the token. */
interface TokenClaims {
  readonly aud?: string;
  readonly sub?: string;
  readonly project?: string;
}

/**
 * What an Allow statement exposes, under the Deny statements of the policy. An attacker is assumed to meet the conditions
 * on the request and on policy variables.
 *
 * @param trusts all statements of the policy that apply to CircleCI issuers
 */
export function exposureOf(
  document: PolicyDocument,
  trust: TrustStatement,
  trusts: readonly TrustStatement[],
): Exposure {
  const isMet = isMetByAttacker(document);
  const isTrusted = decider(document, trust, trust.conditions.filter(isMet));
  const isAudienceTrusted = decider(
    { ...document, Statement: [trust.statement] },
    { ...trust, index: 0 },
    trust.conditions.filter((condition) => isMet(condition) || ["sub", PROJECT_CLAIM].includes(condition.claim ?? "")),
  );
  const related = trusts.filter(({ issuer }) => issuer === trust.issuer);
  const lists = listsOf(document, trust, related);
  const jobs = sampleJobs(trust, related, lists);

  const audiences = listedAudiences(lists);
  const unlisted = [
    ...UNLISTED_AUDIENCES,
    ...conditionsOn(trust, "aud").flatMap(({ values }) => values.map((value) => value.replace(/[*?]/g, "x"))),
  ].filter((audience) => !audiences.includes(audience));
  const trustedBy = (aud: string) => ({ aud, trusted: jobs.filter((job) => isTrusted({ aud, ...claimsOf(job) })) });
  const { aud, trusted } = [...audiences, trust.organization, ...unlisted]
    .filter((each) => isAudienceTrusted({ aud: each }))
    .slice(0, 3)
    .map(trustedBy)
    .find((each) => each.trusted.length > 0) ?? { aud: trust.organization, trusted: [] };
  // Without a trusted job, the conditions on the audience are judged by themselves.
  const trustsWith = (audience: string | undefined) =>
    trusted.length === 0
      ? isAudienceTrusted({ aud: audience })
      : trusted.some((job) => isTrusted({ ...claimsOf(job), aud: audience }));

  const projects = listedProjects(lists);
  const isOther = ({ parts: { organization, project = "" } }: TrustedJob) =>
    !projects.has(project) || (trust.isRoot && organization === OTHER_ID);
  return {
    anyAudience: unlisted.some(trustsWith),
    without: {
      aud: trustsWith(undefined),
      sub: [...projects, OTHER_ID].some((project) => isTrusted({ aud, project })),
    },
    otherProjects: trusted.filter(isOther).map(({ sub }) => sub),
    forgeries: trusted.filter((job) => !isOther(job)).flatMap((job) => forgeriesBy(job, lists)),
    projectPin: lists.some(pinsSubject) ? undefined : lists.find(({ condition }) => condition.claim === PROJECT_CLAIM),
    anyRef: trusted.some(
      ({ parts: { ref, user } }) => user !== undefined && (ref === undefined || ref.endsWith(MADE_UP)),
    ),
    creatableRef: trusted.some(
      ({ parts: { ref } }) => ref !== undefined && (parseRef(ref)?.kind === "tag" || !namedRefs(lists).has(ref)),
    ),
  };
}

function claimsOf({ sub, parts: { project } }: TrustedJob): TokenClaims {
  return { sub, project };
}

/** Conditions that do not restrict an attacker: on the request, and with values that the attacker chooses. */
function isMetByAttacker(document: PolicyDocument) {
  const { variables } = normalizePolicy(document);
  return ({ key, values }: ClaimCondition) =>
    (isRequestKey(key) && key.toLowerCase() !== AUTHORIZED_BY_IDP.toLowerCase()) ||
    (variables && values.some(hasVariable));
}

/** Whether a value has a policy variable, other than an escaped character. */
export function hasVariable(value: string): boolean {
  return /\$\{(?![*?$]\})/.test(value);
}

/**
 * Decides whether a statement trusts a token under the Deny statements of the policy. A Deny with conditions on the request
 * is left out: an attacker avoids it.
 */
function decider(document: PolicyDocument, trust: TrustStatement, met: readonly ClaimCondition[]) {
  const account = trust.account ?? NO_ACCOUNT;
  const Principal = { Federated: providerArn(trust.issuer, account) };
  const { Condition } = withConditions(trust, met);
  const allow: Statement = { Effect: "Allow", Principal, Action: ASSUME, Condition };
  const isMet = isMetByAttacker(document);
  const denies = readStatements(document)
    .filter(({ statement, normalized }) => statement.Effect === "Deny" && !normalized.conditions.some(isMet))
    .map(({ statement }) => statement);
  const policy = { name: "trust policy", document: { ...document, Statement: [allow, ...denies] } };
  return ({ aud, sub, project }: TokenClaims): boolean => {
    const claims = { iss: `https://${trust.issuer}`, aud, sub, [PROJECT_CLAIM]: project } as Claims;
    const { policies } = evaluate({ resource: [policy] }, webIdentityRequest(claims, account, new Date(0)));
    const [allowed, ...denied] = policies[0]?.statements ?? [];
    return allowed?.verdict === "matched" && denied.every(({ verdict }) => verdict !== "matched");
  };
}

/** A condition that lists the trusted values of a claim. */
export interface ClaimList {
  readonly trust: TrustStatement;
  readonly condition: ClaimCondition;
}

/** The conditions of the statement that list values, and those of each Deny of all values except some. */
function listsOf(document: PolicyDocument, trust: TrustStatement, related: readonly TrustStatement[]): ClaimList[] {
  const isMet = isMetByAttacker(document);
  const denies = related.filter(
    ({ normalized: { Effect }, conditions: [only, ...more] }) =>
      Effect === "Deny" && only !== undefined && more.length === 0 && isNegated(only),
  );
  const own = trust.conditions.filter((condition) => !isNegated(condition) && condition.operator !== "Null");
  return [
    ...own.map((condition) => ({ trust, condition })),
    ...denies.flatMap((deny) => deny.conditions.map((condition) => ({ trust: deny, condition }))),
  ].filter(({ condition }) => condition.claim !== undefined && !isMet(condition));
}

function pinsSubject({ condition: { claim, values } }: ClaimList): boolean {
  return claim === "sub" && values.every(isPinnedSubject);
}

function listedAudiences(lists: readonly ClaimList[]): string[] {
  return lists
    .filter(({ condition: { claim } }) => claim === "aud")
    .flatMap(({ condition }) => condition.values.filter((value) => !isLike(condition) || !/[*?]/.test(value)));
}

function namedRefs(lists: readonly ClaimList[]): Set<string> {
  const subjects = lists.filter(({ condition: { claim } }) => claim === "sub");
  return new Set(
    subjects.flatMap(({ condition }) => condition.values.flatMap((value) => parseSubject(value)?.ref ?? [])),
  );
}

function listedProjects(lists: readonly ClaimList[]): Set<string> {
  const ids = lists.flatMap(({ condition: { claim, values } }) => {
    if (claim === PROJECT_CLAIM) return values;
    return claim === "sub" ? values.map((value) => parseSubject(value)?.project?.split(/[*/]/)[0] ?? "") : [];
  });
  return new Set(ids.map((id) => id.toLowerCase()).filter((id) => UUID.test(id)));
}

/** Jobs like those that the policy names, each with other parts and with names of branches chosen to match. */
function sampleJobs(
  { organization, isRoot }: TrustStatement,
  related: readonly TrustStatement[],
  lists: readonly ClaimList[],
): TrustedJob[] {
  const conditions = related.flatMap((each) => conditionsOn(each, "sub"));
  const patterns = [...new Set(conditions.flatMap(({ values }) => values))];
  const read: Partial<SubjectParts>[] = patterns.map((pattern) => parseSubject(pattern) ?? {});
  const repositories = unique(read.flatMap(({ repository }) => (repository ? [sampleRepository(repository)] : [])));
  const ignoresCase = conditions.some(({ operator }) => operator.includes("IgnoreCase"));
  const sources = (read.length === 0 ? [{}] : read).flatMap(({ organization: named, project, user, repository }) => {
    const job = {
      organization: isRoot && named !== undefined && UUID.test(named) ? named : organization,
      project: sampleId(project),
      user: sampleId(user),
      repository: sampleRepository(repository),
    };
    const known = [...listedProjects(lists)];
    return [
      job,
      ...(project !== undefined && UUID.test(project) ? [] : known.map((each) => ({ ...job, project: each }))),
      ...(repository === undefined ? repositories : []).flatMap((each) =>
        [job.project, ...known].map((id) => ({ ...job, project: id, repository: each })),
      ),
      { ...job, project: OTHER_ID },
      { ...job, user: OTHER_ID },
      { ...job, repository: FORK },
      ...(isRoot
        ? [
            { ...job, organization: OTHER_ID, project: OTHER_ID },
            { ...job, organization: OTHER_ID },
          ]
        : []),
    ];
  });
  const kinds = ["branch", "tag"] as const;
  const jobs = unique(sources).flatMap(({ repository, ...job }) => {
    const refs = kinds.flatMap((kind) => {
      const beginning = formatSubject({ ...job, repository, ref: formatRef({ kind, name: "" }) });
      const names = patterns.flatMap((pattern) =>
        ignoresCase
          ? completions(pattern.toLowerCase(), beginning.toLowerCase()).flatMap((name) => [name.toUpperCase(), name])
          : completions(pattern, beginning),
      );
      const literal = read.flatMap(({ ref }) => (ref === undefined ? [] : (parseRef(ref)?.name ?? [])));
      return [MADE_UP, ...names, ...literal].filter(isRefName).map((name) => formatRef({ kind, name }));
    });
    return [job, ...unique(refs).map((ref) => ({ ...job, repository, ref }))];
  });
  return [
    ...unique(jobs).map((parts) => ({ parts, sub: formatSubject(parts) })),
    { parts: { organization }, sub: auditLogSubject(organization) },
  ];
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

/**
 * The subject values that a job matches against their intention. None if a value intends it: another one of the same list,
 * or one of another list that names refs.
 */
function forgeriesBy(job: TrustedJob, lists: readonly ClaimList[]): Forgery[] {
  const readings = lists
    .filter(({ condition }) => condition.claim === "sub")
    .map(({ trust, condition }) =>
      condition.values
        .filter((value) => matchesValue(condition, value, job.sub))
        .map((value) => {
          const reading = isLike(condition) ? readingOf(value, job.parts) : exactly(value, job);
          return { trust, condition, value, job, reading };
        }),
    );
  const isIntended = ({ reading }: { readonly reading: Reading }) => reading === "intended";
  if (readings.flat().some((each) => isIntended(each) && namesRef(each.value))) return [];
  return readings
    .filter((list) => !list.some(isIntended))
    .flat()
    .filter((each): each is Forgery => !isIntended(each));
}

function namesRef(value: string): boolean {
  const { name = "*" } = parseRef(parseSubject(value)?.ref ?? "") ?? {};
  return name !== "*";
}

const exactly = (value: string, { sub }: TrustedJob): Reading => (value === sub ? "intended" : "forged");

/** Whether a value of a condition matches a claim. */
export function matchesValue(condition: ClaimCondition, value: string, claim: string): boolean {
  if (isLike(condition)) return matchesPattern(value, claim);
  return condition.operator.includes("IgnoreCase") ? value.toLowerCase() === claim.toLowerCase() : value === claim;
}
