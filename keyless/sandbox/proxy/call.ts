import type { Request } from "../../policy/request";
import type { HttpRequest } from "./http";

/** What the signature of a request contains. Only presigned URLs can be verified. */
export interface RequestSignature {
  /** Undefined for an unsigned request. */
  readonly accessKeyId?: string;
  readonly sessionToken?: string;
  /** The service in the signature's scope, e.g. `s3`; `sts` for an unsigned `AssumeRoleWith…` request. */
  readonly service: string;
  readonly region: string;
  /** Undefined for a request that is not a presigned URL. */
  readonly presigned?: {
    /** In milliseconds. */
    readonly age: number;
    /** Whether the signature is that of the request: of its method, host, path and query. */
    readonly isSignedWith: (secretAccessKey: string) => boolean;
  };
}

/** A parsed request to AWS: what every service needs to find the permissions that it requires. */
export interface Call extends RequestSignature {
  /** The request that moto receives, built from the parsed request: no byte of the original is passed on unread. */
  readonly http: HttpRequest;
  /** The percent-encoded path of {@link http}. */
  readonly path: string;
  /** The query of {@link http}, without the signature. */
  readonly query: URLSearchParams;
  /** The parameters of the query protocol (IAM, STS), e.g. `Action`; empty for other protocols. */
  readonly form: URLSearchParams;
  /** The operation from the `X-Amz-Target` header or the `Action` parameter. Undefined for REST protocols. */
  readonly operation?: string;
  /** The body of the JSON protocol (DynamoDB, KMS); empty for other protocols. */
  readonly json: JsonObject;
}

// biome-ignore lint/suspicious/noExplicitAny: request bodies of any service, not validated
export type JsonObject = Record<string, any>;

/** A permission that a request requires. A request is allowed only if all its permissions are. */
export interface RequiredPermission {
  /** E.g. `s3:GetObject`. */
  readonly action: string;
  /** An ARN. `*` for an action without resources, or if the proxy does not know the resource. */
  readonly resource: string;
  /** The condition keys that the service sets. The proxy adds the global keys (`aws:PrincipalArn`, …). */
  readonly context: ConditionKeys;
  /** Why the proxy cannot evaluate this permission, which it denies. Default: it can. */
  readonly unsupported?: string;
}

/** The state in the sandbox that determines which permissions a request requires. */
export interface ResourceState {
  /** The account that receives the request. */
  readonly accountId: string;
  readonly partition: string;
  /** The path of the role or user in the request. Default: `/`. */
  readonly path?: string;
  /** The tags of that role. */
  readonly tags?: Readonly<Record<string, string>>;
  /** The ARN of that role's permissions boundary. */
  readonly boundaryArn?: string;
  /** The partition keys of the tables or indexes in the request, by the table names in the request. */
  readonly partitionKeys?: Readonly<Record<string, string>>;
  /** The ARN of the KMS key in the request (an id or an alias there), or the key of its bucket or object. */
  readonly keyArn?: string;
  /** The ARN of the KMS key that `ReEncrypt` encrypts with. */
  readonly destinationKeyArn?: string;
  /** The ARN of the KMS key that the alias in the request refers to. */
  readonly aliasKeyArn?: string;
}

/** The condition keys of a request, by name. */
export type ConditionKeys = Request["context"];

/** The values of a list in the query protocol: `TagKeys.member.1`, `TagKeys.member.2`, … */
export function members(form: URLSearchParams, list: string, field?: string): string[] {
  const values: string[] = [];
  for (let index = 1; ; index++) {
    const value = form.get(`${list}.member.${index}${field ? `.${field}` : ""}`);
    if (value === null) return values;
    values.push(value);
  }
}

/** Removes keys without a value: policies distinguish an absent condition key from an empty one. */
export function presentKeys(
  context: Readonly<Record<string, string | readonly string[] | null | undefined>>,
): ConditionKeys {
  return Object.fromEntries(
    Object.entries(context).filter(([, value]) => value != null && value.length > 0),
  ) as ConditionKeys;
}

/** The condition keys `aws:RequestTag/<key>` and `aws:TagKeys` for the tags in a request. */
export function requestTags(tags: Readonly<Record<string, string>>): ConditionKeys {
  return { ...prefixed("aws:RequestTag/", tags), ...presentKeys({ "aws:TagKeys": Object.keys(tags) }) };
}

/** Condition keys with a common prefix, e.g. `aws:PrincipalTag/`. */
export function prefixed(prefix: string, values: Readonly<Record<string, string>>): ConditionKeys {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [`${prefix}${key}`, value]));
}
