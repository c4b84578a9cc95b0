import { AwsError } from "../aws-error";
import type { HttpRequest } from "../http";
import { decode, encode, encodeKey, encodeQuery, parseParameters, requireUnique } from "../parameters";
import { s3ActionOf, s3SubresourcesIn } from "./s3";
import { deletedObjects, deletionBody } from "./s3-delete";

/** A request to S3, with the decoded query and the bucket of a virtual-hosted-style request. */
interface S3Target {
  readonly request: HttpRequest;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly bucket?: string;
}

/** The parameters of requests to a bucket, by the subresource. All others are dropped. */
const bucketParameters: Readonly<Record<string, RegExp>> = {
  "": /^(list-type|prefix|delimiter|marker|max-(keys|buckets)|bucket-region|continuation-token|start-after|fetch-owner|encoding-type)$/,
  inventory: /^id$/,
  uploads: /^(prefix|delimiter|max-uploads|(key|upload-id)-marker|encoding-type)$/,
  versions: /^(prefix|delimiter|max-keys|(key|version-id)-marker|encoding-type)$/,
};
/** The parameters of requests to an object. */
const objectParameters = /^(versionId|partNumber|response-[a-z-]+|max-parts|part-number-marker|select-type)$/;

/** The headers of S3's API, with the two that moto does not receive but policies can require. */
const knownHeaders =
  /^(x-amz-[a-z0-9._-]+|content-(type|md5|encoding|disposition|language)|cache-control|expires|range|if-[a-z-]+|origin|user-agent)$/;
const headersOfTransfer = /^x-amz-(date|security-token|target|account-id|decoded-content-length|trailer|user-agent)$/;

/** A request to S3 in path style, with one subresource at most, built from its bucket, key, query, headers and body. */
export function s3Request({ request, path, query, bucket: hostBucket }: S3Target): HttpRequest {
  const { method } = request;
  const { bucket, key } = addressOf(hostBucket === undefined ? path : `/${hostBucket}${path}`);
  const headers = s3Headers(request, query);
  const subresources = s3SubresourcesIn(query);
  const [subresource = ""] = subresources;
  if (subresources.length > 1) {
    throw new AwsError("InvalidArgument", `Conflicting query string parameters: ${subresources.join(", ")}`);
  }
  if (bucket === undefined && (method !== "GET" || subresource !== "")) throw notAllowed();
  if (bucket !== undefined && s3ActionOf(method, key !== undefined, subresource) === undefined) {
    throw method === "POST" || key !== undefined ? notAllowed() : notImplemented(subresource);
  }
  const sent = [...query].filter(([name]) => {
    if (name === subresource) return true;
    // Elsewhere these parameters are ignored: moto must not list the bucket, nor a policy match s3:prefix.
    if (key === undefined) return method === "GET" && (bucketParameters[subresource]?.test(name) ?? false);
    return objectParameters.test(name);
  });
  for (const name of ["versionId", "uploadId"]) {
    if (query.get(name) === "") throw new AwsError("InvalidArgument", `${name} cannot be the empty string.`);
  }
  if (subresource === "uploadId" && method === "PUT" && !/^[1-9]\d{0,4}$/.test(query.get("partNumber") ?? "")) {
    throw new AwsError("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive");
  }
  const url = `/${bucket ?? ""}${key === undefined ? "" : `/${encodeKey(key)}`}${encodeQuery(sent)}`;
  return { method, url, headers, body: bodyOf(request, headers, subresource) };
}

/** The bucket and the key of a path. Both are undefined for `ListBuckets`. */
function addressOf(path: string): { readonly bucket?: string; readonly key?: string } {
  if (path === "/") return {};
  const [, bucket = "", key = ""] = /^\/([^/]*)\/?(.*)$/s.exec(path) ?? [];
  const name = decode(bucket);
  // moto serves its own API below three paths that could also be a bucket's.
  if (!/^(?!\.+$|moto-api|latest$|favicon\.ico$)[\w.-]+$/.test(name)) {
    throw new AwsError("InvalidBucketName", "The specified bucket is not valid.");
  }
  return { bucket: name, key: key === "" ? undefined : decode(key) };
}

/** The headers of S3's API. A presigned URL has them in the query, in place of the request's own. */
function s3Headers({ headers }: HttpRequest, query: URLSearchParams): Record<string, string> {
  const own = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  const hoisted = [...query].map(([name, value]) => [name.toLowerCase(), value] as const);
  const all = [...own, ...hoisted.filter(([name]) => name.startsWith("x-amz-"))];
  const known = all.filter(([name]) => knownHeaders.test(name) && !headersOfTransfer.test(name));
  const sent = new Map(known);
  if (sent.size < known.length) {
    throw new AwsError("InvalidArgument", "A header of the request is also a parameter of its query.");
  }
  const rewrite = (name: string, rewritten: (value: string) => string | undefined) => {
    const value = sent.get(name);
    const replaced = value === undefined ? undefined : rewritten(value);
    if (replaced === undefined) sent.delete(name);
    else sent.set(name, replaced);
  };
  rewrite("x-amz-copy-source", copySource);
  rewrite("x-amz-tagging", (tags) => requireUnique(parseParameters(tags)).toString());
  rewrite("content-encoding", (value) => value.replace(/^aws-chunked(,\s*|$)/i, "") || undefined);
  // moto reads parameters from bodies of these types. S3 does not, and stores the body.
  rewrite("content-type", (type) =>
    /^\s*(multipart\/form-data|application\/x-(www-form-)?url-?encoded)/i.test(type) ? "binary/octet-stream" : type,
  );
  return Object.fromEntries(sent);
}

/** The source of a copy: bucket, key, and optionally the version. */
const copySourcePattern = /^\/?([\w.-]+)\/([^?#;]+)(?:\?versionId=([\w.-]+))?$/s;

function copySource(value: string): string {
  const withBucket = value.replace(/^%2F/i, "/").replace(/^(\/?[^/?]*?)%2F/i, "$1/");
  const [, bucket = "", key = "", version] = copySourcePattern.exec(withBucket) ?? [];
  if (bucket === "") {
    const message = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey";
    throw new AwsError("InvalidArgument", message);
  }
  return `${bucket}/${encodeKey(decode(key))}${version === undefined ? "" : `?versionId=${version}`}`;
}

function bodyOf(request: HttpRequest, headers: Record<string, string>, subresource: string): Buffer {
  const { method } = request;
  if (subresource === "delete") return deletionBody(deletedObjects(unchunked(request, headers)));
  // moto starts an upload only if there is no body.
  return /GET|HEAD|DELETE/.test(method) || subresource === "uploads" ? Buffer.alloc(0) : unchunked(request, headers);
}

/**
 * The content of a body that is sent in chunks, which can have signatures, and a checksum after the last one.
 *
 * @param headers To which the checksum is added.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 */
function unchunked(request: HttpRequest, headers: Record<string, string>): Buffer {
  const { body } = request;
  if (!/^STREAMING-/i.test(request.headers["x-amz-content-sha256"] ?? "")) return body;
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = body.indexOf("\r\n", at);
    const [, size] = /^([0-9a-f]{1,8})(?:;chunk-signature=[0-9a-f]*)?$/i.exec(body.toString("latin1", at, end)) ?? [];
    const length = Number.parseInt(size ?? "", 16);
    if (end === -1 || Number.isNaN(length)) throw incompleteBody();
    at = end + 2;
    if (length === 0) {
      addTrailers(body.toString("latin1", at), headers);
      break;
    }
    if (body.toString("latin1", at + length, at + length + 2) !== "\r\n") throw incompleteBody();
    chunks.push(body.subarray(at, at + length));
    at += length + 2;
  }
  const content = Buffer.concat(chunks);
  const length = request.headers["x-amz-decoded-content-length"];
  if (length !== undefined && Number(length) !== content.length) throw incompleteBody();
  return content;
}

function addTrailers(text: string, headers: Record<string, string>): void {
  for (const [, name = "", value = ""] of text.matchAll(/^(x-amz-checksum-[a-z0-9]+):\s*([\w+/=-]+)\s*$/gim)) {
    headers[name.toLowerCase()] ??= value;
  }
}

function incompleteBody(): AwsError {
  return new AwsError("IncompleteBody", "The request body is not encoded in complete chunks.");
}

function notAllowed(): AwsError {
  return new AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.", 405);
}

function notImplemented(subresource: string): AwsError {
  return new AwsError("NotImplemented", `The sandbox does not implement this method for ${subresource}.`, 501);
}

/** A request to S3 Control: the account's public access block, or the tags of a bucket. */
export function s3ControlRequest({ request, path, query }: S3Target): HttpRequest {
  const { method, body, headers } = request;
  const [, kind, ...rest] = path.slice(1).split("/");
  const sent = {
    "content-type": "application/xml",
    "user-agent": headers["user-agent"],
    "x-amz-account-id": headers["x-amz-account-id"],
  };
  // Without a query, moto reads parameters, and even the operation, from the body.
  if (kind === "configuration" && rest.join("/") === "publicAccessBlock" && /GET|PUT|DELETE/.test(method)) {
    return { method, url: `/v20180820/configuration/publicAccessBlock?x-id=`, headers: sent, body };
  }
  const tagKeys = [...query].filter(([name]) => name === "tagKeys");
  if (kind !== "tags" || rest.length === 0 || !/GET|POST|DELETE/.test(method)) throw notAllowed();
  const url = `/v20180820/tags/${encode(decode(rest.join("/")))}${encodeQuery([["x-id", ""], ...tagKeys])}`;
  return { method, url, headers: sent, body };
}
