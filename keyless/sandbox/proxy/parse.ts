import * as dynamodb from "@aws-sdk/client-dynamodb";
import * as iam from "@aws-sdk/client-iam";
import * as sts from "@aws-sdk/client-sts";
import { AwsError } from "./aws-error";
import type { Call, JsonObject, RequestSignature } from "./call";
import type { HttpRequest } from "./http";
import { decode, parseParameters, requireUnique } from "./parameters";
import { cloudFrontRequest } from "./services/cloudfront";
import { requireIamNames } from "./services/iam";
import { requireBase64 } from "./services/kms";
import { s3ControlRequest, s3Request } from "./services/s3-request";
import { readSignature } from "./signature";

/** What moto is sent, apart from host and signature, and what the protocol's parser has read. */
type Parsed = Pick<Call, "http"> & Partial<Pick<Call, "form" | "operation" | "json">>;

/** A request whose target is parsed. */
interface ParsedTarget {
  readonly request: HttpRequest;
  /** The percent-encoded path, as in the request. */
  readonly path: string;
  /** The decoded query without the signature. */
  readonly query: URLSearchParams;
  /** The bucket in the host name of a virtual-hosted-style request. */
  readonly bucket?: string;
}

/**
 * Parses a request that is signed in its header or its query (a presigned URL), or unsigned, and builds from what was
 * parsed the request that moto receives: {@link Call.http}. A request that the proxy and moto could read differently is
 * therefore decided and executed as the same call, or rejected. Parsing {@link Call.http} results in the same call.
 *
 * @throws {AwsError} as AWS would for a malformed request
 */
export function parseCall(request: HttpRequest): Call {
  const [path = "/", search = ""] = request.url.split(/\?(.*)/s);
  if (!path.startsWith("/") || request.url.includes("#")) {
    throw new AwsError("InvalidURI", "Couldn't parse the specified URI.");
  }
  if (!/^(GET|HEAD|PUT|POST|DELETE)$/.test(request.method)) {
    throw new AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.", 405);
  }
  const query = parseParameters(search);
  const signature = readSignature(request, query);
  const service = signature.service ?? unsignedService(request, query);
  const bucket = hostBucket(request.headers.host ?? "", service);
  const { http, form, operation, json } = parseProtocol(service, { request, path, query, bucket });
  const [sentPath = "", sentSearch] = http.url.split("?");
  return {
    ...signature,
    service,
    region: globalServices.has(service) ? globalRegion(signature) : signature.region,
    http,
    path: sentPath,
    query: new URLSearchParams(sentSearch),
    form: form ?? new URLSearchParams(),
    operation,
    json: json ?? {},
  };
}

/** The service of a request that could not be parsed, which determines the format of the error. */
export function claimedService({ url, headers }: HttpRequest): string {
  const scope = /Credential=([^,\s&]+)/.exec(`${headers.authorization} ${url}`)?.[1] ?? "";
  const [, , , service] = scope.replaceAll(/%2F/gi, "/").split("/");
  return service ?? (isForm(headers) ? "sts" : "s3");
}

/** Unsigned requests are for S3, except those that contain a token. */
function unsignedService({ headers, body }: HttpRequest, query: URLSearchParams): string {
  const form = isForm(headers) && body.length > 0 ? parseParameters(body.toString()) : query;
  return form.get("Action")?.startsWith("AssumeRoleWith") ? "sts" : "s3";
}

function isForm(headers: HttpRequest["headers"]): boolean {
  return /^application\/x-www-form-urlencoded\s*(;|$)/i.test(headers["content-type"] ?? "");
}

/** Services with one endpoint for each partition. AWS sets `aws:RequestedRegion` to that endpoint's region. */
const globalServices = new Set(["iam", "cloudfront"]);

function globalRegion({ region }: Pick<RequestSignature, "region">): string {
  return region.startsWith("cn-") ? "cn-north-1" : region.startsWith("us-gov-") ? "us-gov-west-1" : "us-east-1";
}

/** The bucket in the host name. The host must be of this machine, or of the service in the signature. */
function hostBucket(host: string, service: string): string | undefined {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  const ofAws = service === "s3" ? "s3(?:-control)?[\\w.-]*" : `${service}[\\w.-]*`;
  const [known, bucket] =
    new RegExp(`^(?:([\\w.-]+?)\\.)??(?:localhost|127\\.0\\.0\\.1|${ofAws}\\.amazonaws\\.com(?:\\.cn)?)$`).exec(name) ??
    [];
  if (known === undefined || (bucket !== undefined && service !== "s3")) {
    throw new AwsError("InvalidHostHeader", "The host of the request is not the endpoint of the service.");
  }
  return bucket;
}

function parseProtocol(service: string, target: ParsedTarget): Parsed {
  const { request } = target;
  if (service !== "s3" && !/^(identity)?$/i.test(request.headers["content-encoding"] ?? "")) {
    throw new AwsError("UnsupportedMediaType", "The service does not accept an encoded body.", 415);
  }
  switch (service) {
    case "iam": {
      const parsed = parseQueryProtocol(target, { version: "2010-05-08", operations: iam });
      requireIamNames(parsed.form);
      return parsed;
    }
    case "sts":
      return parseQueryProtocol(target, { version: "2011-06-15", operations: sts });
    case "dynamodb":
    case "kms":
      return parseJsonProtocol(target, service);
    case "s3":
      if (target.path.startsWith("/v20180820/")) return { http: s3ControlRequest(target) };
      requireUnique(target.query);
      return { http: s3Request(target) };
    case "cloudfront":
      requireUnique(target.query);
      return { http: cloudFrontRequest(target) };
    default:
      return parseOther(target);
  }
}

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/programming.html */
function parseQueryProtocol(
  { request, path, query }: ParsedTarget,
  api: { readonly version: string; readonly operations: object },
): Parsed & Pick<Call, "form"> {
  const { method, headers, body } = request;
  const isSent = body.length > 0;
  const places = [isSent, query.size > 0, headers["x-amz-target"] !== undefined].filter(Boolean);
  if (
    path !== "/" ||
    places.length !== 1 ||
    !(isSent ? method === "POST" && isForm(headers) : /GET|POST/.test(method))
  ) {
    throw new AwsError("InvalidAction", "Could not find the operation or parameters of this request.");
  }
  const form = requireUnique(isSent ? parseParameters(body.toString()) : query);
  const operation = form.get("Action") ?? "";
  const version = form.get("Version") ?? api.version;
  if (version !== api.version || !Object.hasOwn(api.operations, `${operation}Command`)) {
    throw new AwsError("InvalidAction", `Could not find operation ${operation} for version ${version}`);
  }
  requireCompleteLists(form);
  form.set("Version", version);
  const sent = {
    "content-type": "application/x-www-form-urlencoded; charset=utf-8",
    "user-agent": headers["user-agent"],
  };
  return { http: { method: "POST", url: "/", headers: sent, body: Buffer.from(form.toString()) }, form, operation };
}

/** Requires that the members of every list are numbered 1, 2, 3, …: parsers stop at different members otherwise. */
function requireCompleteLists(form: URLSearchParams): void {
  const names = [...form.keys()];
  const indexes = new Map<string, Set<string>>();
  for (const name of names) {
    const parts = name.split(".");
    for (const [position, part] of parts.entries()) {
      if (part !== "member") continue;
      const list = parts.slice(0, position).join(".");
      indexes.set(list, (indexes.get(list) ?? new Set()).add(parts[position + 1] ?? ""));
    }
  }
  const isNested = (name: string) => names.some((other) => other.startsWith(`${name}.`));
  const isComplete = (index: Set<string>) => [...index.keys()].every((_, at) => index.has(String(at + 1)));
  if (![...indexes.values()].every(isComplete) || names.some(isNested)) {
    throw new AwsError("MalformedInput", "The members of a list are not numbered 1, 2, 3, …");
  }
}

const jsonApis = {
  dynamodb: { version: "1.0", prefixes: /^(DynamoDB|DynamoDBStreams)_20120810\.(\w+)$/ },
  kms: { version: "1.1", prefixes: /^(TrentService)\.(([A-Z][a-z]+)+)$/ },
};

/** The operations of the DynamoDB Streams API. */
const streamOperations = /^(DescribeStream|GetRecords|GetShardIterator|ListStreams)$/;

/** @see https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html */
function parseJsonProtocol({ request, path, query }: ParsedTarget, service: keyof typeof jsonApis): Parsed {
  const { version, prefixes } = jsonApis[service];
  const target = request.headers["x-amz-target"] ?? "";
  const [, prefix, operation = ""] = prefixes.exec(target) ?? [];
  const isKnown = {
    DynamoDB: Object.hasOwn(dynamodb, `${operation}Command`),
    DynamoDBStreams: streamOperations.test(operation),
    TrentService: true,
  }[prefix ?? ""];
  // The query that parseCall builds contains the operation.
  const isOwnQuery = query.size === 0 || (query.size === 1 && query.get("Action") === operation);
  if (!isKnown || request.method !== "POST" || path !== "/" || !isOwnQuery || isForm(request.headers)) {
    throw new AwsError("UnknownOperationException", "Could not find the operation or parameters of this request.");
  }
  const json = parseJsonObject(request.body);
  if (json === undefined) throw new AwsError("SerializationException", "The request is not a JSON object.");
  if (service === "kms") requireBase64(operation, json);
  const headers = {
    "content-type": `application/x-amz-json-${version}`,
    "x-amz-target": target,
    "user-agent": request.headers["user-agent"],
  };
  // Without a query, moto reads parameters from the body as if it were a form.
  const http = { method: "POST", url: `/?Action=${operation}`, headers, body: Buffer.from(JSON.stringify(json)) };
  return { http, operation, json };
}

function parseJsonObject(body: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A request to a service that this project does not use. Only administrators are allowed to send it. */
function parseOther({ request, path }: ParsedTarget): Parsed {
  requireNoMotoPath(path);
  const target = request.headers["x-amz-target"];
  const form = isForm(request.headers) ? new URLSearchParams(request.body.toString()) : undefined;
  const operation = target?.slice(target.lastIndexOf(".") + 1) ?? form?.get("Action") ?? undefined;
  return { http: request, form, operation };
}

/** Rejects the paths of moto's own API, which shows and resets its state. */
function requireNoMotoPath(path: string): void {
  if (/^\/*(moto-api|latest\/|favicon\.ico)/.test(decode(path))) {
    throw new AwsError("AccessDenied", "Access Denied", 403);
  }
}
