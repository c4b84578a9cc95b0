import type { Call, RequiredPermission, ResourceState } from "../call";
import { cloudFrontPermissions } from "./cloudfront";
import { dynamoDbPermissions } from "./dynamodb";
import { iamPermissions, stsPermissions } from "./iam";
import { kmsPermissions } from "./kms";
import { s3Permissions } from "./s3";

/**
 * The permissions that a request requires, as documented in AWS's Service Authorization Reference. For services that
 * this project does not use, only the action is known, not the resource: the proxy denies them.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
export function requiredPermissions(call: Call, state: ResourceState): RequiredPermission[] {
  const permissions = services.get(call.service)?.(call, state) ?? [];
  // A request in which no resource is recognized must not be allowed without any permission.
  if (permissions.length > 0) return permissions;
  const { service, operation, http, path } = call;
  // REST protocols have no operation name: only a wildcard matches this action.
  const action = operation ?? `${http.method} ${path}`;
  const unsupported = services.has(service) ? undefined : `the sandbox does not evaluate permissions for ${service}`;
  return [{ action: `${prefixes.get(service) ?? service}:${action}`, resource: "*", context: {}, unsupported }];
}

/** Whether the proxy knows what a request to a service changes. */
export function isKnownService(service: string): boolean {
  return services.has(service);
}

const services = new Map<string, (call: Call, state: ResourceState) => RequiredPermission[]>([
  ["iam", iamPermissions],
  ["sts", stsPermissions],
  ["s3", s3Permissions],
  ["dynamodb", dynamoDbPermissions],
  ["kms", kmsPermissions],
  ["cloudfront", cloudFrontPermissions],
]);

/** Services whose name in signatures differs from their prefix in policies. */
const prefixes = new Map([
  ["monitoring", "cloudwatch"],
  ["email", "ses"],
  ["tagging", "tag"],
]);
