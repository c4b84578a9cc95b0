import { createLocalJWKSet, decodeJwt, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from "jose";
import type { NamedPolicy } from "../../policy/evaluate";
import { PROJECT_CLAIM } from "../../trust/circleci";
import { decideTrust, webIdentityRequest } from "../../trust/decide";
import type { Account } from "../../trust/provider";
import { type Claims, issuerOfClaims } from "../../trust/token";
import { AwsError } from "./aws-error";
import { type Call, type ConditionKeys, members, presentKeys } from "./call";
import { formTags } from "./services/iam";
import type { Store, StoredRole } from "./store";

/** A role session. */
export interface Session extends Account {
  readonly roleName: string;
  /** The unique id of the role: a role that is created again under the same name has another one. */
  readonly roleId: string;
  /** `arn:aws:sts::<account>:assumed-role/<role>/<session name>` */
  readonly arn: string;
  /** The session policies. If empty, they do not limit the session. */
  readonly policies: readonly NamedPolicy[];
  /** The session tags, which take precedence over the role's tags. */
  readonly tags: Readonly<Record<string, string>>;
  /** The keys of the tags that roles which the session assumes inherit. */
  readonly transitiveTagKeys: readonly string[];
  /** The condition keys that are set when the session is created: the token's claims, the time. */
  readonly context: ConditionKeys;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expires: Date;
}

/** A session for which moto has not issued the access key yet. */
export type NewSession = Omit<Session, "secretAccessKey" | "sessionToken" | "expires">;

const notAuthorized = () =>
  new AwsError("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403);

/**
 * Checks an `AssumeRoleWithWebIdentity` request as AWS does, in this order: the parameters; the token's format, signature
 * and expiry; the provider and its audiences; the role and its trust policy; the duration.
 *
 * @throws {AwsError} for the first check that fails
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export async function assumeRoleWithWebIdentity(
  { form }: Call,
  store: Store,
  keys: JSONWebKeySet,
): Promise<NewSession> {
  const { account, roleName, roleArn } = parseForm(form);
  const claims = await verify(form.get("WebIdentityToken") ?? "", keys);
  const now = new Date();
  const request = webIdentityRequest(claims, account, now);
  const audiences = await store.audiences(account, request.principal.id);
  if (!audiences) {
    throw new AwsError("InvalidIdentityToken", `No OpenIDConnect provider found in your account for ${claims.iss}`);
  }
  if (!audiences.includes(claims.aud)) throw new AwsError("InvalidIdentityToken", "Incorrect token audience");

  const role = await store.role(account, roleName);
  if (role?.arn !== roleArn) throw notAuthorized();
  const claimKeys: ConditionKeys = { ...request.context, "aws:FederatedProvider": request.principal.id };
  const context = {
    ...claimKeys,
    ...presentKeys({ "sts:RoleSessionName": form.get("RoleSessionName") }),
    ...requestTimeContext(now),
  };
  const decision = decideTrust(role.trust.document, claims, account, now, { resource: roleArn, context });
  if (decision.outcome !== "allowed") throw notAuthorized();
  checkDuration(form, role.maxSessionSeconds);
  // AWS has the key of the project only while the role is assumed.
  const { [`${issuerOfClaims(claims)}:${PROJECT_CLAIM}`]: _, ...sessionKeys } = claimKeys;
  return newSession(form, store, account, role, sessionKeys);
}

/**
 * Checks the parameters and the role of an `AssumeRole` request. The permission is evaluated like every other one.
 *
 * @param callerArn The caller, for error messages.
 * @param caller The caller if it is a role session: the new session is limited to an hour, and inherits tags and the source
 * identity.
 * @throws {AwsError} for the first check that fails
 */
export async function assumeRole(
  { form }: Call,
  callerArn: string,
  store: Store,
  caller: Session | undefined,
): Promise<NewSession> {
  const { account, roleName, roleArn } = parseForm(form);
  const role = await store.role(account, roleName);
  if (role?.arn !== roleArn) {
    const message = `User: ${callerArn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`;
    throw new AwsError("AccessDenied", message, 403);
  }
  if (caller && Number(form.get("DurationSeconds") ?? 0) > 3600) {
    throw tooLong("the 1 hour session limit for roles assumed by role chaining");
  }
  checkDuration(form, role.maxSessionSeconds);
  return newSession(form, store, account, role, {}, caller);
}

/** Reads the credentials of a session from moto's response. */
export function issuedKeys(xml: string): Omit<Session, keyof NewSession> & { accessKeyId: string } {
  const field = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(xml)?.[1] ?? "";
  const expires = new Date(field("Expiration"));
  const secretAccessKey = field("SecretAccessKey");
  return { accessKeyId: field("AccessKeyId"), secretAccessKey, sessionToken: field("SessionToken"), expires };
}

async function newSession(
  form: URLSearchParams,
  store: Store,
  account: Account,
  role: StoredRole,
  keys: ConditionKeys,
  caller?: Session,
) {
  const inherited = inheritedTags(caller, form);
  const sourceIdentity = caller?.context["aws:SourceIdentity"] ?? form.get("SourceIdentity");
  const sessionName = form.get("RoleSessionName") ?? "";
  return {
    ...account,
    roleName: role.name,
    roleId: role.id,
    arn: `arn:${account.partition}:sts::${account.accountId}:assumed-role/${role.name}/${sessionName}`,
    policies: await sessionPolicies(form, store, account),
    tags: { ...inherited, ...formTags(form) },
    transitiveTagKeys: [...Object.keys(inherited), ...members(form, "TransitiveTagKeys")],
    context: {
      ...keys,
      ...presentKeys({ "aws:SourceIdentity": sourceIdentity }),
      "aws:userid": `${role.id}:${sessionName}`,
      "aws:TokenIssueTime": new Date().toISOString(),
    },
  };
}

/**
 * The tags that a session inherits from its caller. A request must not change them, nor the source identity.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_role-chaining
 */
function inheritedTags(caller: Session | undefined, form: URLSearchParams): Record<string, string> {
  const { tags = {}, transitiveTagKeys = [], context } = caller ?? {};
  const identity = context?.["aws:SourceIdentity"];
  if (identity !== undefined && (form.get("SourceIdentity") ?? identity) !== identity) {
    throw new AwsError("AccessDenied", "The source identity of a session cannot be changed.", 403);
  }
  const changed = transitiveTagKeys.find((key) => key in formTags(form));
  if (changed !== undefined) {
    const message = `One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session: ${changed}`;
    throw new AwsError("InvalidParameterValue", message);
  }
  return Object.fromEntries(transitiveTagKeys.map((key) => [key, tags[key] ?? ""]));
}

async function sessionPolicies(form: URLSearchParams, store: Store, account: Account): Promise<NamedPolicy[]> {
  const inline = form.get("Policy");
  const arns = members(form, "PolicyArns", "arn");
  // An empty policy is not the same as none, which does not limit the session.
  if (inline === "") throw invalid("policy", "", "have length greater than or equal to 1");
  if (arns.length === 0 && [...form.keys()].some((name) => /^PolicyArns\b/.test(name))) {
    throw invalid("policyArns", "", "have length greater than or equal to 1");
  }
  const invalidArn = arns.find((arn) => !/^arn:[\w-]+:iam::(aws|\d{12}):policy\/.+/.test(arn));
  if (invalidArn !== undefined) throw new AwsError("ValidationError", `ARN ${invalidArn} is not valid.`);
  const own = inline === null ? [] : [{ name: "session policy", document: parsePolicy(inline) }];
  return [...own, ...(await Promise.all(arns.map((arn) => store.managedPolicy(account, arn))))];
}

function parsePolicy(text: string) {
  try {
    const document = JSON.parse(text);
    if (typeof document?.Statement === "object" && document.Statement !== null) return document;
  } catch {}
  throw new AwsError("MalformedPolicyDocument", "The policy is not in the valid JSON format.");
}

/** The role of a request. Checks the role's ARN and the session name. */
function parseForm(form: URLSearchParams): { account: Account; roleName: string; roleArn: string } {
  const roleArn = form.get("RoleArn") ?? "";
  const [, partition, accountId, roleName] =
    /^arn:([\w-]+):iam::(\d{12}):role\/(?:.*\/)?([\w+=,.@-]+)$/.exec(roleArn) ?? [];
  if (!partition || !accountId || !roleName) throw new AwsError("ValidationError", `${roleArn} is invalid`);
  const name = form.get("RoleSessionName") ?? "";
  if (!/^[\w+=,.@-]*$/.test(name))
    throw invalid("roleSessionName", name, "satisfy regular expression pattern: [\\w+=,.@-]*");
  if (name.length < 2) throw invalid("roleSessionName", name, "have length greater than or equal to 2");
  if (name.length > 64) throw invalid("roleSessionName", name, "have length less than or equal to 64");
  return { account: { partition, accountId }, roleName, roleArn };
}

function checkDuration(form: URLSearchParams, maximum: number): void {
  const given = form.get("DurationSeconds") ?? "3600";
  const seconds = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN;
  if (!(seconds >= 900)) throw invalid("durationSeconds", given, "have value greater than or equal to 900");
  if (seconds > 43200) throw invalid("durationSeconds", given, "have value less than or equal to 43200");
  if (seconds > maximum) throw tooLong("the MaxSessionDuration set for this role");
}

function tooLong(limit: string): AwsError {
  return new AwsError("ValidationError", `The requested DurationSeconds exceeds ${limit}.`);
}

function invalid(field: string, value: string, constraint: string): AwsError {
  const failure = `Value '${value}' at '${field}' failed to satisfy constraint: Member must ${constraint}`;
  return new AwsError("ValidationError", `1 validation error detected: ${failure}`);
}

/** Verifies a token's format, signature and expiry. Returns its claims. */
async function verify(token: string, keys: JSONWebKeySet): Promise<Claims & { readonly aud: string }> {
  try {
    decodeJwt(token);
  } catch {
    const message = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";
    throw new AwsError("InvalidIdentityToken", message);
  }
  try {
    const requiredClaims = ["iss", "sub", "aud", "exp", "iat"];
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys), { requiredClaims });
    return { ...(payload as JWTPayload & Claims), aud: audienceOf(payload) };
  } catch (error) {
    throw tokenError(error);
  }
}

function tokenError(error: unknown): AwsError {
  if (error instanceof errors.JWTExpired) {
    const now = Math.floor(Date.now() / 1000);
    const message = `Token expired: current date/time ${now} must be before the expiration date/time ${error.payload.exp}`;
    return new AwsError("ExpiredTokenException", message);
  }
  const message =
    error instanceof errors.JWKSNoMatchingKey
      ? "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity " +
        "documentation for requirements"
      : "The web identity token that was passed could not be validated by AWS. Get a new identity token from the " +
        "identity provider and then retry the request.";
  return new AwsError("InvalidIdentityToken", message);
}

/** The audience of a token: AWS uses the claim `azp` instead of `aud` if a token has it. */
function audienceOf({ aud, azp }: JWTPayload): string {
  if (typeof azp === "string") return azp;
  return Array.isArray(aud) ? (aud.length === 1 ? String(aud[0]) : "") : (aud ?? "");
}

/** The condition keys that every request has. The sandbox has no TLS, but requests to AWS have it. */
export function requestTimeContext(now: Date = new Date()): ConditionKeys {
  return {
    "aws:CurrentTime": now.toISOString(),
    "aws:EpochTime": String(Math.floor(now.getTime() / 1000)),
    "aws:SecureTransport": "true",
    "aws:SourceIp": "127.0.0.1",
    "aws:ViaAWSService": "false",
  };
}
