import { partitionOf } from "../../../config/partition";
import {
  type Call,
  type ConditionKeys,
  prefixed,
  presentKeys,
  type RequiredPermission,
  type ResourceState,
} from "../call";

/** The actions on subresources of buckets: read, write, and delete if it differs from write. */
const bucketActions: Record<string, readonly string[]> = {
  accelerate: ["GetAccelerateConfiguration", "PutAccelerateConfiguration"],
  acl: ["GetBucketAcl", "PutBucketAcl"],
  analytics: ["GetAnalyticsConfiguration", "PutAnalyticsConfiguration"],
  cors: ["GetBucketCORS", "PutBucketCORS"],
  encryption: ["GetEncryptionConfiguration", "PutEncryptionConfiguration"],
  "intelligent-tiering": ["GetIntelligentTieringConfiguration", "PutIntelligentTieringConfiguration"],
  inventory: ["GetInventoryConfiguration", "PutInventoryConfiguration"],
  lifecycle: ["GetLifecycleConfiguration", "PutLifecycleConfiguration"],
  location: ["GetBucketLocation"],
  logging: ["GetBucketLogging", "PutBucketLogging"],
  metrics: ["GetMetricsConfiguration", "PutMetricsConfiguration"],
  notification: ["GetBucketNotification", "PutBucketNotification"],
  "object-lock": ["GetBucketObjectLockConfiguration", "PutBucketObjectLockConfiguration"],
  ownershipControls: ["GetBucketOwnershipControls", "PutBucketOwnershipControls"],
  policy: ["GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"],
  policyStatus: ["GetBucketPolicyStatus"],
  publicAccessBlock: ["GetBucketPublicAccessBlock", "PutBucketPublicAccessBlock"],
  replication: ["GetReplicationConfiguration", "PutReplicationConfiguration"],
  requestPayment: ["GetBucketRequestPayment", "PutBucketRequestPayment"],
  tagging: ["GetBucketTagging", "PutBucketTagging"],
  uploads: ["ListBucketMultipartUploads"],
  versioning: ["GetBucketVersioning", "PutBucketVersioning"],
  versions: ["ListBucketVersions"],
  website: ["GetBucketWebsite", "PutBucketWebsite", "DeleteBucketWebsite"],
};

/** The actions on subresources of objects. `{}` becomes `Version` if the request has a version id. */
const objectActions: Record<string, readonly string[]> = {
  acl: ["GetObject{}Acl", "PutObject{}Acl"],
  attributes: ["GetObject{}Attributes"],
  "legal-hold": ["GetObjectLegalHold", "PutObjectLegalHold"],
  restore: ["GetObject", "RestoreObject"],
  retention: ["GetObjectRetention", "PutObjectRetention"],
  select: ["GetObject", "GetObject"],
  tagging: ["GetObject{}Tagging", "PutObject{}Tagging", "DeleteObject{}Tagging"],
  torrent: ["GetObject{}Torrent"],
};

/** The subresources of buckets and objects. */
export const s3Subresources = [
  ...new Set(["delete", "session", "uploadId", ...Object.keys(bucketActions), ...Object.keys(objectActions)]),
];

/** Headers of `PutObject` that require a further action. */
const objectHeaders: readonly (readonly [RegExp, string])[] = [
  [/^x-amz-(acl|grant-.+)$/, "PutObjectAcl"],
  [/^x-amz-tagging$/, "PutObjectTagging"],
  [/^x-amz-object-lock-mode$/, "PutObjectRetention"],
  [/^x-amz-object-lock-legal-hold$/, "PutObjectLegalHold"],
];

/** Headers of `CreateBucket` that require a further action. */
const bucketHeaders: typeof objectHeaders = [
  [/^x-amz-acl$/, "PutBucketAcl"],
  [/^x-amz-object-ownership$/, "PutBucketOwnershipControls"],
  [/^x-amz-bucket-object-lock-enabled$/, "PutBucketObjectLockConfiguration"],
];

/** Headers that are condition keys with the same name. */
const headerKeys = [
  "x-amz-acl",
  "x-amz-content-sha256",
  "x-amz-copy-source",
  "x-amz-metadata-directive",
  "x-amz-object-ownership",
  "x-amz-server-side-encryption",
  "x-amz-server-side-encryption-aws-kms-key-id",
  "x-amz-server-side-encryption-customer-algorithm",
  "x-amz-storage-class",
  "x-amz-website-redirect-location",
  "if-match",
  "if-none-match",
];

/** Query parameters that are condition keys of requests to buckets, and to objects. */
const bucketKeys = { prefix: "s3:prefix", delimiter: "s3:delimiter", "max-keys": "s3:max-keys" };
const objectKeys = { versionId: "s3:VersionId" };

/** Creates a permission for an action, given without its prefix, on a resource. */
type PermissionOn = (action: string, resource: string) => RequiredPermission;

/** The bucket and the key of a well-formed request. Both are undefined for `ListBuckets`. */
export function s3Address({ path }: Call): { readonly bucket?: string; readonly key?: string } {
  const [, bucket, key] = /^\/([^/]+)\/?(.*)$/s.exec(path) ?? [];
  return { bucket: bucket && decodeURIComponent(bucket), key: key ? decodeURIComponent(key) : undefined };
}

/**
 * The permissions that a request to S3 or S3 Control requires.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 */
export function s3Permissions(call: Call, state: ResourceState): RequiredPermission[] {
  if (call.path.startsWith("/v20180820/")) return s3ControlPermissions(call);
  const { bucket, key } = s3Address(call);
  if (bucket === undefined) return [{ action: "s3:ListAllMyBuckets", resource: "*", context: {} }];
  const bucketArn = `arn:${state.partition}:s3:::${bucket}`;
  const context = requestContext(call, state);
  const on: PermissionOn = (name, resource) => ({ action: `s3:${name}`, resource, context });
  if (key !== undefined) return objectPermissions(call, `${bucketArn}/${key}`, state, on);
  if (call.query.has("delete")) return multiObjectDeletePermissions(call, bucketArn, on);
  const action = bucketAction(call);
  const further = action === "CreateBucket" ? headerActionsOf(call, bucketHeaders) : [];
  return [action, ...further].map((name) => on(name, bucketArn));
}

/** The permissions of S3 Control, which has its own paths: the account's settings and tags. */
function s3ControlPermissions({ http: { method }, path }: Call): RequiredPermission[] {
  const [, , kind, ...rest] = path.split("/");
  const on: PermissionOn = (action, resource) => ({ action: `s3:${action}`, resource, context: {} });
  const verb = { GET: "Get", PUT: "Put", DELETE: "Put" }[method] ?? method;
  if (kind === "configuration") return [on(`${verb}AccountPublicAccessBlock`, "*")];
  const tagging = { GET: "ListTagsForResource", POST: "TagResource", DELETE: "UntagResource" }[method];
  if (kind === "tags" && tagging) return [on(tagging, decodeURIComponent(rest.join("/")))];
  return [on(`${method} ${path}`, "*")];
}

function bucketAction({ http, query }: Call): string {
  const subresource = Object.keys(bucketActions).find((name) => query.has(name));
  if (subresource) return byMethod(bucketActions[subresource], http.method);
  if (query.has("session")) return "CreateSession";
  return { PUT: "CreateBucket", DELETE: "DeleteBucket", POST: "PutObject" }[http.method] ?? "ListBucket";
}

function byMethod(actions: readonly string[] = [], method: string): string {
  const [read = "", write = read, remove = write] = actions;
  return { GET: read, HEAD: read, DELETE: remove }[method] ?? write;
}

/** One permission for each object of a multi-object delete. */
function multiObjectDeletePermissions({ http }: Call, bucketArn: string, on: PermissionOn): RequiredPermission[] {
  const objects = [...http.body.toString().matchAll(/<Object>(.*?)<\/Object>/gs)].map(([, object = ""]) => object);
  return objects.map((object) => {
    const key = unescapeXml(/<Key>(.*?)<\/Key>/s.exec(object)?.[1] ?? "");
    return on(object.includes("<VersionId>") ? "DeleteObjectVersion" : "DeleteObject", `${bucketArn}/${key}`);
  });
}

function unescapeXml(text: string): string {
  const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (hex || decimal) return String.fromCodePoint(hex ? Number.parseInt(hex, 16) : Number(decimal));
    return entities[name] ?? whole;
  });
}

function objectPermissions(call: Call, resource: string, state: ResourceState, on: PermissionOn): RequiredPermission[] {
  const action = objectAction(call);
  const further = action === "PutObject" ? headerActionsOf(call, objectHeaders) : contentReadActions(call);
  return [
    ...[action, ...further].map((name) => on(name, resource)),
    ...(action === "PutObject" ? copySourcePermissions(call, state, on) : []),
    ...kmsKeyPermissions(action, call, state),
  ];
}

/** Operations that reveal the content of an object require the action to read it as well. */
function contentReadActions({ query }: Call): string[] {
  if (!query.has("attributes") && !query.has("torrent")) return [];
  return [query.has("versionId") ? "GetObjectVersion" : "GetObject"];
}

/** The actions that the headers of a request require. */
function headerActionsOf({ http }: Call, actions: typeof objectHeaders): string[] {
  const headers = Object.keys(http.headers);
  return actions.filter(([name]) => headers.some((header) => name.test(header))).map(([, action]) => action);
}

function objectAction({ http, query }: Call): string {
  const version = query.has("versionId") ? "Version" : "";
  if (query.has("uploadId")) {
    return { GET: "ListMultipartUploadParts", DELETE: "AbortMultipartUpload" }[http.method] ?? "PutObject";
  }
  const subresource = Object.keys(objectActions).find((name) => query.has(name));
  if (subresource) return byMethod(objectActions[subresource], http.method).replace("{}", version);
  const action = { GET: "GetObject", HEAD: "GetObject", DELETE: "DeleteObject" }[http.method];
  return action ? `${action}${version}` : "PutObject";
}

/** A copy requires the permission to read its source. */
function copySourcePermissions({ http }: Call, { partition }: ResourceState, on: PermissionOn): RequiredPermission[] {
  const source = http.headers["x-amz-copy-source"];
  if (source === undefined) return [];
  const [path = "", version] = source.split("?versionId=");
  const address = decodeURIComponent(path).replace(/^\//, "");
  return [on(version ? "GetObjectVersion" : "GetObject", `arn:${partition}:s3:::${address}`)];
}

/** S3 uses the KMS key with the caller's permissions, to encrypt and to decrypt objects. */
function kmsKeyPermissions(
  action: string,
  { region }: Call,
  { keyArn, accountId }: ResourceState,
): RequiredPermission[] {
  if (keyArn === undefined) return [];
  const context = { "kms:ViaService": `s3.${region}.${partitionOf(region).dnsSuffix}`, "kms:CallerAccount": accountId };
  if (action === "PutObject") return [{ action: "kms:GenerateDataKey", resource: keyArn, context }];
  return /^GetObject(Version)?$/.test(action) ? [{ action: "kms:Decrypt", resource: keyArn, context }] : [];
}

function requestContext(call: Call, { accountId }: ResourceState): ConditionKeys {
  const { http, query } = call;
  const parameterKeys = s3Address(call).key === undefined ? bucketKeys : objectKeys;
  const tags = Object.fromEntries(new URLSearchParams(http.headers["x-amz-tagging"] ?? ""));
  // An empty prefix is a value: policies allow it, to list the top level of a bucket.
  const parameters = Object.entries(parameterKeys).filter(([parameter]) => query.has(parameter));
  return {
    ...Object.fromEntries(parameters.map(([parameter, key]) => [key, query.get(parameter) ?? ""])),
    ...presentKeys({ "s3:RequestObjectTagKeys": Object.keys(tags) }),
    ...prefixed("s3:RequestObjectTag/", tags),
    ...presentKeys(Object.fromEntries(headerKeys.map((header) => [`s3:${header}`, http.headers[header]]))),
    "s3:authType": query.has("X-Amz-Signature") ? "REST-QUERY-STRING" : "REST-HEADER",
    "s3:signatureversion": "AWS4-HMAC-SHA256",
    "s3:TlsVersion": "1.3",
    "s3:ResourceAccount": accountId,
  };
}
