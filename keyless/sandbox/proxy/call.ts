import type { Request } from "../../policy/request";
import type { HttpRequest } from "./http";

/** A request to AWS, taken apart: what every service needs to know before it can say which permission is asked for. */
export interface Call {
  readonly http: HttpRequest;
  /** The path, still encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The service as the signature names it, e.g. `s3`; `sts` for an unsigned trade of a token. */
  readonly service: string;
  readonly region: string;
  /** Absent for a request that is not signed. */
  readonly accessKeyId?: string;
  readonly sessionToken?: string;
  /** The parameters of the query protocol (IAM, STS), e.g. `Action`; empty for other protocols. */
  readonly form: URLSearchParams;
  /** The operation where the protocol names it: `X-Amz-Target` or the parameter `Action`. */
  readonly operation?: string;
  /** The body of the JSON protocol (DynamoDB, KMS), undefined where it is none; empty for other protocols. */
  readonly json?: JsonObject;
}

// biome-ignore lint/suspicious/noExplicitAny: requests of any service, as they come
export type JsonObject = Record<string, any>;

/** One permission that a request asks for. A request is let through only if each of its asks is. */
export interface RequiredPermission {
  /** E.g. `s3:GetObject`. */
  readonly action: string;
  /** An ARN, or `*` for an action that has no resource or one whose resource the gate does not know. */
  readonly resource: string;
  /** The condition keys that the service sets; the global ones (`aws:PrincipalArn`, …) come on top. */
  readonly context: ConditionKeys;
}

/** What is stored in the local AWS and decides what a request asks for. */
export interface ResourceState {
  /** The account that is asked. */
  readonly accountId: string;
  readonly partition: string;
  /** The path of the role or user that the request names; default: `/`. */
  readonly path?: string;
  /** The tags of that role. */
  readonly tags?: Readonly<Record<string, string>>;
  /** The ARN of that role's permissions boundary. */
  readonly boundaryArn?: string;
  /** The partition keys of the tables that the request names, by those names. */
  readonly partitionKeys?: Readonly<Record<string, string>>;
  /** The ARN of the KMS key that the request names, by id or by alias, or that its bucket or object is encrypted with. */
  readonly keyArn?: string;
  /** The ARN of the KMS key that a ciphertext is encrypted with anew. */
  readonly destinationKeyArn?: string;
}

/** The condition keys of a request, by name. */
export type ConditionKeys = Request["context"];

/** Takes a request apart, whether it is signed in its header, in its query (a presigned URL), or not at all. */
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

/** A request to S3 that names the bucket in its host, with the bucket in its path instead. */
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

/** The values of a list of the query protocol: `TagKeys.member.1`, `TagKeys.member.2`, … */
export function members(form: URLSearchParams, list: string, field?: string): string[] {
  const pattern = new RegExp(`^${list}\\.member\\.\\d+${field ? `\\.${field}` : ""}$`);
  return [...form].filter(([name]) => pattern.test(name)).map(([, value]) => value);
}

/** Leaves out what a request does not say, since an absent condition key is not an empty one. */
export function present(
  context: Readonly<Record<string, string | readonly string[] | null | undefined>>,
): ConditionKeys {
  return Object.fromEntries(
    Object.entries(context).filter(([, value]) => value != null && value.length > 0),
  ) as ConditionKeys;
}

/** `aws:RequestTag/<key>` and `aws:TagKeys` for the tags that a request sets. */
export function requestTags(tags: Readonly<Record<string, string>>): ConditionKeys {
  return { ...prefixed("aws:RequestTag/", tags), ...present({ "aws:TagKeys": Object.keys(tags) }) };
}

/** Values as condition keys with a common prefix, e.g. `s3:`. */
export function prefixed(prefix: string, values: Readonly<Record<string, string>>): ConditionKeys {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [`${prefix}${key}`, value]));
}
