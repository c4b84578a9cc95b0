import { openAccount } from "../aws/iam";
import type { Environment } from "../config/resolved";
import { configuredTrust } from "../config/trust";
import { UserError } from "../errors";
import { type Explanation, explain, trustedProviders } from "../trust/explain";
import { remedyForTokenError } from "../trust/explain/causes";
import { differences } from "../trust/explain/differences";
import type { Question, Signature } from "../trust/explain/types";
import { providerArn } from "../trust/provider";
import { type Claims, issuerOfClaims, type TokenError } from "../trust/token";
import { verifySignature } from "./signature";

/** An explanation and the role that it is for. */
export interface RoleExplanation extends Explanation {
  readonly environment: string;
  readonly role: string;
  /** Where the trust policy was read. */
  readonly trust: "configuration" | "account";
  /** How the trust in the account differs from the configured trust. Absent if not both were read. */
  readonly differences?: readonly string[];
}

/** The claims of a token, with the token itself if there is one. */
export type GivenToken = Pick<Question, "claims" | "source"> & { readonly text?: string };

/**
 * Explains whether a role trusts a token.
 *
 * @param role the name of a configured role; if `live`, of any role of the account
 * @param live reads the role and the provider from the account instead of the configuration
 * @throws {UserError} if the account cannot be read, or has no such role
 */
export async function explainRole(
  environment: Environment,
  role: string,
  given: GivenToken | TokenError,
  live: boolean,
): Promise<RoleExplanation> {
  const subject = { environment: environment.name, role, trust: live ? "account" : "configuration" } as const;
  if (!("claims" in given)) {
    return { ...subject, decision: "refused", checks: [], remedy: remedyForTokenError(given) };
  }
  const found = environment.roles.find(({ name }) => name === role);
  const configured = found && configuredTrust(environment, found);
  const trust = live || configured === undefined ? await readTrust(environment, role, given.claims) : configured;
  const signature = await checkGivenSignature(given, trust.trustPolicy, environment);
  const explanation = explain({ ...given, ...trust, account: environment, signature, now: new Date() });
  if (!live || configured === undefined) return { ...subject, ...explanation };
  const { trustPolicy, audiences } = trust;
  const attached = { trustPolicy, audiences: audiences === "absent" ? [] : audiences };
  return { ...subject, ...explanation, differences: differences(attached, configured) };
}

async function readTrust(environment: Environment, role: string, claims: Claims) {
  const account = await openAccount(environment);
  const found = await account.role(role);
  if (found === undefined) throw new UserError(`there is no role "${role}" in account ${environment.accountId}`);
  const audiences = await account.audiences(providerArn(issuerOfClaims(claims), environment));
  return { trustPolicy: found.trustPolicy, audiences: audiences ?? ("absent" as const) };
}

/** Keys are requested only from issuers that the role trusts: the token must not choose the host of a request. */
async function checkGivenSignature(
  { text, claims }: GivenToken,
  trustPolicy: Question["trustPolicy"],
  environment: Environment,
): Promise<Signature> {
  if (text === undefined) return { verdict: "unchecked", note: "not checked: there is no token" };
  const arn = providerArn(issuerOfClaims(claims), environment);
  if (!claims.iss.startsWith("https://") || !trustedProviders(trustPolicy).includes(arn)) {
    return { verdict: "unchecked", note: "not checked: the role does not trust the token's issuer" };
  }
  // The sandbox has an issuer of its own, which signs instead of CircleCI.
  return verifySignature(text, process.env.KEYLESS_ISSUER ?? claims.iss);
}
