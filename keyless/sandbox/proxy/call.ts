import type { Request } from "../../policy/request";
import type { HttpRequest } from "./http";

/** A parsed request to AWS: what every service needs to find the permissions that it requires. */
export interface Call {
  readonly http: HttpRequest;
  /** The percent-encoded path, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The service in the signature, e.g. `s3`. `sts` for an unsigned `AssumeRoleWith…` request. */
  readonly service: string;
  readonly region: string;
  /** Undefined for an unsigned request. */
  readonly accessKeyId?: string;
  readonly sessionToken?: string;
  /** The parameters of the query protocol (IAM, STS), e.g. `Action`; empty for other protocols. */
  readonly form: URLSearchParams;
  /** The operation from the `X-Amz-Target` header or the `Action` parameter. Undefined for REST protocols. */
  readonly operation?: string;
  /** The body of the JSON protocol (DynamoDB, KMS). Undefined if it is not a JSON object; empty for other protocols. */
  readonly json?: JsonObject;
}

// biome-ignore lint/suspicious/noExplicitAny: request bodies of any service, not validated
export type JsonObject = Record<string, any>;

/** A permission that a request requires. A request is allowed only if all its permissions are. */
export interface RequiredPermission {
  /** E.g. `s3:GetObject`. */
  readonly action: string;
  /** An ARN. `*` for an action without resources, or if the proxy cannot tell the resource. */
  readonly resource: string;
  /** The condition keys that the service sets. The proxy adds the global keys (`aws:PrincipalArn`, …). */
  readonly context: ConditionKeys;
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
  /** The partition keys of the tables in the request, by the table names in the request. */
  readonly partitionKeys?: Readonly<Record<string, string>>;
  /** The ARN of the KMS key in the request (an id or an alias there), or the key of its bucket or object. */
  readonly keyArn?: string;
  /** The ARN of the KMS key that `ReEncrypt` encrypts with. */
  readonly destinationKeyArn?: string;
}

/** The condition keys of a request, by name. */
export type ConditionKeys = Request["context"];

/** Parses a request that is signed in its header or its query (a presigned URL), or unsigned. */
export function parseCall(request: HttpRequest): Call {
  const http = inPathStyle(request);
  const [path = "/", search = ""] = http.url.split(/\?(.*)/s);
  const query = new URLSearchParams(search);
  const credential =
    query.get("X-Amz-Credential") ?? /Credential=([^,\s]+)/.exec(http.headers.authorization ?? "")?.[1];
  const [accessKeyId, , region = "us-east-1", service = ""] = credential?.split("/") ?? [];
  const target = http.headers["x-amz-target"];
  const isForm = (http.headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded");
  const form = isForm ? new URLSearchParams(http.body.toString()) : query;
  return {
    http,
    path,
    query,
    service: service || (form.get("Action")?.startsWith("AssumeRoleWith") ? "sts" : "s3"),
    region,
    accessKeyId,
    sessionToken: query.get("X-Amz-Security-Token") ?? http.headers["x-amz-security-token"],
    form,
    operation: target?.slice(target.lastIndexOf(".") + 1) ?? form.get("Action") ?? undefined,
    json: target ? parseJsonObject(http.body) : {},
  };
}

/** Converts a virtual-hosted-style request to S3 to path style. */
function inPathStyle(http: HttpRequest): HttpRequest {
  const [, bucket] = /^(.+?)\.(?:localhost|s3[.-][^:]*amazonaws\.com)(?::\d+)?$/.exec(http.headers.host ?? "") ?? [];
  return bucket === undefined ? http : { ...http, url: `/${bucket}${http.url}` };
}

function parseJsonObject(body: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The values of a list in the query protocol: `TagKeys.member.1`, `TagKeys.member.2`, … */
export function members(form: URLSearchParams, list: string, field?: string): string[] {
  const pattern = new RegExp(`^${list}\\.member\\.\\d+${field ? `\\.${field}` : ""}$`);
  return [...form].filter(([name]) => pattern.test(name)).map(([, value]) => value);
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
