import type { JSONWebKeySet } from "jose";
import { partitionOf } from "../../config/partition";
import { evaluate } from "../../policy/evaluate";
import { accountOf } from "../../policy/principals";
import type { Account } from "../../trust/provider";
import { AwsError, accessDenied, toResponse } from "./aws-error";
import { type Call, type ConditionKeys, prefixed, type RequiredPermission } from "./call";
import { close, endpointOf, type HttpRequest, type HttpResponse, serve } from "./http";
import { lookUp, resourcePolicy } from "./look-up";
import { claimedService, parseCall } from "./parse";
import { isKnownService, requiredPermissions } from "./services";
import { s3Address } from "./services/s3";
import {
  assumeRole,
  assumeRoleWithWebIdentity,
  issuedKeys,
  type NewSession,
  requestTimeContext,
  type Session,
} from "./sessions";
import { accountKeys, accountOfKey, Store, type StoredRole, sendToMoto } from "./store";

/** A proxy in front of moto that authenticates and authorizes requests as AWS does; moto does not. */
export interface IamProxy {
  /** The URL that clients use instead of moto's. */
  readonly endpoint: string;
  /**
   * The permissions that role sessions have required so far, in order.
   *
   * @param sessionArn Default: all sessions.
   */
  recorded(sessionArn?: string): readonly RecordedPermission[];
  stop(): Promise<void>;
}

/** A permission that a session required, with all condition keys of the request and the decision. */
export interface RecordedPermission extends Omit<RequiredPermission, "unsupported"> {
  /** `arn:aws:sts::<account>:assumed-role/<role>/<session name>` */
  readonly session: string;
  readonly decision: "allowed" | "refused";
}

/** Options of the IAM proxy. */
export interface IamProxyOptions {
  /** moto's URL. */
  readonly moto: string;
  /** The public keys that verify tokens of every issuer. */
  readonly keys: JSONWebKeySet;
}

/**
 * Starts the IAM proxy. moto does not receive a client's request but one that is built from what the proxy has parsed, so
 * that both read the same call. Requests of role sessions are authorized by the role's policies. Requests with the access
 * key of {@link accountKeys} are an administrator's and are not authorized; every other access key is unknown. moto's own
 * API is not reachable. The proxy forwards one request at a time, because conditional writes in moto, which locks depend
 * on, are not atomic.
 *
 * Differences from AWS: only the signatures of presigned URLs are verified; a multi-object delete fails as a whole; denied for role sessions are
 * services other than IAM, STS, S3, DynamoDB, KMS and CloudFront, PartiQL, and cross-account requests to buckets and
 * tables; denied for all are unsigned requests, browser-based uploads to S3, S3 access points, and subresources of S3 that
 * moto does not implement; KMS grants give no access; `dynamodb:Attributes`, `dynamodb:Select` and the condition keys of
 * KMS grants are absent; there are no service control policies.
 */
export async function startIamProxy(options: IamProxyOptions): Promise<IamProxy> {
  const authorizer = new Authorizer(options);
  let turn: Promise<unknown> = Promise.resolve();
  const server = await serve((request) => {
    const answer = turn.then(() => authorizer.answer(request));
    turn = answer.catch(() => {});
    return answer;
  });
  return {
    endpoint: endpointOf(server),
    recorded: (arn) => authorizer.recorded.filter(({ session }) => arn === undefined || session === arn),
    stop: () => close(server),
  };
}

class Authorizer {
  readonly recorded: RecordedPermission[] = [];
  readonly #sessions = new Map<string, Session>();
  readonly #store: Store;

  constructor(private readonly options: IamProxyOptions) {
    this.#store = new Store(options.moto);
  }

  async answer(request: HttpRequest): Promise<HttpResponse> {
    let service = claimedService(request);
    try {
      const call = parseCall(request);
      service = call.service;
      return await this.#handle(call);
    } catch (error) {
      if (error instanceof AwsError) return toResponse(service, request, error);
      throw error;
    }
  }

  async #handle(call: Call): Promise<HttpResponse> {
    if (call.service === "sts" && call.operation === "AssumeRoleWithWebIdentity") {
      return this.#createSession(call, await assumeRoleWithWebIdentity(call, this.#store, this.options.keys));
    }
    const session = this.#sessionOf(call);
    const account = session ?? this.#administratorOf(call);
    const { secretAccessKey } = session ?? accountKeys(account.accountId);
    if (call.presigned?.isSignedWith(secretAccessKey) === false) {
      const message = "The request signature we calculated does not match the signature you provided.";
      throw new AwsError("SignatureDoesNotMatch", message, 403);
    }
    requireOwnAccount(call, account);
    if (session) await this.#authorize(call, session);
    if (call.service === "sts" && call.operation === "AssumeRole") {
      const callerArn = session?.arn ?? `arn:aws:iam::${account.accountId}:user/administrator`;
      return this.#createSession(call, await assumeRole(call, callerArn, this.#store, session));
    }
    const answer = await this.#forward(call, account);
    if (changesPolicies(call)) this.#store.forget();
    return session ? this.#hideMissingObject(call, session, answer) : answer;
  }

  /** The session of the request's access key. */
  #sessionOf({ accessKeyId, sessionToken, service, region }: Call): Session | undefined {
    const session = this.#sessions.get(accessKeyId ?? "");
    if (!session) return undefined;
    if (session.sessionToken !== sessionToken || session.partition !== partitionOf(region).name) throw unknownKey();
    if (session.expires.getTime() > Date.now()) return session;
    throw service === "s3"
      ? new AwsError("ExpiredToken", "The provided token has expired.")
      : new AwsError("ExpiredToken", "The security token included in the request is expired", 403);
  }

  /** Throws unless the request has the administrator's access key of an account. */
  #administratorOf({ accessKeyId, service, region }: Call): Account {
    if (accessKeyId === undefined) {
      throw service === "s3"
        ? new AwsError("AccessDenied", "Access Denied", 403)
        : new AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403);
    }
    const accountId = accountOfKey(accessKeyId);
    if (accountId === undefined) throw unknownKey();
    return { accountId, partition: partitionOf(region).name };
  }

  /** Creates a session: moto issues its access key, which the proxy maps to the role. */
  async #createSession(call: Call, session: NewSession): Promise<HttpResponse> {
    const answer = await this.#forward(call, session);
    if (answer.status === 200) {
      const { accessKeyId, ...keys } = issuedKeys(answer.body.toString());
      this.#sessions.set(accessKeyId, { ...session, ...keys });
    }
    return answer;
  }

  #forward(call: Call, { accountId }: Account): Promise<HttpResponse> {
    return sendToMoto(this.options.moto, call.http, accountId, call);
  }

  /**
   * Evaluates and records the permissions that a request requires.
   *
   * @throws {AwsError} for the first permission that the session does not have
   */
  async #authorize(call: Call, session: Session): Promise<void> {
    // A role that is created again under the same name does not inherit the sessions of the earlier one.
    if ((await this.#store.role(session, session.roleName))?.id !== session.roleId) throw unknownKey();
    if (call.service === "sts" && call.operation === "GetCallerIdentity") return;
    if (call.service === "sts" && /^Get(Session|Federation)Token$/.test(call.operation ?? "")) {
      throw new AwsError("AccessDenied", `Cannot call ${call.operation} with session credentials`, 403);
    }
    for (const permission of requiredPermissions(call, await lookUp(call, session, this.#store))) {
      const { decision, context } = await this.#decide(permission, call, session);
      const isAllowed = decision.outcome === "allowed" && permission.unsupported === undefined;
      const { action, resource } = permission;
      this.recorded.push({
        action,
        resource,
        context,
        session: session.arn,
        decision: isAllowed ? "allowed" : "refused",
      });
      if (!isAllowed) throw accessDenied(session.arn, permission, decision);
    }
    await this.#requireOwnUpload(call, session);
  }

  async #decide(permission: RequiredPermission, call: Call, session: Session) {
    const role = await this.#store.role(session, session.roleName);
    if (!role) throw unknownKey();
    const resource = await resourcePolicy(permission, call, session, this.#store);
    const policies = {
      identity: role.identity,
      boundary: role.boundary,
      session: session.policies,
      resource: resource && [resource],
    };
    const context = {
      ...globalContext(call, session, role),
      "aws:ResourceAccount": accountOf(permission.resource) ?? session.accountId,
      ...permission.context,
    };
    const principal = { kind: "AWS", id: session.arn } as const;
    return { decision: evaluate(policies, { ...permission, principal, context }), context };
  }

  /** An upload belongs to the key that it was created for. moto finds it by its id alone. */
  async #requireOwnUpload({ service, region, query, ...call }: Call, account: Account): Promise<void> {
    const uploadId = query.get("uploadId");
    if (service !== "s3" || uploadId === null) return;
    const { bucket = "", key } = s3Address(call);
    if ((await this.#store.uploadKey(account, region, bucket, uploadId)) === key) return;
    throw new AwsError("NoSuchUpload", "The specified multipart upload does not exist.", 404);
  }

  /**
   * Without `s3:ListBucket`, S3 returns 403 instead of 404 for a missing object.
   *
   * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
   */
  async #hideMissingObject(call: Call, session: Session, answer: HttpResponse): Promise<HttpResponse> {
    const { bucket, key } = s3Address(call);
    if (call.service !== "s3" || answer.status !== 404 || !bucket || !key) return answer;
    const listing = { action: "s3:ListBucket", resource: `arn:${session.partition}:s3:::${bucket}`, context: {} };
    const { decision } = await this.#decide(listing, call, session);
    if (decision.outcome === "allowed") return answer;
    throw accessDenied(session.arn, listing, decision);
  }
}

function unknownKey(): AwsError {
  return new AwsError("InvalidClientTokenId", "The security token included in the request is invalid.", 403);
}

/** Headers of S3 name the account that must own the bucket or the settings. */
function requireOwnAccount({ service, http }: Call, { accountId }: Account): void {
  const named = ["x-amz-account-id", "x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"];
  if (service === "s3" && named.some((name) => (http.headers[name] ?? accountId) !== accountId)) {
    throw new AwsError("AccessDenied", "Access Denied", 403);
  }
}

/** Whether a request may have changed what the {@link Store} has cached. */
function changesPolicies(call: Call): boolean {
  const { service, operation = "", http } = call;
  if (service === "s3") return !["GET", "HEAD"].includes(http.method) && s3Address(call).key === undefined;
  if (!isKnownService(service)) return true;
  return ["iam", "kms", "dynamodb"].includes(service) && !/^(Get|List|Describe|Simulate)|Item$/.test(operation);
}

function globalContext({ region, http }: Call, session: Session, role: StoredRole): ConditionKeys {
  return {
    ...session.context,
    ...requestTimeContext(),
    "aws:PrincipalAccount": session.accountId,
    "aws:PrincipalArn": role.arn,
    "aws:PrincipalType": "AssumedRole",
    "aws:RequestedRegion": region,
    "aws:UserAgent": http.headers["user-agent"] ?? "",
    ...prefixed("aws:PrincipalTag/", { ...role.tags, ...session.tags }),
  };
}
