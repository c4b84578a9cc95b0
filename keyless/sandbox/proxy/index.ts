import type { JSONWebKeySet } from "jose";
import { partitionOf } from "../../config/partition";
import { evaluate } from "../../policy/evaluate";
import { accountOf } from "../../policy/principals";
import type { Account } from "../../trust/provider";
import { AwsError, accessDenied, toResponse } from "./aws-error";
import { type Call, type ConditionKeys, parseCall, prefixed, type RequiredPermission } from "./call";
import { close, endpointOf, type HttpRequest, type HttpResponse, serve } from "./http";
import { lookUp, resourcePolicy } from "./look-up";
import { requiredPermissions } from "./services";
import { s3Address } from "./services/s3";
import {
  assumeRole,
  assumeRoleWithWebIdentity,
  issuedKeys,
  type NewSession,
  requestTimeContext,
  type Session,
} from "./sessions";
import { Store, type StoredRole, sendToMoto } from "./store";
import { requireWellFormed } from "./well-formed";

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
export interface RecordedPermission extends RequiredPermission {
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
  /** The account of access keys that do not contain an account id. */
  readonly accountId: string;
}

/**
 * Starts the IAM proxy. Requests of role sessions are authorized by the role's policies. Requests with static keys are
 * an administrator's and are not authorized: {@link accountKeys}, and keys that do not have the form of AWS's own. The
 * proxy forwards one request at a time, because conditional writes in moto, which locks depend on, are not atomic.
 *
 * Differences from AWS: signatures are not verified; a multi-object delete fails as a whole; cross-account requests to
 * buckets and unsigned requests are denied; there are no service control policies.
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
    const call = parseCall(request);
    return this.#handle(call).catch((error: unknown) => {
      if (error instanceof AwsError) return toResponse(call, error);
      throw error;
    });
  }

  async #handle(call: Call): Promise<HttpResponse> {
    requireWellFormed(call);
    if (call.service === "sts" && call.operation === "AssumeRoleWithWebIdentity") {
      return this.#createSession(call, await assumeRoleWithWebIdentity(call, this.#store, this.options.keys));
    }
    const session = this.#sessionOf(call);
    const account = session ?? this.#administratorOf(call);
    if (session) await this.#authorize(call, session);
    if (call.service === "sts" && call.operation === "AssumeRole") {
      const callerArn = session?.arn ?? `arn:aws:iam::${account.accountId}:user/administrator`;
      return this.#createSession(call, await assumeRole(call, callerArn, this.#store, session !== undefined));
    }
    const answer = await this.#forward(call, account);
    if (changesPolicies(call)) this.#store.forget();
    return session ? this.#hideMissingObject(call, session, answer) : answer;
  }

  /** The session of the request's access key. */
  #sessionOf({ accessKeyId, sessionToken, service }: Call): Session | undefined {
    const session = this.#sessions.get(accessKeyId ?? "");
    if (!session) return undefined;
    if (session.sessionToken !== sessionToken) throw unknownKey();
    if (session.expires.getTime() > Date.now()) return session;
    throw service === "s3"
      ? new AwsError("ExpiredToken", "The provided token has expired.")
      : new AwsError("ExpiredToken", "The security token included in the request is expired", 403);
  }

  #administratorOf({ accessKeyId, service, region }: Call): Account {
    if (accessKeyId === undefined) {
      throw service === "s3"
        ? new AwsError("AccessDenied", "Access Denied", 403)
        : new AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403);
    }
    const [, own] = /^AKIADMIN(\d{12})$/.exec(accessKeyId) ?? [];
    // A key of AWS's form that the proxy did not issue, e.g. in an earlier run or for an IAM user.
    if (!own && /^(AKIA|ASIA)[A-Z0-9]{16}$/.test(accessKeyId)) throw unknownKey();
    return { accountId: own ?? this.options.accountId, partition: partitionOf(region).name };
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
    // moto's own endpoints, which show and reset its state. AWS has none of them.
    if (/^\/(moto-api|latest)\b/.test(decodeURIComponent(call.path)))
      throw new AwsError("AccessDenied", "Access Denied", 403);
    if (call.service === "sts" && call.operation === "GetCallerIdentity") return;
    if (call.service === "sts" && /^Get(Session|Federation)Token$/.test(call.operation ?? "")) {
      throw new AwsError("AccessDenied", `Cannot call ${call.operation} with session credentials`, 403);
    }
    for (const permission of requiredPermissions(call, await lookUp(call, session, this.#store))) {
      const { decision, context } = await this.#decide(permission, call, session);
      this.recorded.push({ ...permission, context, session: session.arn, decision: decision.outcome });
      if (decision.outcome !== "allowed") throw accessDenied(session.arn, permission, decision);
    }
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

/** Whether a request may have changed what the {@link Store} has cached. */
function changesPolicies(call: Call): boolean {
  const { service, operation = "", http } = call;
  if (service === "s3") return !["GET", "HEAD"].includes(http.method) && s3Address(call).key === undefined;
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
    ...prefixed("aws:PrincipalTag/", role.tags),
  };
}
