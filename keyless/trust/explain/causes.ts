import {
  CIRCLECI_CLOUD,
  organizationOf,
  parseIssuer,
  parseRef,
  parseSubject,
  pullRequestOf,
  REF_FORMS,
  SOURCE_CLAIMS,
  type SubjectParts,
  UUID,
} from "../circleci";
import { issuerOfArn } from "../provider";
import { audiencesOf, issuerOfClaims } from "../token";
import { matchesAs } from "./compare";
import type { Check, Mismatch, PartComparison, Question } from "./types";

/** What went wrong, of the mistakes that people make; the ids are for machines and do not change. */
export type Cause =
  | "no-token"
  | "not-a-token"
  | "other-organization"
  | "other-server"
  | "other-issuer"
  | "no-provider"
  | "url-for-id"
  | "upper-case"
  | "custom-audience"
  | "bad-signature"
  | "expired"
  | "not-yet-valid"
  | "v1-token"
  | "webhook-trigger"
  | "v2-token"
  | "wildcard-in-equals"
  | "name-for-id"
  | "bare-ref"
  | "wrong-project"
  | "wrong-user"
  | "wrong-branch"
  | "wrong-tag"
  | "tag-for-branch"
  | "branch-for-tag"
  | "fork"
  | "other-repository"
  | "other-subject"
  | "unknown-condition-key"
  | "denied"
  | "not-about-tokens"
  | "caller-condition"
  | "unsupported"
  | "other-condition";

/** What is wrong, in a sentence, and what to do about it. */
export interface Remedy {
  readonly cause: Cause;
  readonly why: string;
  /** The likeliest way out first. */
  readonly remedy: string;
}

/** A refusal as far as it has been narrowed down. */
interface Case {
  readonly question: Question;
  /** The check that failed, or that could not be decided. */
  readonly check: Check;
  readonly mismatch?: Mismatch;
  /** The ARNs of the providers that the role trusts. */
  readonly trusted: readonly string[];
}

/** What to do about a token that is none, as far as its text tells; the text itself is never shown. */
export function remedyForText(token: string, fault: string): Remedy {
  if (token === "") {
    return {
      cause: "no-token",
      why: "there is no token",
      remedy:
        "in a job, read CIRCLE_OIDC_TOKEN_V2: every job has it, except in the pipeline of a fork whose project does not " +
        "pass secrets to forked pull requests; elsewhere, write the claims out: --project, --repository, --branch",
    };
  }
  const remedy = /^[\\"']?\$/.test(token)
    ? "the variable's name was written instead of its value: use double quotes, or none, around $CIRCLE_OIDC_TOKEN_V2"
    : /^\**$/.test(token)
      ? "CircleCI masks secrets in a job's output: write the token to a file in the job, do not copy it from the log"
      : /^(AKIA|ASIA)/.test(token)
        ? "this is an AWS access key: the token is in CIRCLE_OIDC_TOKEN_V2"
        : 'write nothing but the token to the file: printf %s "$CIRCLE_OIDC_TOKEN_V2" > token';
  return { cause: "not-a-token", why: `this is not a token: ${fault}`, remedy };
}

/** The remedy for the first check that failed. */
export function remedyFor(found: Case): Remedy {
  const { question, check, mismatch } = found;
  switch (check.name) {
    case "issuer":
      return remedyForIssuer(found);
    case "signature":
      return {
        cause: "bad-signature",
        why: "the token's signature is not its issuer's: the token was changed, cut or made by somebody else",
        remedy: `take it from the job again, whole: printf %s "$CIRCLE_OIDC_TOKEN_V2" > token`,
      };
    case "audience":
      return remedyForAudience(question, Array.isArray(question.audiences) ? question.audiences : []);
    case "lifetime":
      return remedyForLifetime(check);
    case "trust policy":
      if (check.outcome === "unknown") return undecided(check);
      return mismatch === undefined ? remedyWithoutMismatch(found) : remedyForMismatch(question, mismatch);
  }
}

function remedyForIssuer({ question, trusted, check }: Case): Remedy {
  const actual = issuerOfClaims(question.claims);
  const issuers = trusted.map(issuerOfArn);
  const [expected = ""] = issuers;
  const [expectedHost, expectedOrganization] = splitIssuer(expected);
  const [host, organization = ""] = splitIssuer(actual);
  const trusts = `the role trusts ${issuers.join(" and ") || "no issuer"}`;
  if (issuers.includes(actual)) {
    return {
      cause: "no-provider",
      why: `the role trusts the token's issuer, but ${check.detail}`,
      remedy: "deploy the environment, which creates the provider, or create it by hand in this account",
    };
  }
  const misspelt =
    host === expectedHost && misspelling("organization id", question, organization, expectedOrganization ?? "");
  if (misspelt) return misspelt;
  if (expectedOrganization === undefined || organizationOf(actual, [expectedHost ?? ""]) === undefined) {
    if (organization !== "" && organization === expectedOrganization) {
      const cloud = host === CIRCLECI_CLOUD;
      return {
        cause: "other-server",
        why: `the token is ${cloud ? "circleci.com's" : `the CircleCI server's at ${host}`}, ${trusts}`,
        remedy: cloud
          ? "remove circleci.server from config.ts, or run the job on that server"
          : `set circleci.server: "${host}" in config.ts, or run the job on ${expectedHost}`,
      };
    }
    return {
      cause: "other-issuer",
      why: `the token is ${actual}'s, ${trusts}`,
      remedy: "show this role the token of a CircleCI job: CIRCLE_OIDC_TOKEN_V2",
    };
  }
  return {
    cause: "other-organization",
    why: `the token is of CircleCI organization ${organization}, ${trusts}`,
    remedy:
      `run the job in organization ${expectedOrganization}, or, if that is the wrong one, write the right id ` +
      "(Organization Settings → Overview) as circleci.organizationId in config.ts",
  };
}

function splitIssuer(issuer: string): [host: string, organization?: string] {
  const { host = issuer, organization } = parseIssuer(issuer) ?? {};
  return [host, organization];
}

function remedyForAudience({ claims, place }: Question, taken: readonly string[]): Remedy {
  const actual = audiencesOf(claims).join(", ");
  const [, organization] = splitIssuer(issuerOfClaims(claims));
  if (actual === organization) {
    return {
      cause: "custom-audience",
      why: `the token has CircleCI's own audience, the organization's id ${actual}; AWS takes only ${taken.join(", ") || "none"}`,
      remedy: place.endsWith("config.ts")
        ? `add "${actual}" to circleci.audiences in config.ts, or remove circleci.audiences: that id is the default`
        : `add ${actual} to the provider's client ids, and to the condition on aud in ${place}`,
    };
  }
  return {
    cause: "custom-audience",
    why: `the token is made for the audience ${actual}, AWS takes ${taken.join(", ") || "none"}`,
    remedy:
      `use the job's own CIRCLE_OIDC_TOKEN_V2 rather than one that was asked for with another aud; if CircleCI was told to ` +
      `use this one, add it to circleci.audiences in config.ts${place.endsWith("config.ts") ? "" : " and to the role's trust policy"}`,
  };
}

function remedyForLifetime({ detail }: Check): Remedy {
  if (!detail.startsWith("expired")) {
    return { cause: "not-yet-valid", why: `the token is ${detail}`, remedy: "set this machine's clock" };
  }
  return {
    cause: "expired",
    why: `the token ${detail}; everything else is right`,
    remedy:
      "assume the role early in the job, or take a new token just before: circleci run oidc get --claims '{}' gives one at any time",
  };
}

function undecided({ detail }: Check): Remedy {
  return detail.includes("hangs on the call")
    ? {
        cause: "caller-condition",
        why: `only AWS can tell: ${detail}`,
        remedy: "compare that condition with where the job runs",
      }
    : {
        cause: "unsupported",
        why: `this cannot be decided here: ${detail}`,
        remedy: "correct that part of the trust policy",
      };
}

function remedyWithoutMismatch({ check, question, trusted }: Case): Remedy {
  if (/denies it$/.test(check.detail)) {
    return { cause: "denied", why: check.detail, remedy: `remove or narrow that Deny in ${question.place}` };
  }
  return {
    cause: "not-about-tokens",
    why: `no statement allows sts:AssumeRoleWithWebIdentity for tokens of ${issuerOfClaims(question.claims)}`,
    remedy:
      trusted.length === 0
        ? `name the provider as Principal.Federated, and the action, in ${question.place}`
        : `name the action sts:AssumeRoleWithWebIdentity in ${question.place}`,
  };
}

function remedyForMismatch(question: Question, mismatch: Mismatch): Remedy {
  const { key, note, closest, actual, operator, parts } = mismatch;
  const { place } = question;
  if (note !== undefined) {
    const claim = /:(aud|sub)$/.exec(key)?.[1];
    if (claim !== undefined) {
      const right = `${issuerOfClaims(question.claims)}:${claim}`;
      return {
        cause: key.includes("://") ? "url-for-id" : "unknown-condition-key",
        why: `the condition key ${key} is not that of the token's issuer, so the condition is never met`,
        remedy: `write ${right} in ${place}`,
      };
    }
    return {
      cause: "unknown-condition-key",
      why: `the condition ${operator} on ${key} can never be met: ${note}`,
      remedy: `remove that condition from ${place}; pin the branch in the subject instead`,
    };
  }
  if (key.endsWith(":aud")) return remedyForAudience(question, mismatch.expected);
  const [value = ""] = actual;
  if (/^StringNot/.test(operator) || !key.endsWith(":sub")) {
    return {
      cause: "other-condition",
      why: `${operator} on ${key} refuses ${value}`,
      remedy: `change that condition in ${place}`,
    };
  }
  if (!operator.includes("Like") && matchesAs("StringLike", closest, value)) {
    return {
      cause: "wildcard-in-equals",
      why: `${operator} takes the wildcard in the subject literally, so that no token matches it`,
      remedy: `use StringLike for the subject in ${place}`,
    };
  }
  return (
    (parts && remedyForParts(question, parts)) ?? {
      cause: "other-subject",
      why: `the token's subject, ${value}, is not one that the role trusts`,
      remedy: `name it in ${place}, if it is to be trusted`,
    }
  );
}

function remedyForParts(question: Question, parts: readonly PartComparison[]): Remedy | undefined {
  const wrong = new Map(parts.filter(({ matches }) => !matches).map((part) => [part.part, part]));
  const [first] = wrong.values();
  if (first === undefined) return undefined;
  for (const { part, actual = "", expected = "" } of wrong.values()) {
    const misspelt = misspelling(
      part === "organization" || part === "project" ? `${part} id` : part,
      question,
      actual,
      expected,
    );
    if (misspelt !== undefined && (misspelt.cause !== "upper-case" || onlyCase(wrong.values()))) return misspelt;
  }
  const { place } = question;
  const organization = wrong.get("organization");
  if (organization !== undefined) {
    return {
      cause: "other-organization",
      why: `the token is of CircleCI organization ${organization.actual}, the role trusts ${organization.expected}`,
      remedy: `correct the organization's id in ${place}: Organization Settings → Overview shows it`,
    };
  }
  const project = wrong.get("project");
  if (project !== undefined) {
    return {
      cause: "wrong-project",
      why: `the token is of project ${project.actual}, the role trusts project ${project.expected}`,
      remedy: `add a rule for ${project.actual} to ${place}, if that project is to get in; Project Settings → Overview shows its id`,
    };
  }
  return remedyForForm(question, wrong) ?? remedyForSource(place, wrong) ?? remedyForUser(place, wrong);
}

type Wrong = ReadonlyMap<keyof SubjectParts, PartComparison>;

/** A token of one form where the other is wanted. */
function remedyForForm({ source, claims, place }: Question, wrong: Wrong): Remedy | undefined {
  const ref = wrong.get("ref");
  if (ref === undefined || (ref.actual !== undefined && ref.expected !== undefined)) return undefined;
  if (ref.actual !== undefined) {
    return {
      cause: "v2-token",
      why: "the token names repository and branch (V2, which the aws-cli orb sends from version 5 on); the role wants the exact V1 subject",
      remedy: `trust the branch in ${place}: { project, repository: "${parseSubject(claims.sub)?.repository ?? ""}", ${ruleFor(ref.actual)} }; or send CIRCLE_OIDC_TOKEN, which any branch has`,
    };
  }
  const saysRef = typeof claims[SOURCE_CLAIMS.ref] === "string";
  if (source === "CIRCLE_OIDC_TOKEN_V2" && !saysRef) {
    return {
      cause: "webhook-trigger",
      why: "a custom webhook started this pipeline: CircleCI then names neither repository nor branch, not even in CIRCLE_OIDC_TOKEN_V2",
      remedy: `start the pipeline by a push; or trust every trigger of the project in ${place}: { project, refs: "any" }`,
    };
  }
  return {
    cause: "v1-token",
    why: `the token names neither repository nor branch (V1), the role wants ${ref.expected}`,
    remedy:
      "send CIRCLE_OIDC_TOKEN_V2 instead of CIRCLE_OIDC_TOKEN" +
      (saysRef || source === "CIRCLE_OIDC_TOKEN"
        ? ""
        : "; if it is that one, a custom webhook started the pipeline: start it by a push"),
  };
}

function ruleFor(ref: string): string {
  return `${parseRef(ref)?.kind === "tag" ? "tags" : "branches"}: ["${shortRef(ref)}"]`;
}

function shortRef(ref: string): string {
  return parseRef(ref)?.name ?? ref;
}

/** Another repository or ref than the role trusts. */
function remedyForSource(place: string, wrong: Wrong): Remedy | undefined {
  const repository = wrong.get("repository");
  const { actual = "", expected = "" } = wrong.get("ref") ?? {};
  const pull = pullRequestOf(actual);
  if (pull !== undefined) {
    return {
      cause: "fork",
      why: `this is the pipeline of pull request ${pull} from ${repository === undefined ? "a fork" : `the fork ${repository.actual}`}: whoever opens one would get in`,
      remedy: `leave it refused: skip the job for forked pull requests, or push the branch to ${repository?.expected ?? "the repository itself"}`,
    };
  }
  if (repository !== undefined) {
    return {
      cause: "other-repository",
      why: `the token is of repository ${repository.actual}, the role trusts ${repository.expected}`,
      remedy: `if the repository was renamed or moved, write ${repository.actual} in ${place}; if it is another, it is rightly refused`,
    };
  }
  return actual === "" ? undefined : remedyForRef(place, actual, expected);
}

function remedyForRef(place: string, actual: string, expected: string): Remedy {
  if (parseRef(expected) === undefined && !/^[*?]/.test(expected)) {
    return {
      cause: "bare-ref",
      why: `the role trusts the ref ${expected}, a token spells it whole: ${actual}`,
      remedy: `write the ref as ${REF_FORMS} in ${place}`,
    };
  }
  const isTag = parseRef(actual)?.kind === "tag";
  const wantsTag = parseRef(expected)?.kind === "tag";
  const kind = isTag ? "tag" : "branch";
  const cause = isTag === wantsTag ? (`wrong-${kind}` as const) : isTag ? "tag-for-branch" : "branch-for-tag";
  return {
    cause,
    why: `the pipeline ran on ${kind} ${shortRef(actual)}, the role trusts ${wantsTag ? "tag" : "branch"} ${shortRef(expected)}`,
    remedy: `run the job on ${wantsTag ? "tag" : "branch"} ${shortRef(expected)} only (a filter in the workflow); if ${kind} ${shortRef(actual)} is to get in, add ${ruleFor(actual)} to the rule in ${place}`,
  };
}

function remedyForUser(place: string, wrong: Wrong): Remedy | undefined {
  const user = wrong.get("user");
  return (
    user && {
      cause: "wrong-user",
      why: `the pipeline was started by user ${user.actual}, the role trusts ${user.expected}`,
      remedy: `have the trusted user start it, or add ${user.actual} to users of the rule in ${place}`,
    }
  );
}

function onlyCase(wrong: Iterable<PartComparison>): boolean {
  return [...wrong].every(({ actual = "", expected = "" }) =>
    matchesAs("StringLike", expected.toLowerCase(), actual.toLowerCase()),
  );
}

/** A URL where an id or a name belongs, or the wrong case, on either side. */
function misspelling(what: string, question: Question, actual: string, expected: string): Remedy | undefined {
  const fix = (side: string) => (side === actual ? "where the token's claims are written out" : `in ${question.place}`);
  const url = [expected, actual].find((side) => /:\/\/|^git@|\.git$/.test(side));
  if (url !== undefined) {
    const bare = url
      .replace(/^.*:\/\/(.*\/org\/)?/, "")
      .replace(/^git@([^:]*):/, "$1/")
      .replace(/\.git$/, "");
    return { cause: "url-for-id", why: `${url} stands where the ${what} belongs`, remedy: `write ${bare} ${fix(url)}` };
  }
  const name = what.endsWith(" id")
    ? [expected, actual].find((side) => !/[*?]/.test(side) && !UUID.test(side.toLowerCase()))
    : undefined;
  if (name !== undefined) {
    const right = UUID.test(actual) ? `write ${actual}` : "write the id that CircleCI shows in its settings";
    return {
      cause: "name-for-id",
      why: `${name || "nothing"} stands where the ${what} belongs`,
      remedy: `${right} ${fix(name)}`,
    };
  }
  if (actual !== expected && matchesAs("StringLike", expected.toLowerCase(), actual.toLowerCase())) {
    const upper = /^[^a-z]*$/.test(actual.replace(/[-\d/]/g, "")) && /[A-Z]/.test(actual) ? actual : expected;
    return {
      cause: "upper-case",
      why: `the ${what} differs in case alone, ${actual} from ${expected}; AWS compares letter by letter`,
      remedy: upper === actual ? `write ${expected} ${fix(actual)}` : `write ${actual} ${fix(expected)}`,
    };
  }
  return undefined;
}
