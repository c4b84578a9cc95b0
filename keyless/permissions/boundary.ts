import type { Statement } from "../policy/document";
import { type ArgumentFault, ArgumentsError } from "./faults";
import type { BoundaryBuilder, EnvironmentScope } from "./scope";
import { allow, policy } from "./statement";

/** Services that create identities, change what identities may do, or issue credentials of other identities. */
const IDENTITY_SERVICES = [
  "account",
  "account-access",
  "controltower",
  "iam",
  "identity-sync",
  "identitystore",
  "identitystore-auth",
  "organizations",
  "ram",
  "rolesanywhere",
  "signin",
  "sso",
  "sso-directory",
  "sso-oauth",
  "sts",
];

/**
 * A permissions boundary that allows every action of these services, and denies access to the Terraform state of the
 * account's environments: its buckets, its lock tables, and the KMS keys that encrypt them.
 *
 * A boundary grants nothing. A role can do what both its policies and the boundary allow; and, as with every boundary,
 * what a resource policy of the account grants to `*` or to a session of the role by name. The boundary does not limit
 * services that act with a role of their own: a role that may change the code of an existing Lambda function, instance,
 * build project or stack has the permissions of that function's role. List such a service only if all of its roles in
 * the account may be used by the jobs of this environment.
 *
 * @param services the prefixes of actions, in lower case, e.g. `["s3", "cloudfront"]`
 * @returns a function for `environments.<name>.permissionsBoundary`
 * @throws {ArgumentsError} if no service is listed, one is not the prefix of actions, or one changes identities: `iam`, `sts`,
 *   `organizations`, `account`, `sso`, …
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
export function allowServices(services: readonly string[]): BoundaryBuilder {
  return (scope) => {
    const faults = serviceFaults(services);
    if (faults.length > 0) throw new ArgumentsError("allowServices", faults);
    return policy([
      allow(
        "Services",
        [...new Set(services)].sort().map((service) => `${service}:*`),
        ["*"],
      ),
      denyState(scope),
      services.includes("s3") && { Sid: "NoOtherPathToState", Effect: "Deny", Action: OTHER_PATHS, Resource: "*" },
    ]);
  };
}

/** Requests of S3 that reach objects without naming their bucket, or with the permissions of another role. */
const OTHER_PATHS = [
  // A request through an access point names the access point instead of the bucket.
  "s3:CreateAccessPoint*",
  "s3:CreateMultiRegionAccessPoint",
  // A grant gives credentials of the role of its location.
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-grants-data-access.html
  "s3:CreateAccessGrant*",
  "s3:GetDataAccess",
];

function serviceFaults(services: readonly string[]): ArgumentFault[] {
  if (!Array.isArray(services)) return [{ value: services, message: 'must be a list of services, e.g. ["s3"]' }];
  if (services.length === 0) return [{ message: 'lists no service: name at least one, e.g. "s3"' }];
  return services.flatMap((value) => {
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(value))
      return [{ value, message: 'is not a service: write the prefix of its actions in lower case, e.g. "s3"' }];
    if (!IDENTITY_SERVICES.includes(value)) return [];
    const message =
      "changes identities or issues their credentials, so that a role could leave the boundary: remove it";
    return [{ value, message }];
  });
}

function denyState({ partition, accountId, accountStates }: EnvironmentScope): Statement {
  const resources = accountStates.flatMap(({ bucket, region, lockTable, kmsKeyArn }) => {
    const table = `arn:${partition}:dynamodb:${region}:${accountId}:table/${lockTable}`;
    return [
      `arn:${partition}:s3:::${bucket}`,
      `arn:${partition}:s3:::${bucket}/*`,
      ...(lockTable === undefined ? [] : [table, `${table}/*`]),
      ...(kmsKeyArn === undefined ? [] : [kmsKeyArn]),
    ];
  });
  return { Sid: "NoState", Effect: "Deny", Action: "*", Resource: [...new Set(resources)].sort() };
}
