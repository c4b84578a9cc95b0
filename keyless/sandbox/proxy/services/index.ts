import type { Call, RequiredPermission, ResourceState } from "../call";
import { cloudFrontPermissions } from "./cloudfront";
import { dynamoDbPermissions } from "./dynamodb";
import { iamPermissions, stsPermissions } from "./iam";
import { kmsPermissions } from "./kms";
import { s3Permissions } from "./s3";

/**
 * The permissions that a request asks for, named as in AWS's service authorization reference. Services that this
 * project does not use are known by the name of the action alone.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
export function requiredPermissions(call: Call, state: ResourceState): RequiredPermission[] {
  const permissions = services.get(call.service)?.(call, state) ?? [];
  // A request that names nothing, or in a way that is not understood here, is not one that needs no permission.
  return permissions.length > 0 ? permissions : unrecognizedOperation(call);
}

const services = new Map<string, (call: Call, state: ResourceState) => RequiredPermission[]>([
  ["iam", iamPermissions],
  ["sts", stsPermissions],
  ["s3", s3Permissions],
  ["dynamodb", dynamoDbPermissions],
  ["kms", kmsPermissions],
  ["cloudfront", cloudFrontPermissions],
]);

/** Services whose name in a signature is not their prefix in a policy. */
const prefixes = new Map([
  ["monitoring", "cloudwatch"],
  ["email", "ses"],
  ["tagging", "tag"],
]);

function unrecognizedOperation({ service, operation, http, path }: Call): RequiredPermission[] {
  // A REST service does not say the name: what stands here is matched by a wildcard only.
  const action = operation ?? `${http.method} ${path}`;
  return [{ action: `${prefixes.get(service) ?? service}:${action}`, resource: "*", context: {} }];
}
