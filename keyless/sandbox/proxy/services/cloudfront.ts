import type { Call, RequiredPermission, ResourceState } from "../call";

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
