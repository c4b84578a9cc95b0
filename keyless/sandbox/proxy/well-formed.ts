import { AwsError } from "./aws-error";
import type { Call } from "./call";
import { s3Subresources } from "./services/s3";

/**
 * Rejects ambiguous requests, which the proxy and moto could interpret differently: moto would then execute a request
 * that the proxy has not authorized. AWS rejects most of them too, and no AWS client sends them.
 *
 * @throws {AwsError} as AWS would for a malformed request
 */
export function requireWellFormed(call: Call): void {
  const { path, http, service, query } = call;
  if (!path.startsWith("/") || http.url.includes("#") || !isDecodable(path)) {
    throw new AwsError("InvalidURI", "Couldn't parse the specified URI.");
  }
  requireOneSignature(call);
  if (service === "s3") requireOneBucket(call);
  if (service === "s3" || service === "cloudfront") requireOnce(query);
  else requireOneOperation(call);
}

function isDecodable(text: string): boolean {
  try {
    return decodeURIComponent(text) !== undefined;
  } catch {
    return false;
  }
}

const scope = "[^/,\\s]+/\\d{8}/[a-z0-9-]+/[a-z0-9-]+/aws4_request";
const inHeader = new RegExp(`^AWS4-HMAC-SHA256 Credential=${scope}, ?SignedHeaders=[^,\\s]+, ?Signature=[^,\\s]+$`);
const inQuery = new RegExp(`^${scope}$`);

function requireOneSignature({ http, query }: Call): void {
  const { authorization } = http.headers;
  const signatures = [
    ...(authorization === undefined ? [] : [inHeader.test(authorization)]),
    ...query.getAll("X-Amz-Credential").map((credential) => inQuery.test(credential)),
  ];
  if (signatures.length > 1) throw new AwsError("InvalidArgument", "Only one auth mechanism allowed");
  if (signatures.includes(false)) {
    throw new AwsError("IncompleteSignature", "The request signature does not conform to AWS standards.");
  }
}

/** The body of a multi-object delete as AWS clients write it. XML parsers cannot interpret it differently. */
const deletion =
  /^(<\?xml version="1\.0"( encoding="(UTF|utf)-8")?\?>)?\s*<Delete( xmlns="[^"<>]*")?>(\s*(<Object>\s*<\/Object>|<Quiet>(true|false)<\/Quiet>))*\s*<\/Delete>\s*$/;
const deletedField = /<(Key|VersionId|ETag|LastModifiedTime|Size)>[^<]+<\/\1>/g;

/** The source of a copy: bucket, key, and optionally the version. */
const copySource = /^\/?[\w.-]+\/[^?#;]+(\?versionId=[\w.-]+)?$/;

function requireOneBucket({ path, query, http }: Call): void {
  if (path !== "/" && !/^\/[\w.-]+(\/|$)/.test(path)) {
    throw new AwsError("InvalidBucketName", "The specified bucket is not valid.");
  }
  const named = s3Subresources.filter((name) => query.has(name));
  if (named.length > 1) {
    throw new AwsError("InvalidArgument", `Conflicting query string parameters: ${named.join(", ")}`);
  }
  const body = http.body.toString();
  if (query.has("delete") && !isDeletion(body)) {
    throw new AwsError("MalformedXML", "The XML you provided was not well-formed or did not validate");
  }
  const source = http.headers["x-amz-copy-source"];
  if (source !== undefined && !(isDecodable(source) && copySource.test(source.replaceAll(/%2F/gi, "/")))) {
    throw new AwsError("InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
  }
}

function isDeletion(body: string): boolean {
  const objects = body.split("<Object>").slice(1);
  return deletion.test(body.replace(deletedField, "")) && objects.every((object) => object.split("<Key>").length === 2);
}

const jsonTargets: Record<string, RegExp> = {
  dynamodb: /^DynamoDB(Streams)?_20120810\.\w+$/,
  kms: /^TrentService\.\w+$/,
};

/** Requires that one of form, query and header contains the operation, and that the path is `/`. */
function requireOneOperation({ http, path, query, form, operation, service, json }: Call): void {
  const target = http.headers["x-amz-target"];
  const wantsTarget = jsonTargets[service];
  const isQueryProtocol = service === "iam" || service === "sts";
  // REST protocols have no operation name.
  if (operation === undefined && !wantsTarget && !isQueryProtocol) return;

  const parameters = [...query.keys()].filter((name) => !name.startsWith("X-Amz-"));
  const isForm = form !== query;
  const places = [target !== undefined, isForm, parameters.length > 0].filter(Boolean);
  const isInOne = places.length === 1 && path === "/" && Boolean(operation);
  const isOfProtocol = isQueryProtocol
    ? target === undefined && (isForm || http.body.length === 0)
    : (wantsTarget?.test(target ?? "") ?? true);
  if (!isInOne || !isOfProtocol) {
    throw new AwsError("InvalidAction", "Could not find the operation or parameters of this request.");
  }
  if (json === undefined) throw new AwsError("SerializationException", "The request is not valid JSON.");
  requireOnce(form);
}

function requireOnce(parameters: URLSearchParams): void {
  const names = [...parameters.keys()];
  const repeated = names.find((name, index) => names.indexOf(name) < index);
  if (repeated !== undefined) throw new AwsError("InvalidArgument", `The parameter ${repeated} is given twice.`);
}
