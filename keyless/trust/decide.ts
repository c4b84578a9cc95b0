import type { PolicyDocument } from "../policy/document";
import { type Decision, evaluate, type Request } from "../policy/evaluate";
import { type ConditionClaim, conditionClaims, PROJECT_CLAIM } from "./circleci";
import { type Account, providerArn } from "./provider";
import { audiencesOf, type Claims, issuerOfClaims } from "./token";

/**
 * Decides whether a trust policy allows `sts:AssumeRoleWithWebIdentity` for a token with these claims. The signature, the
 * lifetime and the provider's client ids are not checked.
 *
 * In one case it refuses what AWS allows: a condition on a key that AWS does not have for the issuer never matches in an
 * Allow. In AWS, the key is absent: negated operators, `…IfExists`, `ForAllValues:` and `Null: true` are always met. Such a
 * condition does not restrict what its author intended. `explain` decides as AWS does, and reports the condition.
 *
 * @param now the time of the request; default: the current time
 * @param request what is known of the request apart from the token, e.g. the caller's address in `context`; default: the
 *   time alone
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export function decideTrust(
  document: PolicyDocument,
  claims: Claims,
  account: Account,
  now = new Date(),
  { context = {}, ...request }: Partial<Pick<Request, "resource" | "context">> = {},
): Decision {
  const known = webIdentityRequest(claims, account, now);
  return evaluate(
    { resource: [{ name: "trust policy", document }] },
    { ...known, ...request, context: { ...known.context, ...context } },
    { unknownKey: unknownKeyFor(issuerOfClaims(claims)) },
  );
}

/**
 * The request that a trust policy is evaluated for. Its context has the keys that follow from the token and the time.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
 */
export function webIdentityRequest(claims: Claims, account: Account, now: Date): Request {
  const issuer = issuerOfClaims(claims);
  const keys = conditionClaims(issuer).flatMap((claim): [string, string | readonly string[]][] => {
    const value = claim === "aud" ? audiencesOf(claims) : claims[claim];
    return typeof value === "string" || Array.isArray(value) ? [[`${issuer}:${claim}`, value]] : [];
  });
  return {
    principal: { kind: "Federated", id: providerArn(issuer, account) },
    action: "sts:AssumeRoleWithWebIdentity",
    resource: "*",
    context: {
      ...Object.fromEntries(keys),
      "aws:CurrentTime": now.toISOString(),
      "aws:EpochTime": String(Math.floor(now.getTime() / 1000)),
      // True only for a token with the claim https://aws.amazon.com/roles, which CircleCI does not issue.
      [AUTHORIZED_BY_IDP]: "false",
    },
  };
}

/**
 * The condition key for whether the token names the role.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_sts.html
 */
export const AUTHORIZED_BY_IDP = "sts:RoleAuthorizedByIdp";

/** For an issuer: a function that returns why AWS does not have a condition key for its tokens, undefined if it has. */
export function unknownKeyFor(issuer: string): (key: string) => string | undefined {
  const known = new Set(conditionClaims(issuer).map((claim) => `${issuer}:${claim}`.toLowerCase()));
  return (key) => {
    if (known.has(key.toLowerCase()) || isRequestKey(key)) return undefined;
    return `AWS has no condition key "${key}" for tokens of ${issuer}: it knows ${[...known].join(", ")}`;
  };
}

/**
 * The claim that a condition key names, even if AWS does not have the key: it lacks the issuer, names another one, or
 * misspells `oidc.circleci.com/project-id`. Undefined for a key of another claim or of the request.
 */
export function claimOfKey(key: string): ConditionClaim | undefined {
  if (isRequestKey(key)) return undefined;
  if (/(^|[:/])project[-_]?id$/i.test(key)) return PROJECT_CLAIM;
  return (["aud", "sub"] as const).find((claim) => `:${key.toLowerCase()}`.endsWith(`:${claim}`));
}

/** Whether a condition key describes the request, not the token: the caller's address, the time, the session's name. */
export function isRequestKey(key: string): boolean {
  return /^(aws|sts):/i.test(key);
}
