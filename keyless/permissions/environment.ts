import { groupBy } from "../group-by";
import type { ConditionElement, PolicyDocument, Statement } from "../policy/document";
import type { EnvironmentScope, ScopedRole } from "./scope";
import { planStatements, writeStatements } from "./state";
import { allow, compact, policy } from "./statement";

/**
 * Permissions for `cdktf diff <environment>`: read the roles, policies and provider of the environment and their state.
 * Nothing can be written, not even the lock of the state: plan with `TF_CLI_ARGS_plan=-lock=false`.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
 */
export function planEnvironment(scope: EnvironmentScope): PolicyDocument {
  return policy([...planStatements(scope), ...readAccess(scope)]);
}

/**
 * Permissions for `cdktf deploy <environment>`, for the role named `self`: manage the environment's provider and the
 * roles that the pipeline deploys, attach the managed policies that the configuration lists for each role, and write
 * inline policies to roles that have some in the configuration. The role cannot change itself, a role that an
 * administrator deploys, the permissions boundary of any role, or the boundary's policy.
 *
 * AWS has no condition on the content of an inline policy or a trust policy: this role can grant the managed roles any
 * permission, and the jobs that they trust, within their permissions boundary. It is therefore allowed to change the
 * policies and trust of a role only while that role has the boundary of the configuration. Roles with
 * `deployedBy: "pipeline-as-administrator"` have none: they make this role an administrator of the account.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-delegate
 */
export function applyEnvironment(scope: EnvironmentScope, self: string): PolicyDocument {
  const managed = scope.roles.filter((role) => role.name !== self && isDeployedByPipeline(role));
  const others = scope.roles.filter((role) => !managed.includes(role));
  const byBoundary = sortedGroups(managed, (role) => role.permissionsBoundaryArn ?? "");
  return policy([
    ...writeStatements(scope),
    ...readAccess(scope),
    managed.length > 0 && allow("ChangeRoles", CHANGE_ROLE, arns(managed)),
    ...byBoundary.flatMap((roles, index) => [
      allow(`ChangeAccess${index}`, CHANGE_ACCESS, arns(roles), boundaryOf(roles)),
      inlineAccess(roles, index),
    ]),
    ...attachAccess(managed),
    scope.oidcProvider.mode === "create" && allow("ChangeProvider", CHANGE_PROVIDER, [scope.oidcProvider.arn]),
    others.length > 0 && denyChanges(others, scope),
  ]);
}

/** A role without a boundary to which the pipeline could grant any permission is deployed only by explicit choice. */
function isDeployedByPipeline({ deployedBy, permissionsBoundaryArn }: ScopedRole): boolean {
  if (deployedBy === "pipeline") return permissionsBoundaryArn !== undefined;
  return deployedBy === "pipeline-as-administrator";
}

const CHANGE_ROLE = [
  "iam:DeleteRole",
  "iam:UpdateRole",
  "iam:UpdateRoleDescription",
  "iam:TagRole",
  "iam:UntagRole",
  "iam:ListInstanceProfilesForRole",
];

/** Actions that can grant access: a policy that is removed can be a Deny. */
const CHANGE_ACCESS = [
  "iam:CreateRole",
  "iam:UpdateAssumeRolePolicy",
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

function readAccess({ roles, oidcProvider, permissionsBoundary }: EnvironmentScope): Statement[] {
  return compact([
    roles.length > 0 && allow("ReadRoles", READ_ROLE, arns(roles)),
    allow("ReadProvider", ["iam:GetOpenIDConnectProvider"], [oidcProvider.arn]),
    permissionsBoundary !== undefined &&
      allow("ReadBoundary", ["iam:GetPolicy", "iam:GetPolicyVersion"], [permissionsBoundary.arn]),
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
function denyChanges(roles: readonly ScopedRole[], scope: EnvironmentScope): Statement {
  const limits = [...scope.roles.map((role) => role.permissionsBoundaryArn), scope.permissionsBoundary?.arn];
  const boundaries = limits.filter((arn) => arn !== undefined);
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
