import {
  ANY_USER,
  CIRCLECI_CLOUD,
  type CircleCiIssuer,
  conditionClaims,
  describeRef,
  describeSubject,
  formatRef,
  isRepository,
  PROJECT_CLAIM,
  parseIssuer,
  parseRef,
  parseSubject,
  pullRequestOf,
  REF_FORMS,
  type Ref,
  SOURCE_CLAIMS,
  SUBJECT_PARTS,
  type SubjectParts,
  subjectPatterns,
  type TrustRule,
  UUID,
} from "../circleci";
import { providerArn } from "../provider";
import { isRefName, refNameFault } from "../ref-name";
import { ASSUME, isNegated } from "../statement";
import { audiencesOf, issuerOfClaims, type TokenError, type TokenFault } from "../token";
import { matchesAs } from "./compare";
import type { Check, Mismatch, PartComparison, Question } from "./types";

/** The cause of a refusal and its fix. */
export interface Remedy {
  /** A stable id, for programs. */
  readonly cause: Cause | TokenCause;
  readonly why: string;
  readonly remedy: string;
  /** The trust rule that the remedy adds, if the token should be trusted. Absent if the remedy adds none. */
  readonly rule?: TrustRule;
}

/** What is known of a refused or undecided token. */
interface Refusal extends Question, Pick<Check, "reason" | "detail">, WrongParts {
  readonly issuer: ParsedIssuer;
  /** The trusted issuer that is closest to the token's. */
  readonly trusted: ParsedIssuer;
  readonly trustedIssuers: readonly string[];
  readonly audience: string;
  /** Absent if the check did not compare values. */
  readonly mismatch?: Mismatch;
  /** The place of the trust policy. */
  readonly where: string;
  /** The parts of the token's subject. */
  readonly subject: Partial<SubjectParts>;
  /** A part that the closest trusted subject lacks, so that it matches no token. */
  readonly gap?: keyof SubjectParts;
  /** A rule that trusts the token and no other project, repository, ref or pinned user. Absent if no rule can. */
  readonly rule?: TrustRule;
}

/** The parts of the token's subject that do not match. */
type WrongParts = { readonly [part in keyof SubjectParts]?: Pick<PartComparison, "actual" | "expected"> };

/** Without host and organization if it does not have the form of a CircleCI issuer. */
interface ParsedIssuer extends Partial<CircleCiIssuer> {
  readonly name: string;
}

/** A value of the token's claims or of the trust policy that is spelled wrong. */
interface Misspelling {
  readonly kind: "url" | "name" | "case";
  /** What the value must be. */
  readonly what: string;
  readonly wrong: string;
  /** Absent if unknown. */
  readonly right?: string;
  /** Whether `right` is the token's value, which need not be the intended one. */
  readonly isGuess?: boolean;
  readonly isInToken: boolean;
  readonly part?: keyof SubjectParts;
}

interface CauseRow {
  readonly when: (refusal: Refusal) => boolean;
  readonly why: (refusal: Refusal) => string;
  readonly remedy: (refusal: Refusal) => string;
  /** The rule that the remedy adds. Default: none. */
  readonly rule?: (refusal: Refusal) => TrustRule | undefined;
}

/** The causes of a refusal, in order of precedence. */
export const CAUSES = {
  "no-provider": {
    when: ({ reason }) => reason === "no-provider" || reason === "other-account",
    why: ({ detail }) => detail,
    remedy: ({ reason, issuer, account, where }) =>
      reason === "no-provider"
        ? `${isCircleCi(issuer) ? `if organization ${issuer.organization} is yours, ` : ""}deploy the environment, which creates the provider, or create it by hand in this account`
        : `name ${providerArn(issuer.name, account)} as Principal.Federated in ${where}`,
  },
  "bad-signature": {
    when: ({ reason }) => reason === "invalid",
    why: () => "the token's signature is not valid: the token was changed or truncated, or its issuer did not sign it",
    remedy: () => COPY,
  },
  expired: {
    when: ({ reason }) => reason === "expired",
    why: ({ detail }) => `the token ${detail}; no other check failed`,
    remedy: () => "assume the role early in the job, or request a new token: circleci run oidc get --claims '{}'",
  },
  "not-yet-valid": {
    when: ({ reason }) => reason === "not-yet-valid",
    why: ({ detail }) => `the token is ${detail}`,
    remedy: () => "correct this machine's clock",
  },
  "caller-condition": {
    when: ({ reason }) => reason === "request-condition",
    why: ({ detail }) => `only AWS can decide: ${detail}`,
    remedy: () => "check whether the job's requests meet that condition",
  },
  unsupported: {
    when: ({ reason }) => reason === "unsupported",
    why: ({ detail }) => `the trust policy cannot be evaluated: ${detail}`,
    remedy: () => "correct that part of the trust policy",
  },
  fork: {
    when: (refusal) => isTrustRefused(refusal) && pullRequestOf(refusal.subject.ref ?? "") !== undefined,
    why: ({ subject, repository }) =>
      `the pipeline runs for pull request ${pullRequestOf(subject.ref ?? "")} from ${repository ? `the fork ${repository.actual}` : "a fork"}: anyone who can open a pull request would have access`,
    remedy: ({ repository }) =>
      `do not trust it: skip the job for forked pull requests, or push the branch to ${repository?.expected ?? "the repository itself"}`,
  },
  "forged-ref": {
    when: (refusal) => isTrustRefused(refusal) && isForged(refusal.subject.ref),
    why: ({ subject }) =>
      `the name of ${describeRef(readRef(subject.ref))} imitates the subject of another ref, which can forge that subject`,
    remedy: () => "do not trust it: find out who pushed it, and delete it",
  },
  denied: {
    when: ({ reason }) => reason === "explicit-deny",
    why: ({ detail }) => detail,
    remedy: ({ where }) => `if this job should have access, narrow that Deny statement in ${where}`,
  },
  "not-about-tokens": {
    when: ({ reason, mismatch }) => reason === "no-allow" && mismatch === undefined,
    why: ({ issuer }) => `no statement allows ${ASSUME} for tokens of ${issuer.name}`,
    remedy: ({ trustedIssuers, where }) =>
      `name ${trustedIssuers.length === 0 ? "the provider as Principal.Federated, and " : ""}the action ${ASSUME} in ${where}`,
  },
  "wildcard-in-equals": {
    when: ({ reason, mismatch }) => reason === "no-allow" && mismatch !== undefined && matchesAsPattern(mismatch),
    why: ({ mismatch }) =>
      `${mismatch?.operator} compares the wildcard in ${mismatch?.closest} literally, so no token matches it`,
    remedy: ({ mismatch, where }) => {
      const scope = describeSubject(mismatch?.closest ?? "");
      const safe =
        scope.kind === "ref" && scope.forgeable
          ? `, with ${ANY_USER} as the user so that no branch name can forge it`
          : "";
      return `use StringLike for ${mismatch?.key} in ${where}${safe}`;
    },
  },
  "several-audiences": {
    when: ({ reason }) => reason === "several-audiences",
    why: ({ detail }) => `${detail}; AWS requires exactly one`,
    remedy: ({ audiences, issuer }) =>
      `request a token with one audience: ${tokenFor(Array.isArray(audiences) ? audiences : [], issuer)}`,
  },
  "custom-audience": {
    when: ({ reason, mismatch }) =>
      reason === "other-audience" || (mismatch?.claim === "aud" && comparesValue(mismatch)),
    why: ({ audience, issuer, mismatch }) =>
      audience === issuer.organization
        ? `the token has CircleCI's default audience, the organization id ${audience}; AWS accepts only ${mismatch?.expected.join(", ") ?? "none"}`
        : `the token has the audience ${audience}, AWS accepts ${mismatch?.expected.join(", ") ?? "none"}`,
    remedy: ({ audience, issuer, mismatch, configPath, where }) => {
      const inPolicy = `to the provider's client ids, and to the condition on aud in ${where}`;
      if (audience !== issuer.organization)
        return `use ${tokenFor(mismatch?.expected ?? [], issuer)}; if the job requires this audience, add it ${configPath === undefined ? inPolicy : "to circleci.audiences in config.ts"}`;
      return configPath === undefined
        ? `add ${audience} ${inPolicy}`
        : `add "${audience}" to circleci.audiences in config.ts, or remove circleci.audiences: that id is the default`;
    },
  },
  "url-for-id": misspelled("url"),
  "name-for-id": misspelled("name"),
  "upper-case": misspelled("case"),
  "unknown-condition-key": {
    when: ({ mismatch }) => mismatch?.kind === "unknown-key",
    why: ({ mismatch }) => `${mismatch?.operator} on ${mismatch?.key} is never met: ${mismatch?.note}`,
    remedy: ({ mismatch, issuer, where }) =>
      keyOfClaim(mismatch, issuer) === undefined
        ? `remove that condition from ${where}; restrict the ${mismatch?.claim === PROJECT_CLAIM ? "project" : "branch"} by the subject instead`
        : `write ${keyOfClaim(mismatch, issuer)} in ${where}`,
  },
  "no-project-id": {
    when: ({ mismatch }) => mismatch?.claim === PROJECT_CLAIM && mismatch.kind === "absent-key",
    why: () => `the token has no claim ${PROJECT_CLAIM}, which the role requires`,
    remedy: () => "use the token of a CircleCI job, which has that claim: CIRCLE_OIDC_TOKEN_V2",
  },
  "contradicting-project": {
    when: ({ reason, claims, subject }) =>
      reason === "no-allow" &&
      subject.project !== undefined &&
      typeof claims[PROJECT_CLAIM] === "string" &&
      claims[PROJECT_CLAIM] !== subject.project,
    why: ({ claims, subject }) =>
      `the token's subject names project ${subject.project}, its claim ${PROJECT_CLAIM} names project ${claims[PROJECT_CLAIM]}`,
    remedy: () => "do not trust it: both are the same project in the token of a CircleCI job",
  },
  "other-condition": {
    when: ({ reason, mismatch }) =>
      reason === "no-allow" && mismatch !== undefined && (mismatch.claim === undefined || !comparesValue(mismatch)),
    why: ({ mismatch }) =>
      `${mismatch?.operator} on ${mismatch?.key} does not allow ${mismatch?.actual[0] ?? "a token without this key"}`,
    remedy: ({ where }) => `if this job should have access, change that condition in ${where}`,
  },
  "other-server": {
    when: ({ reason, issuer, trusted }) =>
      reason === "other-issuer" && isCircleCi(issuer) && isCircleCi(trusted) && issuer.host !== trusted.host,
    why: ({ issuer, trustedIssuers }) =>
      `the token is from ${serverName(issuer)}, the role trusts ${trustedIssuers.join(" and ")}`,
    remedy: ({ issuer, trusted, configPath, where }) => {
      if (issuer.organization !== trusted.organization)
        return `run the job in organization ${trusted.organization} on ${serverName(trusted)}`;
      const fix = issuer.host === CIRCLECI_CLOUD ? "remove circleci.server" : `set circleci.server: "${issuer.host}"`;
      const isYours = issuer.host === CIRCLECI_CLOUD ? "" : "if that server is yours, ";
      return `${isYours}${configPath === undefined ? `trust ${issuer.name} in ${where}` : `${fix} in config.ts`}, or run the job on ${serverName(trusted)}`;
    },
  },
  "other-organization": {
    when: ({ organization }) => organization !== undefined,
    why: ({ organization }) =>
      `the token is from CircleCI organization ${organization?.actual}, the role trusts ${organization?.expected}`,
    remedy: ({ reason, organization, configPath, where }) =>
      `${reason === "other-issuer" ? `run the job in organization ${organization?.expected}, or ` : ""}correct the id ` +
      `(Organization Settings → Overview) ${configPath === undefined ? `in ${where}` : "as circleci.organizationId in config.ts"}`,
  },
  "other-issuer": {
    when: ({ reason }) => reason === "other-issuer" || reason === "not-https",
    why: ({ claims, trustedIssuers }) =>
      `the token is from ${claims.iss}, the role trusts ${trustedIssuers.join(" and ")}`,
    remedy: ({ issuer }) =>
      issuer.name === CIRCLECI_CLOUD
        ? "request the token without --root-issuer: that issuer is the same for every organization"
        : "use the token of a CircleCI job: CIRCLE_OIDC_TOKEN_V2",
  },
  "wrong-project": {
    when: ({ project }) => project !== undefined,
    why: ({ project }) => `the token is from project ${project?.actual}, the role trusts project ${project?.expected}`,
    rule: exactRule,
    remedy: (refusal) =>
      `${ifTrusted(`project ${refusal.project?.actual}`, refusal)}; Project Settings → Overview shows its id`,
  },
  "v2-token": {
    when: ({ ref, user }) => ref?.actual !== undefined && ref.expected === undefined && user === undefined,
    why: () =>
      "the token contains repository and ref (V2, which the aws-cli orb sends since version 5); the role trusts the exact V1 subject",
    rule: exactRule,
    remedy: (refusal) =>
      `${refusal.rule === undefined ? "" : `${ifTrusted("the ref", refusal)}; or `}send CIRCLE_OIDC_TOKEN, a V1 token`,
  },
  "webhook-trigger": {
    when: (refusal) => lacksRef(refusal) && refusal.source === "CIRCLE_OIDC_TOKEN_V2" && !hasRefClaim(refusal),
    why: () =>
      "a custom webhook triggered this pipeline: its tokens contain neither repository nor ref, not even CIRCLE_OIDC_TOKEN_V2",
    rule: anyRefRule,
    remedy: (refusal) =>
      `trigger the pipeline by a push${refusal.rule === undefined ? "" : `; if every trigger of the project should have access, ${additionOf(refusal.rule, refusal)}`}`,
  },
  "v1-token": {
    when: lacksRef,
    why: ({ ref }) => `the token contains neither repository nor ref (V1), the role trusts ${ref?.expected}`,
    remedy: (refusal) =>
      refusal.source === "CIRCLE_OIDC_TOKEN" || hasRefClaim(refusal)
        ? "send CIRCLE_OIDC_TOKEN_V2 instead of CIRCLE_OIDC_TOKEN"
        : "send CIRCLE_OIDC_TOKEN_V2 instead of CIRCLE_OIDC_TOKEN; if it is that token, a custom webhook triggered the pipeline: trigger it by a push",
  },
  "other-repository": {
    when: ({ repository }) => repository !== undefined,
    why: ({ repository }) =>
      `the token is from repository ${repository?.actual}, the role trusts ${repository?.expected}`,
    rule: exactRule,
    remedy: (refusal) =>
      refusal.rule === undefined
        ? "do not trust it"
        : `if the repository was renamed or moved, ${additionOf(refusal.rule, refusal)}; otherwise do not trust it`,
  },
  "bare-ref": {
    when: ({ ref }) => ref?.expected !== undefined && !/^(refs\/|[*?])/.test(ref.expected),
    why: ({ ref }) => `the role trusts the ref ${ref?.expected}; tokens contain the full ref: ${ref?.actual}`,
    remedy: ({ ref, mismatch, where }) => {
      const name = ref?.expected?.replace(/^(heads|tags)\//, "") ?? "";
      const right = (["branch", "tag"] as const)
        .map((kind) => formatRef({ kind, name }))
        .find((full) => matchesAs(mismatch?.operator ?? "", full, ref?.actual ?? ""));
      return `write the ref as ${right ?? REF_FORMS} in ${where}`;
    },
  },
  "wrong-branch": wrongRef("branch", "branch"),
  "wrong-tag": wrongRef("tag", "tag"),
  "tag-for-branch": wrongRef("tag", "branch"),
  "branch-for-tag": wrongRef("branch", "tag"),
  "wrong-user": {
    when: ({ user }) => user !== undefined,
    why: ({ user }) => `user ${user?.actual} triggered the pipeline, the role trusts ${user?.expected}`,
    rule: exactRule,
    remedy: (refusal) =>
      `have the trusted user trigger it${refusal.rule === undefined ? "" : `; if user ${refusal.user?.actual} should have access, ${additionOf(refusal.rule, refusal)}`}`,
  },
  "other-subject": {
    when: () => true,
    why: ({ subject, claims, mismatch, gap }) => {
      if (subject.project === undefined) return `the token's subject is not that of a job: ${claims.sub}`;
      const fault = gap === undefined ? "does not have the form of CircleCI's subjects" : `has no ${gap}`;
      return `the role trusts the subject ${mismatch?.closest}, which ${fault}`;
    },
    rule: exactRule,
    remedy: (refusal) =>
      refusal.subject.project === undefined
        ? "use the token of a CircleCI job: CIRCLE_OIDC_TOKEN_V2"
        : ifTrusted("this job", refusal),
  },
} satisfies { readonly [cause: string]: CauseRow };

/** The cause of a refusal. */
export type Cause = keyof typeof CAUSES;

/** The cause of a text that AWS does not accept as a token, whatever the role. */
type TokenCause = "no-token" | "not-a-token" | "too-long" | "unsigned" | "unsupported-algorithm";

/** The faults that are causes of their own. Default: `not-a-token`. */
const FAULT_CAUSES: { readonly [fault in TokenFault]?: TokenCause } = {
  empty: "no-token",
  "too-long": "too-long",
  unsigned: "unsigned",
  "unsupported-algorithm": "unsupported-algorithm",
};

const COPY = 'copy the complete token from the job: printf %s "$CIRCLE_OIDC_TOKEN_V2" > token';

/** The remedy for each reason why a text is not a token. */
const FAULT_REMEDIES: { readonly [fault in TokenFault]: string } = {
  empty:
    "in a job, read CIRCLE_OIDC_TOKEN_V2; CircleCI sets it in every job, except in pipelines of forks if the project does not pass " +
    "secrets to them; outside a job, sign in to AWS, or give keyless explain the claims: --project, --repository, --branch",
  "variable-name":
    "the name of the variable was written instead of its value: use double quotes, or none, around $CIRCLE_OIDC_TOKEN_V2",
  masked: "CircleCI masks secrets in a job's output: write the token to a file in the job, do not copy it from the log",
  "access-key": "this is an AWS access key: the token is in CIRCLE_OIDC_TOKEN_V2",
  malformed: 'write only the token to the file: printf %s "$CIRCLE_OIDC_TOKEN_V2" > token',
  "too-long": "use CIRCLE_OIDC_TOKEN_V2, or request a token with shorter custom claims",
  unsigned: COPY,
  "unsupported-algorithm": "use the token of a CircleCI job, which is signed with RS256: CIRCLE_OIDC_TOKEN_V2",
};

/** The remedy for a text that is not a token. The text itself is never part of it. */
export function remedyForTokenError({ fault, message }: TokenError): Remedy {
  const remedy = FAULT_REMEDIES[fault];
  const cause = FAULT_CAUSES[fault] ?? "not-a-token";
  if (cause === "no-token") return { cause, why: message, remedy };
  return {
    cause,
    why: `${cause === "not-a-token" ? "this is not a token" : "AWS refuses this token"}: ${message}`,
    remedy,
  };
}

/**
 * The remedy for a token that AWS refuses or may refuse.
 *
 * @param check the decisive check
 * @param trustedIssuers the issuers that the role trusts
 */
export function remedyFor(
  question: Question,
  { reason, detail }: Check,
  trustedIssuers: readonly string[],
  mismatch?: Mismatch,
): Remedy {
  const issuer = readIssuer(issuerOfClaims(question.claims));
  const readIssuers = trustedIssuers.map(readIssuer);
  const isSameHost = ({ host }: ParsedIssuer) => host === issuer.host;
  const trusted = readIssuers.find(isSameHost) ?? readIssuers.find(isCircleCi) ?? { name: "" };
  const subject = parseSubject(question.claims.sub) ?? {};
  const refusal: Refusal = {
    ...question,
    subject,
    ...(reason === "other-issuer" && isCircleCi(issuer) && isSameHost(trusted)
      ? { organization: { actual: issuer.organization, expected: trusted.organization } }
      : wrongParts(mismatch)),
    reason,
    detail,
    issuer,
    trusted,
    trustedIssuers,
    audience: audiencesOf(question.claims).join(", "),
    mismatch,
    where: question.configPath === undefined ? "the role's trust policy" : `${question.configPath} in config.ts`,
  };
  // The last cause applies to every refusal.
  const rows = Object.entries(CAUSES) as [Cause, CauseRow][];
  const [cause, row] = rows.find(([, { when }]) => when(refusal)) as [Cause, CauseRow];
  const rule = row.rule?.(refusal);
  const remedy = row.remedy({ ...refusal, rule });
  return { cause, why: row.why(refusal), remedy, ...(rule && { rule }) };
}

/** The parts that do not match; none if the cause is not a part. */
function wrongParts(mismatch: Mismatch | undefined): WrongParts & Pick<Refusal, "gap"> {
  if (mismatch === undefined || !comparesValue(mismatch) || matchesAsPattern(mismatch)) return {};
  const { claim, actual, closest, parts = [] } = mismatch;
  if (claim === PROJECT_CLAIM) return { project: { actual: actual[0], expected: closest } };
  const wrong = parts.filter(({ matches }) => !matches);
  const lacking = wrong.filter(({ actual, expected }) => actual !== undefined && expected === undefined);
  const isV1 = lacking.length === 2 && lacking.every(({ part }) => part === "repository" || part === "ref");
  if (lacking[0] !== undefined && !isV1) return { gap: lacking[0].part };
  return Object.fromEntries(wrong.map((part) => [part.part, part]));
}

/** The condition key that AWS has for the claim that a failed condition names. Undefined if it has none for the issuer. */
function keyOfClaim({ claim }: Partial<Mismatch> = {}, issuer: ParsedIssuer): string | undefined {
  return claim && conditionClaims(issuer.name).includes(claim) ? `${issuer.name}:${claim}` : undefined;
}

/** Whether a condition failed because the token has another value than those that it lists. */
function comparesValue(mismatch: Mismatch): boolean {
  const isComparison = /String|Arn/.test(mismatch.operator) && !isNegated(mismatch);
  return isComparison && mismatch.kind === "other-value";
}

/** Whether the trust policy or the audience is the reason for a refusal, so that a remedy could widen the trust. */
function isTrustRefused({ reason }: Refusal): boolean {
  return ["no-allow", "explicit-deny", "other-audience", "several-audiences"].includes(reason);
}

/** Whether the name of a branch or tag contains what another ref's subject ends with. */
function isForged(ref = ""): boolean {
  return /\/(vcs-origin|vcs-ref|refs\/heads|refs\/tags)\//.test(ref.replace(/^refs\/(heads|tags)(?=\/)/, ""));
}

function readIssuer(name: string): ParsedIssuer {
  return { name, ...parseIssuer(name) };
}

function isCircleCi({ organization }: ParsedIssuer): boolean {
  return organization !== undefined;
}

function serverName({ host }: ParsedIssuer): string {
  return host === CIRCLECI_CLOUD ? "circleci.com" : `the CircleCI server at ${host}`;
}

/** Whether a value that a condition compares literally would match as a pattern. */
function matchesAsPattern(mismatch: Mismatch): boolean {
  const { operator, closest, actual } = mismatch;
  return comparesValue(mismatch) && !/Like/.test(operator) && matchesAs("StringLike", closest, actual[0] ?? "");
}

/** Whether the role requires a ref that the token does not contain. */
function lacksRef({ ref }: Refusal): boolean {
  return ref !== undefined && ref.actual === undefined;
}

/** A pipeline of a custom webhook has no ref, not even in a claim of its own. */
function hasRefClaim({ claims }: Refusal): boolean {
  return typeof claims[SOURCE_CLAIMS.ref] === "string";
}

function readRef(ref = ""): Ref {
  return parseRef(ref) ?? { kind: "branch", name: ref };
}

/** The token that a job can request for one of these audiences. */
function tokenFor(accepted: readonly string[], { organization = "" }: ParsedIssuer): string {
  const [audience] = accepted;
  if (audience === undefined || accepted.some((each) => matchesAs("StringLike", each, organization)))
    return "CIRCLE_OIDC_TOKEN_V2, which has the default audience";
  return `a token of \`circleci run oidc get --claims '${JSON.stringify({ aud: audience })}'\``;
}

/** The rule that trusts the token's ref; every ref of the project if the closest trusted subject has any. */
function exactRule(refusal: Refusal): TrustRule | undefined {
  const { subject, mismatch } = refusal;
  const { repository = "", ref = "" } = subject;
  const isAny = (part: keyof SubjectParts) => mismatch?.parts?.find((each) => each.part === part)?.expected === "*";
  if (isAny("repository") && isAny("ref")) return anyRefRule(refusal);
  const project = projectRule(refusal);
  const { kind, name } = parseRef(ref) ?? { kind: "branch", name: "" };
  const isValid = isRefName(name) && refNameFault(name) === undefined && /^[\x20-\x7e\xa0-\xff]*$/.test(name);
  if (project === undefined || !isValid || !isRepository(repository)) return undefined;
  const { users, ...rest } = project;
  const refs = kind === "branch" ? { branches: [name] } : { tags: [name] };
  return { ...rest, repository, ...refs, ...(users && { users }) };
}

function anyRefRule(refusal: Refusal): TrustRule | undefined {
  const project = projectRule(refusal);
  return project && { ...project, refs: "any" };
}

/** The project, and the user if the closest trusted subject pins one. */
function projectRule({ subject: { project = "", user = "" }, mismatch }: Refusal) {
  const trusted = mismatch?.parts?.find(({ part }) => part === "user")?.expected;
  const isPinned = trusted !== undefined && !/[*?]/.test(trusted);
  if (!UUID.test(project) || (isPinned && !UUID.test(user))) return undefined;
  return { project, ...(isPinned && { users: [user] }) };
}

/** How to add a rule: to config.ts, or as a statement to a trust policy that is not made from it. */
function additionOf(rule: TrustRule, { configPath, issuer, where }: Refusal): string {
  if (configPath !== undefined) return `add ${formatRule(rule)} to ${where}`;
  const patterns = subjectPatterns(rule, issuer.organization ?? "");
  return `add a statement to ${where} that trusts the subject ${patterns.join(" and ")} (StringLike)`;
}

function formatRule(rule: TrustRule): string {
  return `{ ${Object.entries(rule)
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    .join(", ")} }`;
}

function ifTrusted(what: string, refusal: Refusal): string {
  const { rule, where } = refusal;
  return `if ${what} should have access, ${rule === undefined ? `add a rule for it to ${where}` : additionOf(rule, refusal)}`;
}

function describeTrustedRef(ref = ""): string {
  const parsed = parseRef(ref);
  return parsed === undefined ? `ref ${ref}` : describeRef(parsed);
}

function wrongRef(kind: Ref["kind"], trustedKind: Ref["kind"]): CauseRow {
  return {
    when: ({ ref }) =>
      ref !== undefined &&
      readRef(ref.actual).kind === kind &&
      (parseRef(ref.expected ?? "")?.kind ?? kind) === trustedKind,
    why: ({ ref }) =>
      `the pipeline ran on ${describeTrustedRef(ref?.actual)}, the role trusts ${describeTrustedRef(ref?.expected)}`,
    rule: exactRule,
    remedy: refRemedy,
  };
}

function refRemedy(refusal: Refusal): string {
  const { ref, user, rule, configPath, where } = refusal;
  const onlyThere = `run the job on ${describeTrustedRef(ref?.expected)} only (a filter in the workflow)`;
  if (rule === undefined) return onlyThere;
  const { kind, name } = readRef(ref?.actual);
  const isOnlyRef = user === undefined && configPath !== undefined;
  const addition = isOnlyRef
    ? `add ${kind === "tag" ? "tags" : "branches"}: ${JSON.stringify([name])} to the rule in ${where}`
    : additionOf(rule, refusal);
  return `${onlyThere}; if ${describeRef({ kind, name })} should have access, ${addition}`;
}

function misspelled(kind: Misspelling["kind"]): CauseRow {
  const found = (refusal: Refusal) => findMisspelling(refusal) as Misspelling;
  const isRef = (refusal: Refusal) => found(refusal).part === "ref";
  return {
    when: (refusal) => findMisspelling(refusal)?.kind === kind,
    why: (refusal) => {
      const { what, wrong, right } = found(refusal);
      if (kind !== "case") return `${wrong || "an empty text"} is not a ${what}`;
      return `the ${what} is written ${wrong} instead of ${right}; AWS compares it case-sensitively`;
    },
    // Branches whose names differ in case are different branches.
    rule: (refusal) => (isRef(refusal) ? exactRule(refusal) : undefined),
    remedy: (refusal) => {
      if (isRef(refusal)) return refRemedy(refusal);
      const {
        what,
        wrong,
        right = `the ${what} that CircleCI shows in its settings`,
        isInToken,
        isGuess,
      } = found(refusal);
      const settings = what === "organization id" ? "Organization Settings" : "Project Settings";
      const condition = isGuess ? `, if ${settings} → Overview shows it for ${wrong}` : "";
      return `write ${right} in ${isInToken ? "the claims" : refusal.where}${condition}`;
    },
  };
}

/** A misspelled condition key, organization id or part of the subject. */
function findMisspelling({ reason, issuer, mismatch, ...refusal }: Refusal): Misspelling | undefined {
  const key = keyOfClaim(mismatch, issuer);
  if (mismatch?.kind === "unknown-key" && key !== undefined && mismatch.key.includes("://"))
    return { kind: "url", what: "condition key", wrong: mismatch.key, right: key, isInToken: false };
  const wrong = SUBJECT_PARTS.flatMap(([part]) => (refusal[part] === undefined ? [] : [{ part, ...refusal[part] }]));
  const found = wrong.map(({ part, actual, expected }) => compareSpelling(part, actual, expected));
  const isOnlyCase = found.every((misspelling) => misspelling?.kind === "case");
  const first = found.find((misspelling) => misspelling !== undefined && (misspelling.kind !== "case" || isOnlyCase));
  // The token of an issuer that the role does not trust can be from any organization.
  return first?.isGuess && reason === "other-issuer" ? { ...first, right: undefined, isGuess: false } : first;
}

/** Whether one of two values is a URL, or a name instead of an id, or they differ only in case. */
function compareSpelling(part: keyof SubjectParts, actual = "", expected = ""): Misspelling | undefined {
  const isId = part === "organization" || part === "project";
  const what = isId ? `${part} id` : part;
  const values = [expected, actual];
  const url = values.find((value) => part !== "ref" && /:\/\/|^git@|\.git$/.test(value));
  const name = values.find((value) => isId && !/[*?]/.test(value) && !UUID.test(value.toLowerCase()));
  const wrong = url ?? name;
  if (wrong !== undefined) {
    const isInToken = wrong === actual;
    const kind = url === undefined ? "name" : "url";
    const text = wrong.replace(/^.*:\/\/(.*\/org\/)?|\.git$/g, "").replace(/^git@([^:]*):/, "$1/");
    if (UUID.test(text) || !isId) return { kind, what, wrong, right: text, isInToken, part };
    const other = isInToken ? expected : actual;
    return { kind, what, wrong, ...(UUID.test(other) && { right: other, isGuess: true }), isInToken, part };
  }
  if (part === "repository" && actual.endsWith(`/${expected}`))
    return { kind: "name", what: "repository with its host", wrong: expected, right: actual, isInToken: false, part };
  if (actual === expected || !matchesIgnoringCase(expected, actual)) return undefined;
  const isInToken = /[A-Z]/.test(actual) && !/[a-z]/.test(actual.replace(/[-\d/]/g, ""));
  const [misspelled, right] = isInToken ? [actual, expected] : [expected, actual];
  return { kind: "case", what, wrong: misspelled, right, isInToken, part };
}

function matchesIgnoringCase(pattern: string, text: string): boolean {
  return matchesAs("StringLike", pattern.toLowerCase(), text.toLowerCase());
}
