import type { Environment, Role } from "../config/resolved";
import { configuredTrust } from "../config/trust";
import { UserError } from "../errors";
import { findOnPath, outputOf } from "../terraform/executables";
import { duration, oneLine } from "../text";
import { explain } from "../trust/explain";
import { type Remedy, remedyForTokenError } from "../trust/explain/causes";
import type { TokenSource } from "../trust/explain/types";
import { readToken, type Token, TokenError } from "../trust/token";

/** In seconds. A token that expires earlier is replaced by a new one if possible. */
const MIN_REMAINING_S = 600;

/** Why a token of the job should not be used. */
export interface TokenProblem {
  readonly message: string;
  /** Whether AWS refuses the token. If not, AWS decides. */
  readonly fatal: boolean;
  /** Whether a new token may not have the problem. */
  readonly renewable: boolean;
}

const RENEW = { fatal: true, renewable: true };
const STOP = { fatal: true, renewable: false };
const WARN = { fatal: false, renewable: false };

/** The reaction to each cause. Default: a warning. */
const REACTIONS: { readonly [cause in Remedy["cause"]]?: Omit<TokenProblem, "message"> } = {
  expired: RENEW,
  "custom-audience": RENEW,
  "several-audiences": RENEW,
  "other-issuer": STOP,
  "other-organization": STOP,
  "other-server": STOP,
  "v1-token": STOP,
  "webhook-trigger": STOP,
};

/**
 * The token of this job, or a new one from CircleCI if the job's token has expired, expires soon or has another audience.
 *
 * @throws {UserError} if there is no token, or AWS refuses it
 */
export async function currentOrNewToken(
  environment: Environment,
  role: Role,
): Promise<{ readonly token: Token; readonly warning?: string }> {
  const { CIRCLE_OIDC_TOKEN_V2: v2, CIRCLE_OIDC_TOKEN: v1 } = process.env;
  const variable = !v2 && v1 ? "CIRCLE_OIDC_TOKEN" : "CIRCLE_OIDC_TOKEN_V2";
  const token = readJobToken(process.env[variable], variable);
  const problem = findTokenProblem(token, variable, environment, role);
  if (problem?.renewable) {
    const newToken = await requestToken(environment.circleci.audiences[0] ?? "");
    const newProblem = newToken && findTokenProblem(newToken, "CIRCLE_OIDC_TOKEN_V2", environment, role);
    if (newToken && !newProblem?.fatal) return { token: newToken, warning: newProblem?.message };
  }
  if (problem?.fatal) throw new UserError(problem.message);
  return { token, warning: problem?.message };
}

/**
 * Reads a token of the job.
 *
 * @param where the source of the text, for error messages
 * @throws {UserError} if it is not a token
 */
export function readJobToken(text: string | undefined, where: string): Token {
  try {
    return readToken(text);
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    throw new UserError(`${where}: ${describeRemedy(remedyForTokenError(error))}`);
  }
}

/** Compares a token with the configured trust of a role. The signature is not verified. */
export function findTokenProblem(
  { claims }: Token,
  source: TokenSource,
  environment: Environment,
  role: Role,
  now = new Date(),
): TokenProblem | undefined {
  const { remedy } = explain({ claims, source, ...configuredTrust(environment, role), now });
  if (remedy !== undefined) return { message: describeRemedy(remedy), ...(REACTIONS[remedy.cause] ?? WARN) };
  const remaining = (claims.exp ?? 0) - now.getTime() / 1000;
  if (remaining >= MIN_REMAINING_S) return undefined;
  const message = `the token expires in ${duration(remaining)}: AWS clients then fail with ExpiredToken`;
  return { message, fatal: false, renewable: true };
}

function describeRemedy({ why, remedy }: Remedy): string {
  return oneLine(`${why}: ${remedy}`);
}

/** @see https://circleci.com/docs/openid-connect-tokens/#oidc-tokens-with-custom-claims */
async function requestToken(audience: string): Promise<Token | undefined> {
  const circleci = findOnPath("circleci", process.env);
  const claims = JSON.stringify({ aud: audience });
  const text = circleci && (await outputOf(circleci, ["run", "oidc", "get", "--claims", claims], process.env));
  return text ? readJobToken(text, "the output of `circleci run oidc get`") : undefined;
}
