import { groupBy } from "../group-by";
import type { ConditionElement, PolicyDocument, Statement } from "../policy/document";
import type { EnvironmentScope, ScopedRole } from "./scope";
import { readStatements, writeStatements } from "./state";
import { allow, compact, policy } from "./statement";

/**
 * Permissions for `cdktf diff <environment>`: read the roles, policies and provider of the environment and their state.
 * Nothing can be written, not even the lock of the state: plan with `TF_CLI_ARGS_plan=-lock=false`.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
 */
export function planEnvironment(scope: EnvironmentScope): PolicyDocument {
  return policy([...readStatements(scope), ...readAccess(scope)]);
}

/**
 * Permissions for `cdktf deploy <environment>`, for the role named `self`: manage the environment's provider and the
 * roles that the pipeline deploys, attach the managed policies that the configuration lists for each role, and write
 * inline policies to roles that have some in the configuration. The role cannot change itself directly, a role that an
 * administrator deploys, or the permissions boundary of any role.
 *
 * AWS has no condition on the content of an inline policy or a trust policy: this role can grant the managed roles any
 * permission, up to their permissions boundary. It is therefore an administrator of the account, unless all of them have one.
 */
export function applyEnvironment(scope: EnvironmentScope, self: string): PolicyDocument {
  const managed = scope.roles.filter((role) => role.name !== self && role.deployedBy === "pipeline");
  const others = scope.roles.filter((role) => !managed.includes(role));
  const byBoundary = sortedGroups(managed, (role) => role.permissionsBoundaryArn ?? "");
  return policy([
    ...writeStatements(scope),
    ...readAccess(scope),
    managed.length > 0 && allow("ChangeRoles", CHANGE_ROLE, arns(managed)),
    ...byBoundary.flatMap((roles, index) => [
      allow(`CreateRoles${index}`, ["iam:CreateRole", "iam:UpdateAssumeRolePolicy"], arns(roles), boundaryOf(roles)),
      inlineAccess(roles, index),
    ]),
    ...attachAccess(managed),
    scope.oidcProvider.mode === "create" && allow("ChangeProvider", CHANGE_PROVIDER, [scope.oidcProvider.arn]),
    others.length > 0 && denyChanges(others, scope.roles),
  ]);
}

const CHANGE_ROLE = [
  "iam:DeleteRole",
  "iam:UpdateRole",
  "iam:UpdateRoleDescription",
  "iam:TagRole",
  "iam:UntagRole",
  "iam:ListInstanceProfilesForRole",
  // Not limited to the policies of the configuration: a deployment removes the policies attached outside Terraform.
  "iam:DetachRolePolicy",
  "iam:DeleteRolePolicy",
];

const CHANGE_PROVIDER = [
  "iam:CreateOpenIDConnectProvider",
  "iam:DeleteOpenIDConnectProvider",
  "iam:AddClientIDToOpenIDConnectProvider",
  "iam:RemoveClientIDFromOpenIDConnectProvider",
  "iam:UpdateOpenIDConnectProviderThumbprint",
  "iam:TagOpenIDConnectProvider",
  "iam:UntagOpenIDConnectProvider",
];

const READ_ROLE = ["iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies"];

function readAccess({ roles, oidcProvider }: EnvironmentScope): Statement[] {
  return compact([
    roles.length > 0 && allow("ReadRoles", READ_ROLE, arns(roles)),
    allow("ReadProvider", ["iam:GetOpenIDConnectProvider"], [oidcProvider.arn]),
  ]);
}

// Limited to roles with inline policies in the configuration: to write an inline policy is to grant any permission.
function inlineAccess(roles: readonly ScopedRole[], index: number): Statement | false {
  const withInline = roles.filter((role) => Object.keys(role.inlinePolicies).length > 0);
  return (
    withInline.length > 0 && allow(`InlinePolicies${index}`, ["iam:PutRolePolicy"], arns(withInline), boundaryOf(roles))
  );
}

// Roles with the same managed policies share a statement, so that no role can get the policy of another one.
function attachAccess(managed: readonly ScopedRole[]): Statement[] {
  const withPolicies = managed.filter((role) => role.managedPolicyArns.length > 0);
  const groups = sortedGroups(withPolicies, (role) =>
    [role.permissionsBoundaryArn, ...[...role.managedPolicyArns].sort()].join(),
  );
  return groups.map((roles, index) =>
    allow(`AttachPolicies${index}`, ["iam:AttachRolePolicy"], arns(roles), {
      ArnEquals: { "iam:PolicyARN": [...(roles[0]?.managedPolicyArns ?? [])].sort() },
      ...boundaryOf(roles),
    }),
  );
}

/** The condition that a role has, or is created with, its configured permissions boundary. */
function boundaryOf([role]: readonly ScopedRole[]): ConditionElement | undefined {
  const boundary = role?.permissionsBoundaryArn;
  return boundary === undefined ? undefined : { StringEquals: { "iam:PermissionsBoundary": boundary } };
}

// An explicit Deny, so that no other policy of the role can grant it.
function denyChanges(roles: readonly ScopedRole[], bounded: readonly ScopedRole[]): Statement {
  const boundaries = bounded.flatMap(({ permissionsBoundaryArn }) => permissionsBoundaryArn ?? []);
  return {
    Sid: "NeverChange",
    Effect: "Deny",
    NotAction: ["iam:Get*", "iam:List*", "sts:*"],
    Resource: [...new Set([...arns(roles), ...boundaries])].sort(),
  };
}

function arns(roles: readonly ScopedRole[]): string[] {
  return roles.map(({ arn }) => arn).sort();
}

/** Groups in the order of their keys: the order of the configuration must not change the policy. */
function sortedGroups(roles: readonly ScopedRole[], key: (role: ScopedRole) => string): ScopedRole[][] {
  return [...groupBy(roles, key)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}
