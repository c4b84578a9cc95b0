import { groupBy } from "../group-by";
import type { ConditionElement, PolicyDocument, Statement } from "../policy/document";
import type { EnvironmentScope, ScopedRole } from "./scope";
import { lockStatements, writeStatements } from "./state";
import { allow, policy } from "./statement";

/**
 * What `cdktf diff <environment>` needs: it reads the roles, policies and provider of the environment and their state,
 * and takes the state's lock. It changes nothing and writes no state.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
 */
export function planEnvironment(scope: EnvironmentScope): PolicyDocument {
  return policy([...lockStatements(scope), ...readAccess(scope)]);
}

/**
 * What `cdktf deploy <environment>` needs, for the role that is called `self`: it manages the environment's provider
 * and those of its roles that the pipeline deploys, attaches only the policies that the configuration names for each,
 * and writes inline policies only where the configuration has some. It can change neither itself nor a role that an
 * administrator deploys, nor the permissions boundary of any role.
 *
 * AWS has no condition on what an inline or a trust policy says: whoever runs the role decides that for the roles that
 * it manages, up to their permissions boundary.
 */
export function applyEnvironment(scope: EnvironmentScope, self: string): PolicyDocument {
  const managed = scope.roles.filter((role) => role.name !== self && role.deployedBy === "pipeline");
  const others = scope.roles.filter((role) => !managed.includes(role));
  const withBoundary = sortedGroups(managed, (role) => role.permissionsBoundaryArn ?? "");
  return policy([
    ...writeStatements(scope),
    ...readAccess(scope),
    ...(managed.length === 0 ? [] : [allow("ChangeRoles", CHANGE_ROLE, arns(managed))]),
    ...withBoundary.flatMap((roles, index) => [
      allow(`CreateRoles${index}`, ["iam:CreateRole"], arns(roles), boundaryOf(roles)),
      ...inlineAccess(roles, index),
    ]),
    ...attachAccess(managed),
    ...(scope.oidcProvider.mode === "create"
      ? [allow("ChangeProvider", CHANGE_PROVIDER, [scope.oidcProvider.arn])]
      : []),
    ...(others.length === 0 ? [] : [keepFromChanging(others, scope.roles)]),
  ]);
}

const CHANGE_ROLE = [
  "iam:DeleteRole",
  "iam:UpdateRole",
  "iam:UpdateRoleDescription",
  "iam:UpdateAssumeRolePolicy",
  "iam:TagRole",
  "iam:UntagRole",
  "iam:ListInstanceProfilesForRole",
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

function readAccess({ roles, oidcProvider }: EnvironmentScope): Statement[] {
  return [
    ...(roles.length === 0
      ? []
      : [
          allow(
            "ReadRoles",
            ["iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies"],
            arns(roles),
          ),
        ]),
    allow("ReadProvider", ["iam:GetOpenIDConnectProvider"], [oidcProvider.arn]),
  ];
}

// Only where there are inline policies: the right to write one is the right to grant anything.
function inlineAccess(roles: readonly ScopedRole[], index: number): Statement[] {
  const withInline = roles.filter((role) => Object.keys(role.inlinePolicies).length > 0);
  if (withInline.length === 0) return [];
  return [
    allow(`InlinePolicies${index}`, ["iam:PutRolePolicy", "iam:DeleteRolePolicy"], arns(withInline), boundaryOf(roles)),
  ];
}

// Roles with the same policies share a statement; a role never gets a policy that only another one names.
function attachAccess(managed: readonly ScopedRole[]): Statement[] {
  const withPolicies = managed.filter((role) => role.managedPolicyArns.length > 0);
  const groups = sortedGroups(withPolicies, (role) =>
    [role.permissionsBoundaryArn, ...[...role.managedPolicyArns].sort()].join(),
  );
  return groups.map((roles, index) =>
    allow(`AttachPolicies${index}`, ["iam:AttachRolePolicy", "iam:DetachRolePolicy"], arns(roles), {
      ArnEquals: { "iam:PolicyARN": [...(roles[0]?.managedPolicyArns ?? [])].sort() },
      ...boundaryOf(roles),
    }),
  );
}

/** The condition that a role has, or is created with, the permissions boundary that the configuration names for it. */
function boundaryOf([role]: readonly ScopedRole[]): ConditionElement | undefined {
  const boundary = role?.permissionsBoundaryArn;
  return boundary === undefined ? undefined : { StringEquals: { "iam:PermissionsBoundary": boundary } };
}

// Whatever else a role that applies may be given: what it must not change stays out of its reach.
function keepFromChanging(roles: readonly ScopedRole[], bounded: readonly ScopedRole[]): Statement {
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
