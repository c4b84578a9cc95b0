import { AwsError } from "../aws-error";
import type { Call, RequiredPermission, ResourceState } from "../call";
import type { HttpRequest } from "../http";
import { decode, encodeQuery } from "../parameters";

/** The methods of each kind of path: `/2020-05-31/distribution/E1/config` is of the kind `id/config`. */
const methods: Readonly<Record<string, RegExp>> = {
  tagging: /^(GET|POST)$/,
  kind: /^(GET|POST)$/,
  id: /^(GET|PUT|DELETE)$/,
  "id/config": /^(GET|PUT)$/,
  "id/invalidation": /^(GET|POST)$/,
  "id/invalidation/id": /^GET$/,
};

/**
 * A request to CloudFront, built from its path, its query and its body.
 *
 * @throws {AwsError} if the proxy does not know the path
 */
export function cloudFrontRequest({
  request: { method, headers, body },
  path,
  query,
}: {
  readonly request: HttpRequest;
  readonly path: string;
  readonly query: URLSearchParams;
}): HttpRequest {
  const decoded = decode(path);
  const [, version, kind = "", id, part, child] =
    /^\/(2020-05-31)\/(origin-access-identity\/cloudfront|[a-z-]+)(?:\/([\w.-]+)(?:\/(config|invalidation)(?:\/(\w+))?)?)?$/.exec(
      decoded,
    ) ?? [];
  const shape = [id && "id", part, child && "id"].filter(Boolean).join("/") || (kind === "tagging" ? kind : "kind");
  const isKnown = kind === "tagging" ? id === undefined : nounOf(kind.split("/")[0] ?? "") !== undefined;
  if (
    version === undefined ||
    !isKnown ||
    !methods[shape]?.test(method) ||
    (part === "invalidation" && kind !== "distribution")
  ) {
    throw new AwsError("AccessDenied", `The sandbox does not implement ${method} ${decoded}.`, 403);
  }
  const operation = query.get("Operation");
  if (kind === "tagging" && method === "POST" && operation !== "Tag" && operation !== "Untag") {
    throw new AwsError("InvalidArgument", "Operation must be Tag or Untag.");
  }
  const sent = [...query].filter(([name]) => /^(WithTags|Operation|Resource|Marker|MaxItems)$/.test(name));
  // Without a query, moto reads parameters, and even the operation, from the body.
  const url = `${decoded}${encodeQuery(sent.length > 0 ? sent : [["x-id", ""]])}`;
  const own = {
    "content-type": "application/xml",
    "if-match": headers["if-match"],
    "user-agent": headers["user-agent"],
  };
  return { method, url, headers: own, body: method === "GET" ? Buffer.alloc(0) : body };
}

/** The resource kinds that this proxy knows, as in the paths of requests. */
const knownKinds =
  /^(distribution|origin-access-(control|identity)|(cache|origin-request|response-headers)-policy|public-key|key-group|function)$/;

/** The name of a kind in actions: `CachePolicy` for `cache-policy`. */
function nounOf(kind: string): string | undefined {
  if (!knownKinds.test(kind)) return undefined;
  const noun = kind.replace(/(?:^|-)(.)/g, (_, first: string) => first.toUpperCase());
  return kind === "origin-access-identity" ? `CloudFront${noun}` : noun;
}

/**
 * The permissions that a request to CloudFront requires.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudfront.html
 */
export function cloudFrontPermissions(call: Call, state: ResourceState): RequiredPermission[] {
  const [kind = "", id, part] = segments(call.path);
  const resource = kind === "tagging" ? (call.query.get("Resource") ?? "*") : arn(state, kind, id);
  const permission = (action: string) => ({ action: `cloudfront:${action}`, resource, context: {} });
  const create = call.http.method === "POST" && id === undefined;
  // Creating a distribution with tags requires the permission to tag as well.
  if (create && kind === "distribution" && call.query.has("WithTags"))
    return [permission("CreateDistribution"), permission("TagResource")];
  if (kind === "tagging") return [permission(taggingAction(call))];
  if (kind === "distribution" && part === "invalidation") return [permission(invalidationAction(call))];
  const noun = nounOf(kind);
  if (noun && id === undefined && !create)
    return [{ ...permission(`List${noun.replace(/y$/, "ie")}s`), resource: "*" }];
  if (noun) return [permission(actionOn(noun, call.http.method, part))];
  // Only a wildcard matches this action.
  return [permission(`${call.http.method} ${call.path}`)];
}

/** `/2020-05-31/distribution/ID/config` → `distribution`, `ID`, `config`. */
function segments(path: string): string[] {
  const [, ...rest] = path.split("/").filter((segment) => segment !== "" && segment !== "cloudfront");
  return rest.map((segment) => decodeURIComponent(segment));
}

function arn({ partition, accountId }: ResourceState, kind: string, id: string | undefined): string {
  return `arn:${partition}:cloudfront::${accountId}:${kind}/${id ?? "*"}`;
}

function actionOn(noun: string, method: string, part?: string): string {
  const verb = { POST: "Create", PUT: "Update", DELETE: "Delete" }[method];
  return verb ? `${verb}${noun}` : `Get${noun}${part === "config" ? "Config" : ""}`;
}

function taggingAction({ http, query }: Call): string {
  if (http.method === "GET") return "ListTagsForResource";
  return query.get("Operation") === "Untag" ? "UntagResource" : "TagResource";
}

function invalidationAction({ http, path }: Call): string {
  if (http.method === "POST") return "CreateInvalidation";
  return path.endsWith("/invalidation") ? "ListInvalidations" : "GetInvalidation";
}
