import type { Environment, Role } from "../config/resolved";
import { UserError } from "../errors";
import { duration } from "../text";
import { parseSubject } from "../trust/circleci";
import { audiencesOf, type Claims, readClaims } from "../trust/token";

/** Fewer seconds than this are too few to begin a job's work with: a new token is asked for where one can be had. */
const SOON = 600;

/** What is wrong with a token. */
export interface TokenProblem {
  readonly message: string;
  /** Whether a token that is made for the occasion may be right. */
  readonly renewable: boolean;
  /** Whether AWS would refuse the token already now. */
  readonly fatal: boolean;
}

/** A token that AWS will probably take: only AWS knows, since only it checks the signature. */
export interface Token {
  readonly text: string;
  readonly claims: Claims;
}

/**
 * The claims of a token, unverified.
 *
 * @throws {UserError} when there is no token, or it is none
 */
export function readToken(text: string | undefined, where: string): Token {
  if (text === undefined || text.trim() === "") {
    throw new UserError(
      `${where} is empty: there is no token to trade. A CircleCI job has one, except that of a fork's pull request, ` +
        "to which CircleCI passes no secrets; on a machine of your own sign in to AWS instead.",
    );
  }
  try {
    return { text: text.trim(), claims: readClaims(text.trim()) };
  } catch (error) {
    throw new UserError(
      `${where} is no OpenID Connect token (${(error as Error).message}): pass on CircleCI's variable as it is, unquoted and whole.`,
    );
  }
}

/** What is visibly wrong with a token for a role, before AWS is asked. AWS itself answers nearly all of it alike. */
export function tokenProblem(
  { claims }: Token,
  environment: Environment,
  role: Role,
  now: Date,
): TokenProblem | undefined {
  const { issuer, audiences } = environment.circleci;
  const seconds = (claims.exp ?? 0) - now.getTime() / 1000;
  if (claims.iss !== `https://${issuer}`) {
    return problem(
      `the token is of another issuer, ${claims.iss}; environment ${environment.name} trusts https://${issuer}: ` +
        "correct circleci.organizationId (or circleci.server) in config.ts, or run the job in that organization",
    );
  }
  if (needsRef(role) && parseSubject(claims.sub)?.ref === undefined) {
    return problem(
      `the token says neither repository nor branch (sub ${claims.sub}), and role ${role.name} trusts branches or tags: ` +
        "use CIRCLE_OIDC_TOKEN_V2, in a pipeline that a push, a pull request or a schedule started; a custom webhook's has no ref",
    );
  }
  if (seconds <= 0) {
    return renewable(
      `the token expired ${duration(-seconds)} ago, at ${at(claims)}: rerun the job, and get credentials at its beginning`,
    );
  }
  const audience = audiencesOf(claims);
  if (!audience.some((each) => audiences.includes(each))) {
    return renewable(
      `the token is for ${audience.join(", ")}, and environment ${environment.name} takes ${audiences.join(", ")}: ` +
        "ask for that audience with `circleci run oidc get`, or name the token's in circleci.audiences of config.ts",
    );
  }
  if (seconds < SOON) {
    return { ...renewable(`the token expires in ${duration(seconds)}, at ${at(claims)}`), fatal: false };
  }
  return undefined;
}

/** Whether a token must tell branch or tag to be given the role. */
function needsRef({ trust }: Role): boolean {
  return trust.every((rule) => "repository" in rule);
}

/** How long a token lives, e.g. `60 minutes`. */
export function lifeOf({ claims }: Token, now: Date): string {
  return duration((claims.exp ?? 0) - now.getTime() / 1000);
}

function problem(message: string): TokenProblem {
  return { message, renewable: false, fatal: true };
}

function renewable(message: string): TokenProblem {
  return { message, renewable: true, fatal: true };
}

function at({ exp = 0 }: Claims): string {
  return new Date(exp * 1000).toISOString();
}
