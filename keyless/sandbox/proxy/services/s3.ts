import { partitionOf } from "../../../config/partition";
import {
  type Call,
  type ConditionKeys,
  prefixed,
  presentKeys,
  type RequiredPermission,
  type ResourceState,
} from "../call";
import { deletedObjects } from "./s3-delete";

/** The action of each method on each subresource: `""` is the bucket or object itself. */
type Actions = Readonly<Record<string, Readonly<Record<string, string>>>>;

const bucketActions: Actions = {
  "": { GET: "ListBucket", HEAD: "ListBucket", PUT: "CreateBucket", DELETE: "DeleteBucket" },
  accelerate: { GET: "GetAccelerateConfiguration", PUT: "PutAccelerateConfiguration" },
  acl: { GET: "GetBucketAcl", PUT: "PutBucketAcl" },
  cors: { GET: "GetBucketCORS", PUT: "PutBucketCORS", DELETE: "PutBucketCORS" },
  delete: { POST: "DeleteObject" },
  encryption: {
    GET: "GetEncryptionConfiguration",
    PUT: "PutEncryptionConfiguration",
    DELETE: "PutEncryptionConfiguration",
  },
  inventory: { GET: "GetInventoryConfiguration", PUT: "PutInventoryConfiguration" },
  lifecycle: {
    GET: "GetLifecycleConfiguration",
    PUT: "PutLifecycleConfiguration",
    DELETE: "PutLifecycleConfiguration",
  },
  location: { GET: "GetBucketLocation" },
  logging: { GET: "GetBucketLogging", PUT: "PutBucketLogging" },
  notification: { GET: "GetBucketNotification", PUT: "PutBucketNotification" },
  "object-lock": { GET: "GetBucketObjectLockConfiguration", PUT: "PutBucketObjectLockConfiguration" },
  ownershipControls: {
    GET: "GetBucketOwnershipControls",
    PUT: "PutBucketOwnershipControls",
    DELETE: "PutBucketOwnershipControls",
  },
  policy: { GET: "GetBucketPolicy", PUT: "PutBucketPolicy", DELETE: "DeleteBucketPolicy" },
  publicAccessBlock: {
    GET: "GetBucketPublicAccessBlock",
    PUT: "PutBucketPublicAccessBlock",
    DELETE: "PutBucketPublicAccessBlock",
  },
  replication: {
    GET: "GetReplicationConfiguration",
    PUT: "PutReplicationConfiguration",
    DELETE: "PutReplicationConfiguration",
  },
  tagging: { GET: "GetBucketTagging", PUT: "PutBucketTagging", DELETE: "PutBucketTagging" },
  uploads: { GET: "ListBucketMultipartUploads" },
  versioning: { GET: "GetBucketVersioning", PUT: "PutBucketVersioning" },
  versions: { GET: "ListBucketVersions" },
  website: { GET: "GetBucketWebsite", PUT: "PutBucketWebsite", DELETE: "DeleteBucketWebsite" },
};

/** `{}` becomes `Version` if the request has a version id. */
const objectActions: Actions = {
  "": { GET: "GetObject{}", HEAD: "GetObject{}", PUT: "PutObject", DELETE: "DeleteObject{}" },
  acl: { GET: "GetObject{}Acl", PUT: "PutObject{}Acl" },
  attributes: { GET: "GetObject{}Attributes" },
  "legal-hold": { GET: "GetObjectLegalHold", PUT: "PutObjectLegalHold" },
  restore: { POST: "RestoreObject" },
  retention: { PUT: "PutObjectRetention" },
  select: { POST: "GetObject" },
  tagging: { GET: "GetObject{}Tagging", PUT: "PutObject{}Tagging", DELETE: "DeleteObject{}Tagging" },
  uploadId: {
    GET: "ListMultipartUploadParts",
    PUT: "PutObject",
    POST: "PutObject",
    DELETE: "AbortMultipartUpload",
  },
  uploads: { POST: "PutObject" },
};

/** Subresources that moto does not implement: it would read or change the bucket or the object itself. */
const unimplemented =
  "abac analytics intelligent-tiering metadataConfiguration metadataTable metrics policyStatus renameObject requestPayment session torrent";

const subresources = new Set([
  ...Object.keys(bucketActions),
  ...Object.keys(objectActions),
  ...unimplemented.split(" "),
]);

/** The subresources in a query. A request to S3 has one at most. */
export function s3SubresourcesIn(query: URLSearchParams): string[] {
  return [...query.keys()].filter((name) => name !== "" && subresources.has(name));
}

/** The action of a request to a bucket or an object. Undefined if moto does not implement the method. */
export function s3ActionOf(method: string, isObject: boolean, subresource: string): string | undefined {
  const actions = isObject ? objectActions : bucketActions;
  return Object.hasOwn(actions, subresource) ? actions[subresource]?.[method] : undefined;
}

/** Headers of `PutObject` that require a further action. */
const objectHeaders: readonly (readonly [RegExp, string])[] = [
  [/^x-amz-(acl|grant-.+)$/, "PutObjectAcl"],
  [/^x-amz-tagging$/, "PutObjectTagging"],
  [/^x-amz-object-lock-(mode|retain-until-date)$/, "PutObjectRetention"],
  [/^x-amz-object-lock-legal-hold$/, "PutObjectLegalHold"],
];

/** Headers of `CreateBucket` that require a further action. */
const bucketHeaders: typeof objectHeaders = [
  [/^x-amz-(acl|grant-.+)$/, "PutBucketAcl"],
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

/** The bucket and the key of a request. Both are undefined for `ListBuckets`. */
export function s3Address({ path }: Pick<Call, "path">): { readonly bucket?: string; readonly key?: string } {
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
  const [subresource = ""] = s3SubresourcesIn(call.query);
  const action = s3ActionOf(call.http.method, false, subresource) ?? "";
  const further = action === "CreateBucket" ? headerActionsOf(call, bucketHeaders) : [];
  const permissions = [action, ...further].map((name) => on(name, bucketArn));
  const passesRole = subresource === "replication" && call.http.method === "PUT";
  return passesRole ? [...permissions, PASS_REPLICATION_ROLE] : permissions;
}

/** Of any role: the proxy does not read the role from the body. */
const PASS_REPLICATION_ROLE: RequiredPermission = {
  action: "iam:PassRole",
  resource: "*",
  context: { "iam:PassedToService": "s3.amazonaws.com" },
};

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

/** One permission for each object of a multi-object delete. */
function multiObjectDeletePermissions({ http }: Call, bucketArn: string, on: PermissionOn): RequiredPermission[] {
  return deletedObjects(http.body).objects.flatMap(({ key, versionId }) =>
    [versionId === undefined ? "DeleteObject" : "DeleteObjectVersion", ...bypassAction(http)].map((action) =>
      on(action, `${bucketArn}/${key}`),
    ),
  );
}

function objectPermissions(call: Call, resource: string, state: ResourceState, on: PermissionOn): RequiredPermission[] {
  const action = objectAction(call);
  const further = action === "PutObject" ? headerActionsOf(call, objectHeaders) : furtherActions(action, call);
  return [
    ...[action, ...further].map((name) => on(name, resource)),
    ...(action === "PutObject" ? copySourcePermissions(call, state, on) : []),
    ...kmsKeyPermissions(action, call, state),
  ];
}

/** Attributes require the action to read the object as well, and to bypass a retention is an action of its own. */
function furtherActions(action: string, { query, http }: Call): string[] {
  if (query.has("attributes")) return [query.has("versionId") ? "GetObjectVersion" : "GetObject"];
  return /^(DeleteObject|PutObjectRetention)/.test(action) ? bypassAction(http) : [];
}

function bypassAction({ headers }: Call["http"]): string[] {
  const bypasses = headers["x-amz-bypass-governance-retention"]?.toLowerCase() === "true";
  return bypasses ? ["BypassGovernanceRetention"] : [];
}

/** The actions that the headers of a request require. */
function headerActionsOf({ http }: Call, actions: typeof objectHeaders): string[] {
  const headers = Object.keys(http.headers);
  return actions.filter(([name]) => headers.some((header) => name.test(header))).map(([, action]) => action);
}

function objectAction({ http, query }: Call): string {
  const [subresource = ""] = s3SubresourcesIn(query);
  const action = s3ActionOf(http.method, true, subresource) ?? "";
  return action.replace("{}", query.has("versionId") ? "Version" : "");
}

/** A copy requires the permission to read its source. */
function copySourcePermissions({ http }: Call, { partition }: ResourceState, on: PermissionOn): RequiredPermission[] {
  const source = http.headers["x-amz-copy-source"];
  if (source === undefined) return [];
  const [path = "", version] = source.split("?versionId=");
  return [on(version ? "GetObjectVersion" : "GetObject", `arn:${partition}:s3:::${decodeURIComponent(path)}`)];
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
  const isObject = s3Address(call).key !== undefined;
  const parameterKeys = isObject ? objectKeys : query.has("uploads") ? {} : bucketKeys;
  // Requests that write nothing ignore the other headers.
  const isWrite = /PUT|POST/.test(http.method);
  const headers = isWrite ? headerKeys : ["x-amz-content-sha256", "if-match"];
  const tags = Object.fromEntries(new URLSearchParams((isWrite && http.headers["x-amz-tagging"]) || ""));
  // An empty prefix is a value: policies allow it, to list the top level of a bucket.
  const parameters = Object.entries(parameterKeys).filter(([parameter]) => query.has(parameter));
  return {
    ...Object.fromEntries(parameters.map(([parameter, key]) => [key, query.get(parameter) ?? ""])),
    ...presentKeys({ "s3:RequestObjectTagKeys": Object.keys(tags) }),
    ...prefixed("s3:RequestObjectTag/", tags),
    ...presentKeys(Object.fromEntries(headers.map((header) => [`s3:${header}`, http.headers[header]]))),
    "s3:authType": call.presigned === undefined ? "REST-HEADER" : "REST-QUERY-STRING",
    ...presentKeys({ "s3:signatureAge": call.presigned?.age.toString() }),
    "s3:signatureversion": "AWS4-HMAC-SHA256",
    "s3:TlsVersion": "1.3",
    "s3:ResourceAccount": accountId,
  };
}
