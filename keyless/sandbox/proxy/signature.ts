import { createHash, createHmac } from "node:crypto";
import { AwsError } from "./aws-error";
import type { RequestSignature } from "./call";
import type { HttpRequest } from "./http";
import { decode, encode } from "./parameters";

const scope = "[^/,\\s]+/\\d{8}/[a-z0-9-]+/[a-z0-9-]+/aws4_request";
const inHeader = new RegExp(`^AWS4-HMAC-SHA256 Credential=(${scope}), ?SignedHeaders=[^,\\s]+, ?Signature=[^,\\s]+$`);
const inQuery = new RegExp(`^(${scope})$`);

/** AWS accepts a signature from 15 minutes before to 15 minutes after its time. */
const maximumSkew = 15 * 60;

/**
 * Reads the signature in the header or, for a presigned URL, in the query.
 *
 * @param query The decoded query, from which the signature's parameters are removed.
 * @throws {AwsError} if there are two signatures, or one is malformed, expired, or too far from the current time
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
export function readSignature(
  request: HttpRequest,
  query: URLSearchParams,
  now: Date = new Date(),
): Omit<RequestSignature, "service"> & { readonly service?: string } {
  const { headers } = request;
  const { authorization } = headers;
  const presigned = new Map<string, string>();
  for (const [name, value] of [...query]) {
    if (!/^X-Amz-(Algorithm|Credential|Date|Expires|SignedHeaders|Signature|Security-Token)$/.test(name)) continue;
    if (presigned.has(name)) throw new AwsError("InvalidArgument", "Only one auth mechanism allowed");
    presigned.set(name, value);
    query.delete(name);
  }
  const credential = presigned.get("X-Amz-Credential");
  if (credential === undefined && authorization === undefined) return { region: "us-east-1" };
  if (credential !== undefined && authorization !== undefined) {
    throw new AwsError("InvalidArgument", "Only one auth mechanism allowed");
  }
  const [, matched] = (credential === undefined ? inHeader.exec(authorization ?? "") : inQuery.exec(credential)) ?? [];
  if (matched === undefined) {
    throw new AwsError("IncompleteSignature", "The request signature does not conform to AWS standards.");
  }
  const [accessKeyId = "", , region = "", service = ""] = matched.split("/");
  const time = credential === undefined ? headers["x-amz-date"] : (presigned.get("X-Amz-Date") ?? "");
  const age = time === undefined ? 0 : ageOf(time, now);
  if (credential === undefined) {
    if (!(Math.abs(age) <= maximumSkew)) throw tooSkewed();
    return { accessKeyId, region, service, sessionToken: headers["x-amz-security-token"] };
  }
  const expires = presigned.get("X-Amz-Expires") ?? "";
  if (!/^\d{1,6}$/.test(expires) || Number(expires) > 604_800 || Number.isNaN(age)) {
    throw new AwsError("AuthorizationQueryParametersError", "X-Amz-Expires must be between 0 and 604800 seconds");
  }
  if (age > Number(expires)) throw new AwsError("AccessDenied", "Request has expired", 403);
  if (age < -maximumSkew) throw tooSkewed();
  return {
    accessKeyId,
    region,
    service,
    sessionToken: presigned.get("X-Amz-Security-Token"),
    presigned: {
      age: Math.round(Math.max(age, 0) * 1000),
      isSignedWith: (secret) => presigned.get("X-Amz-Signature") === signatureOf(request, matched, presigned, secret),
    },
  };
}

/**
 * The signature of a presigned URL.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
function signatureOf(
  { method, url, headers, body }: HttpRequest,
  credential: string,
  presigned: ReadonlyMap<string, string>,
  secret: string,
): string {
  const [path = "", search = ""] = url.split(/\?(.*)/s);
  const query = search.split("&").map((pair) => {
    const [name = "", value = ""] = pair.split(/=(.*)/s);
    return [encode(decode(name)), encode(decode(value))] as const;
  });
  const sorted = query.sort(([a, x], [b, y]) => (a < b || (a === b && x < y) ? -1 : 1));
  const signedQuery = sorted
    .filter(([name]) => name !== "" && name !== "X-Amz-Signature")
    .map((pair) => pair.join("="));
  const names = presigned.get("X-Amz-SignedHeaders") ?? "";
  const signedHeaders = names.split(";").map((name) => `${name}:${headers[name]?.trim().replace(/ +/g, " ")}\n`);
  const [, ...scopeParts] = credential.split("/");
  const contentHash = new URLSearchParams(search).get("X-Amz-Content-Sha256") ?? headers["x-amz-content-sha256"];
  const ofS3 = scopeParts[2] === "s3" ? (contentHash ?? "UNSIGNED-PAYLOAD") : undefined;
  const canonicalPath = path.split("/").map((part) => encode(decode(part)));
  const canonical = [
    method,
    canonicalPath.join("/"),
    signedQuery.join("&"),
    signedHeaders.join(""),
    names,
    ofS3 ?? sha256(body),
  ].join("\n");
  const time = presigned.get("X-Amz-Date");
  const toSign = ["AWS4-HMAC-SHA256", time, scopeParts.join("/"), sha256(canonical)].join("\n");
  const key = scopeParts.reduce<string | Buffer>((parent, part) => hmac(parent, part), `AWS4${secret}`);
  return createHmac("sha256", key).update(toSign).digest("hex");
}

function sha256(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac("sha256", key).update(data).digest();
}

/** The seconds since a time as in `X-Amz-Date`: `20260102T030405Z`. NaN if it is malformed. */
function ageOf(time: string, now: Date): number {
  const iso = time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z");
  return iso === time ? Number.NaN : (now.getTime() - Date.parse(iso)) / 1000;
}

function tooSkewed(): AwsError {
  const message = "The difference between the request time and the current time is too large.";
  return new AwsError("RequestTimeTooSkewed", message, 403);
}
