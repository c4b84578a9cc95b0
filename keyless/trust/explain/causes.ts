import {
  CIRCLECI_CLOUD,
  type CircleCiIssuer,
  describeRef,
  parseIssuer,
  parseRef,
  parseSubject,
  pullRequestOf,
  REF_FORMS,
  type Ref,
  SOURCE_CLAIMS,
  SUBJECT_PARTS,
  type SubjectParts,
  UUID,
} from "../circleci";
import { providerArn } from "../provider";
import { ASSUME, isNegated } from "../statement";
import { audiencesOf, issuerOfClaims, type TokenError, type TokenFault } from "../token";
import { matchesAs } from "./compare";
import type { Check, Mismatch, PartComparison, Question } from "./types";

/** The cause of a refusal and its fix. */
export interface Remedy {
  /** A stable id, for programs. */
  readonly cause: Cause | "no-token" | "not-a-token";
  readonly why: string;
  readonly remedy: string;
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
  readonly isInToken: boolean;
}

interface CauseRow {
  readonly when: (refusal: Refusal) => boolean;
  readonly why: (refusal: Refusal) => string;
  readonly remedy: (refusal: Refusal) => string;
}

/** The causes of a refusal, in order of precedence. */
export const CAUSES = {
  "no-provider": {
    when: ({ reason }) => reason === "no-provider" || reason === "other-account",
    why: ({ detail }) => detail,
    remedy: ({ reason, issuer, account, where }) =>
      reason === "no-provider"
        ? "deploy the environment, which creates the provider, or create it by hand in this account"
        : `name ${providerArn(issuer.name, account)} as Principal.Federated in ${where}`,
  },
  "bad-signature": {
    when: ({ reason }) => reason === "invalid",
    why: () => "the token's signature is not valid: the token was changed or truncated, or its issuer did not sign it",
    remedy: () => 'copy the complete token from the job: printf %s "$CIRCLE_OIDC_TOKEN_V2" > token',
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
  denied: {
    when: ({ reason }) => reason === "explicit-deny",
    why: ({ detail }) => detail,
    remedy: ({ where }) => `remove or narrow that Deny statement in ${where}`,
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
  "not-about-tokens": {
    when: ({ reason, mismatch }) => reason === "no-allow" && mismatch === undefined,
    why: ({ issuer }) => `no statement allows ${ASSUME} for tokens of ${issuer.name}`,
    remedy: ({ trustedIssuers, where }) =>
      `name ${trustedIssuers.length === 0 ? "the provider as Principal.Federated, and " : ""}the action ${ASSUME} in ${where}`,
  },
  "custom-audience": {
    when: ({ reason, mismatch }) =>
      reason === "other-audience" || (mismatch?.claim === "aud" && mismatch.kind !== "unknown-key"),
    why: ({ audience, issuer, mismatch }) =>
      audience === issuer.organization
        ? `the token has CircleCI's default audience, the organization id ${audience}; AWS accepts only ${mismatch?.expected.join(", ") ?? "none"}`
        : `the token has the audience ${audience}, AWS accepts ${mismatch?.expected.join(", ") ?? "none"}`,
    remedy: ({ audience, issuer, configPath, where }) => {
      if (audience !== issuer.organization)
        return `use CIRCLE_OIDC_TOKEN_V2, which has the default audience; if the job requires this one, add it to circleci.audiences in config.ts${configPath === undefined ? ` and to ${where}` : ""}`;
      return configPath === undefined
        ? `add ${audience} to the provider's client ids, and to the condition on aud in ${where}`
        : `add "${audience}" to circleci.audiences in config.ts, or remove circleci.audiences: that id is the default`;
    },
  },
  "url-for-id": misspelled("url"),
  "name-for-id": misspelled("name"),
  "upper-case": misspelled("case"),
  "unknown-condition-key": {
    when: ({ mismatch }) => mismatch?.kind === "unknown-key",
    why: ({ mismatch }) => `${mismatch?.operator} on ${mismatch?.key} never matches: ${mismatch?.note}`,
    remedy: ({ mismatch, issuer, where }) =>
      mismatch?.claim === undefined
        ? `remove that condition from ${where}; restrict the branch by the subject instead`
        : `write ${issuer.name}:${mismatch.claim} in ${where}`,
  },
  "other-condition": {
    when: ({ reason, mismatch }) =>
      reason === "no-allow" && mismatch !== undefined && (mismatch.claim !== "sub" || isNegated(mismatch)),
    why: ({ mismatch }) =>
      `${mismatch?.operator} on ${mismatch?.key} does not allow ${mismatch?.actual[0] ?? "a token without this key"}`,
    remedy: ({ where }) => `change that condition in ${where}`,
  },
  "wildcard-in-equals": {
    when: ({ reason, mismatch }) => reason === "no-allow" && mismatch !== undefined && matchesAsPattern(mismatch),
    why: ({ mismatch }) =>
      `${mismatch?.operator} compares the wildcard in the subject literally, so no token matches it`,
    remedy: ({ where }) => `use StringLike for the subject in ${where}`,
  },
  "other-server": {
    when: ({ reason, issuer, trusted }) =>
      reason === "other-issuer" && isCircleCi(issuer) && isCircleCi(trusted) && issuer.host !== trusted.host,
    why: ({ issuer, trustedIssuers }) =>
      `the token is from ${serverName(issuer)}, the role trusts ${trustedIssuers.join(" and ")}`,
    remedy: ({ issuer, trusted, configPath, where }) => {
      const fix = issuer.host === CIRCLECI_CLOUD ? "remove circleci.server" : `set circleci.server: "${issuer.host}"`;
      return `${configPath === undefined ? `trust ${issuer.name} in ${where}` : `${fix} in config.ts`}, or run the job on ${serverName(trusted)}`;
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
    remedy: () => "use the token of a CircleCI job: CIRCLE_OIDC_TOKEN_V2",
  },
  "wrong-project": {
    when: ({ project }) => project !== undefined,
    why: ({ project }) => `the token is from project ${project?.actual}, the role trusts project ${project?.expected}`,
    remedy: ({ project, where }) =>
      `if project ${project?.actual} should have access, add a rule for it to ${where}; Project Settings → Overview shows its id`,
  },
  "v2-token": {
    when: ({ ref }) => ref?.actual !== undefined && ref.expected === undefined,
    why: () =>
      "the token contains repository and ref (V2, which the aws-cli orb sends since version 5); the role trusts the exact V1 subject",
    remedy: ({ claims, ref, where }) =>
      `trust the ref in ${where}: { project, repository: "${parseSubject(claims.sub)?.repository}", ${ruleFor(ref?.actual)} }; or send CIRCLE_OIDC_TOKEN, a V1 token`,
  },
  "webhook-trigger": {
    when: (refusal) => lacksRef(refusal) && refusal.source === "CIRCLE_OIDC_TOKEN_V2" && !hasRefClaim(refusal),
    why: () =>
      "a custom webhook triggered this pipeline: its tokens contain neither repository nor ref, not even CIRCLE_OIDC_TOKEN_V2",
    remedy: ({ where }) =>
      `trigger the pipeline by a push, or trust every trigger of the project in ${where}: { project, refs: "any" }`,
  },
  "v1-token": {
    when: lacksRef,
    why: ({ ref }) => `the token contains neither repository nor ref (V1), the role trusts ${ref?.expected}`,
    remedy: (refusal) =>
      refusal.source === "CIRCLE_OIDC_TOKEN" || hasRefClaim(refusal)
        ? "send CIRCLE_OIDC_TOKEN_V2 instead of CIRCLE_OIDC_TOKEN"
        : "send CIRCLE_OIDC_TOKEN_V2 instead of CIRCLE_OIDC_TOKEN; if it is that token, a custom webhook triggered the pipeline: trigger it by a push",
  },
  fork: {
    when: ({ ref }) => pullRequestOf(ref?.actual ?? "") !== undefined,
    why: ({ ref, repository }) =>
      `the pipeline runs for pull request ${pullRequestOf(ref?.actual ?? "")} from ${repository ? `the fork ${repository.actual}` : "a fork"}: anyone who can open a pull request would have access`,
    remedy: ({ repository }) =>
      `do not trust it: skip the job for forked pull requests, or push the branch to ${repository?.expected ?? "the repository itself"}`,
  },
  "other-repository": {
    when: ({ repository }) => repository !== undefined,
    why: ({ repository }) =>
      `the token is from repository ${repository?.actual}, the role trusts ${repository?.expected}`,
    remedy: ({ repository, where }) =>
      `if the repository was renamed or moved, write ${repository?.actual} in ${where}; otherwise do not trust it`,
  },
  "bare-ref": {
    when: ({ ref }) =>
      ref?.expected !== undefined && !/^[*?]/.test(ref.expected) && parseRef(ref.expected) === undefined,
    why: ({ ref }) => `the role trusts the ref ${ref?.expected}; tokens contain the full ref: ${ref?.actual}`,
    remedy: ({ where }) => `write the ref as ${REF_FORMS} in ${where}`,
  },
  "wrong-branch": wrongRef("branch", "branch"),
  "wrong-tag": wrongRef("tag", "tag"),
  "tag-for-branch": wrongRef("tag", "branch"),
  "branch-for-tag": wrongRef("branch", "tag"),
  "wrong-user": {
    when: ({ user }) => user !== undefined,
    why: ({ user }) => `user ${user?.actual} triggered the pipeline, the role trusts ${user?.expected}`,
    remedy: ({ user, where }) =>
      `have the trusted user trigger it, or add ${user?.actual} to users of the rule in ${where}`,
  },
  "other-subject": {
    when: () => true,
    why: ({ claims }) => `the role does not trust the token's subject, ${claims.sub}`,
    remedy: ({ where }) => `if this job should have access, add its subject to ${where}`,
  },
} satisfies { readonly [cause: string]: CauseRow };

/** The cause of a refusal. */
export type Cause = keyof typeof CAUSES;

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
};

/** The remedy for a text that is not a token. The text itself is never part of it. */
export function remedyForTokenError({ fault, message }: TokenError): Remedy {
  const remedy = FAULT_REMEDIES[fault];
  if (fault === "empty") return { cause: "no-token", why: message, remedy };
  return { cause: "not-a-token", why: `this is not a token: ${message}`, remedy };
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
  const refusal: Refusal = {
    ...question,
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
  return { cause, why: row.why(refusal), remedy: row.remedy(refusal) };
}

function wrongParts(mismatch: Mismatch | undefined): WrongParts {
  if (mismatch === undefined || isNegated(mismatch) || matchesAsPattern(mismatch)) return {};
  const wrong = mismatch.parts?.filter(({ matches }) => !matches) ?? [];
  return Object.fromEntries(wrong.map((part) => [part.part, part]));
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

/** Whether a subject that a condition compares literally would match as a pattern. */
function matchesAsPattern({ operator, closest, actual: [subject = ""] }: Mismatch): boolean {
  return !operator.includes("Like") && matchesAs("StringLike", closest, subject);
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

/** The part of a trust rule that trusts a ref. */
function ruleFor(ref: string | undefined): string {
  const { kind, name } = readRef(ref);
  return `${kind === "tag" ? "tags" : "branches"}: ["${name}"]`;
}

function wrongRef(kind: Ref["kind"], trustedKind: Ref["kind"]): CauseRow {
  return {
    when: ({ ref }) =>
      ref !== undefined && readRef(ref.actual).kind === kind && readRef(ref.expected).kind === trustedKind,
    why: ({ ref }) =>
      `the pipeline ran on ${describeRef(readRef(ref?.actual))}, the role trusts ${describeRef(readRef(ref?.expected))}`,
    remedy: ({ ref, where }) =>
      `run the job on ${describeRef(readRef(ref?.expected))} only (a filter in the workflow); ` +
      `if ${describeRef(readRef(ref?.actual))} should have access, add ${ruleFor(ref?.actual)} to the rule in ${where}`,
  };
}

function misspelled(kind: Misspelling["kind"]): CauseRow {
  const found = (refusal: Refusal) => findMisspelling(refusal) as Misspelling;
  return {
    when: (refusal) => findMisspelling(refusal)?.kind === kind,
    why: (refusal) => {
      const { what, wrong, right } = found(refusal);
      if (kind !== "case") return `${wrong || "an empty text"} is not a ${what}`;
      return `the ${what} is written ${wrong} instead of ${right}; AWS compares it case-sensitively`;
    },
    remedy: (refusal) => {
      const { what, right = `the ${what} that CircleCI shows in its settings`, isInToken } = found(refusal);
      return `write ${right} in ${isInToken ? "the claims" : refusal.where}`;
    },
  };
}

/** A misspelled condition key, organization id or part of the subject. */
function findMisspelling({ issuer, mismatch, ...refusal }: Refusal): Misspelling | undefined {
  if (mismatch?.kind === "unknown-key" && mismatch.claim !== undefined && mismatch.key.includes("://")) {
    const right = `${issuer.name}:${mismatch.claim}`;
    return { kind: "url", what: "condition key", wrong: mismatch.key, right, isInToken: false };
  }
  const wrong = SUBJECT_PARTS.flatMap(([part]) => (refusal[part] === undefined ? [] : [{ part, ...refusal[part] }]));
  const found = wrong.map(({ part, actual, expected }) => compareSpelling(part, actual, expected));
  const isOnlyCase = found.every((misspelling) => misspelling?.kind === "case");
  return found.find((misspelling) => misspelling !== undefined && (misspelling.kind !== "case" || isOnlyCase));
}

/** Whether one of two values is a URL, or a name instead of an id, or they differ only in case. */
function compareSpelling(part: keyof SubjectParts, actual = "", expected = ""): Misspelling | undefined {
  const isId = part === "organization" || part === "project";
  const what = isId ? `${part} id` : part;
  const values = [expected, actual];
  const url = values.find((value) => /:\/\/|^git@|\.git$/.test(value));
  if (url !== undefined) {
    const right = url.replace(/^.*:\/\/(.*\/org\/)?|\.git$/g, "").replace(/^git@([^:]*):/, "$1/");
    return { kind: "url", what, wrong: url, right, isInToken: url === actual };
  }
  const name = values.find((value) => isId && !/[*?]/.test(value) && !UUID.test(value.toLowerCase()));
  if (name !== undefined) {
    const right = UUID.test(actual) ? actual : undefined;
    return { kind: "name", what, wrong: name, right, isInToken: name === actual };
  }
  if (actual === expected || !matchesIgnoringCase(expected, actual)) return undefined;
  const isInToken = /[A-Z]/.test(actual) && !/[a-z]/.test(actual.replace(/[-\d/]/g, ""));
  const [wrong, right] = isInToken ? [actual, expected] : [expected, actual];
  return { kind: "case", what, wrong, right, isInToken };
}

function matchesIgnoringCase(pattern: string, text: string): boolean {
  return matchesAs("StringLike", pattern.toLowerCase(), text.toLowerCase());
}
