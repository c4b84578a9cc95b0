/** Actions that lead to an administrator's permissions in the same way. */
export interface Escalation {
  /** Why the actions lead there. */
  readonly why: string;
  readonly actions: readonly string[];
  /** ARN patterns of the resources that the actions act on; `*` for actions that act on no resource. */
  readonly on: readonly string[];
  /** `one`: one resource is sufficient. `all`: only an Allow for all of them, as far as IAM tells, counts. */
  readonly breadth: "one" | "all";
  /**
   * `yes`: the actions grant any permission. `unknown`: they grant the permissions of something that exists, which are
   * not known. `role`: they grant the permissions of the role in the policy's resource.
   */
  readonly grants: "yes" | "unknown" | "role";
  /** Condition keys that limit what the actions grant. Default: none. */
  readonly limits?: readonly ("iam:permissionsboundary" | "iam:policyarn")[];
  /** Whether the actions grant nothing if the resource is the holder itself: the user `${aws:username}`. */
  readonly exceptSelf?: true;
}

const iam = (type: string) => [`arn:aws*:iam::????????????:${type}/?*`];
const regional = (service: string, resource: string) => `arn:aws*:${service}:*:*:${resource}`;
const INSTANCES = [regional("ec2", "instance/?*"), regional("ssm", "managed-instance/?*")];

/**
 * The actions with which a principal can become an administrator, from published lists of privilege escalation methods
 * and from AWS's service authorization reference, which also has the resources and condition keys of each action.
 *
 * Actions that create compute with a role are not listed: `iam:PassRole` is needed for that. Nor are `iam:CreateRole` and
 * `iam:CreateUser`: the new principal has no policy.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
 * @see https://pathfinding.cloud
 * @see https://github.com/RhinoSecurityLabs/AWS-IAM-Privilege-Escalation
 * @see https://github.com/BishopFox/iam-vulnerable
 * @see https://cloud.hacktricks.wiki/en/pentesting-cloud/aws-security/aws-privilege-escalation/index.html
 */
export const ESCALATIONS: readonly Escalation[] = [
  {
    why: "gives a role any permission",
    actions: ["iam:PutRolePolicy"],
    on: iam("role"),
    breadth: "one",
    grants: "yes",
    limits: ["iam:permissionsboundary"],
  },
  {
    why: "attaches any policy to a role",
    actions: ["iam:AttachRolePolicy"],
    on: iam("role"),
    breadth: "one",
    grants: "yes",
    limits: ["iam:permissionsboundary", "iam:policyarn"],
  },
  {
    why: "changes who can assume a role, or the boundary that limits it",
    actions: ["iam:UpdateAssumeRolePolicy", "iam:PutRolePermissionsBoundary"],
    on: iam("role"),
    breadth: "one",
    grants: "yes",
    limits: ["iam:permissionsboundary"],
  },
  // The condition key has the boundary that is removed, so it does not limit what remains.
  {
    why: "removes the boundary that limits a role",
    actions: ["iam:DeleteRolePermissionsBoundary"],
    on: iam("role"),
    breadth: "one",
    grants: "yes",
  },
  {
    why: "gives a user any permission",
    actions: ["iam:PutUserPolicy", "iam:PutUserPermissionsBoundary"],
    on: iam("user"),
    breadth: "one",
    grants: "yes",
    limits: ["iam:permissionsboundary"],
  },
  {
    why: "attaches any policy to a user",
    actions: ["iam:AttachUserPolicy"],
    on: iam("user"),
    breadth: "one",
    grants: "yes",
    limits: ["iam:permissionsboundary", "iam:policyarn"],
  },
  {
    why: "removes the boundary that limits a user",
    actions: ["iam:DeleteUserPermissionsBoundary"],
    on: iam("user"),
    breadth: "one",
    grants: "yes",
  },
  {
    why: "creates or replaces the credentials of a user",
    actions: ["iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile"],
    on: iam("user"),
    breadth: "one",
    grants: "yes",
    exceptSelf: true,
  },
  {
    why: "gives the members of a group any permission, or the permissions of a group",
    actions: ["iam:PutGroupPolicy", "iam:AddUserToGroup"],
    on: iam("group"),
    breadth: "one",
    grants: "yes",
  },
  {
    why: "attaches any policy to a group",
    actions: ["iam:AttachGroupPolicy"],
    on: iam("group"),
    breadth: "one",
    grants: "yes",
    limits: ["iam:policyarn"],
  },
  {
    why: "changes the content of a managed policy, which can be attached to the holder",
    actions: ["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"],
    on: iam("policy"),
    breadth: "one",
    grants: "yes",
  },
  {
    why: "obtains the permissions of a role, directly or through a service that runs with it",
    actions: ["iam:PassRole", "sts:AssumeRole"],
    on: iam("role"),
    breadth: "one",
    grants: "role",
  },
  {
    why: "obtains root credentials of a member account",
    actions: ["sts:AssumeRoot"],
    on: ["arn:aws*:iam::*:root"],
    breadth: "one",
    grants: "yes",
  },
  {
    why: "forges the assertions that roles trust",
    actions: ["iam:UpdateSAMLProvider"],
    on: iam("saml-provider"),
    breadth: "one",
    grants: "unknown",
  },
  {
    why: "issues the certificates that roles trust",
    actions: ["rolesanywhere:UpdateTrustAnchor"],
    on: [regional("rolesanywhere", "trust-anchor/?*")],
    breadth: "one",
    grants: "unknown",
  },
  {
    why: "issues the certificates that roles trust",
    actions: ["rolesanywhere:CreateTrustAnchor"],
    on: ["*"],
    breadth: "one",
    grants: "unknown",
  },
  {
    why: "changes the permissions of a permission set, or who has it in an account",
    actions: [
      "sso:AttachCustomerManagedPolicyReferenceToPermissionSet",
      "sso:AttachManagedPolicyToPermissionSet",
      "sso:CreateAccountAssignment",
      "sso:DeletePermissionsBoundaryFromPermissionSet",
      "sso:PutInlinePolicyToPermissionSet",
      "sso:PutPermissionsBoundaryToPermissionSet",
    ],
    on: ["arn:aws*:sso:::permissionSet/?*/?*"],
    breadth: "one",
    grants: "yes",
  },
  {
    why: "the console's actions for permission sets, members of groups and passwords in IAM Identity Center",
    actions: [
      "sso:AssociateProfile",
      "sso:PutPermissionsPolicy",
      "sso-directory:AddMemberToGroup",
      "sso-directory:UpdatePassword",
    ],
    on: ["*"],
    breadth: "one",
    grants: "yes",
  },
  {
    why: "adds a user to a group of IAM Identity Center",
    actions: ["identitystore:CreateGroupMembership"],
    on: ["arn:aws*:identitystore:::group/?*"],
    breadth: "one",
    grants: "yes",
  },
  {
    why: "makes an account the delegated administrator of a service",
    actions: ["organizations:RegisterDelegatedAdministrator"],
    on: ["arn:aws*:organizations::*:account/o-?*/?*"],
    breadth: "one",
    grants: "unknown",
  },
  {
    why: "runs code on existing instances, with their roles",
    actions: ["ssm:SendCommand", "ssm:StartSession", "ssm:CreateAssociation", "ssm:UpdateAssociation"],
    on: INSTANCES,
    breadth: "all",
    grants: "unknown",
  },
  {
    why: "runs code on existing instances, with their roles",
    actions: [
      "ec2-instance-connect:SendSSHPublicKey",
      "ec2-instance-connect:SendSerialConsoleSSHPublicKey",
      "ec2:ModifyInstanceAttribute",
    ],
    on: [regional("ec2", "instance/?*")],
    breadth: "all",
    grants: "unknown",
  },
  {
    why: "runs code on the instances of existing launch templates, with their roles",
    actions: ["ec2:CreateLaunchTemplateVersion"],
    on: [regional("ec2", "launch-template/?*")],
    breadth: "all",
    grants: "unknown",
  },
  {
    why: "runs code in existing functions, with their roles",
    actions: ["lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"],
    on: [regional("lambda", "function:?*")],
    breadth: "all",
    grants: "unknown",
  },
  {
    why: "changes resources with the roles of existing stacks",
    actions: [
      "cloudformation:CreateChangeSet",
      "cloudformation:ExecuteChangeSet",
      "cloudformation:SetStackPolicy",
      "cloudformation:UpdateStack",
    ],
    on: [regional("cloudformation", "stack/?*/?*")],
    breadth: "all",
    grants: "unknown",
  },
  {
    why: "changes resources with the roles of existing stack sets",
    actions: ["cloudformation:CreateStackInstances", "cloudformation:UpdateStackSet"],
    on: [regional("cloudformation", "stackset/?*:?*")],
    breadth: "all",
    grants: "unknown",
  },
  {
    why: "runs code in existing build projects, with their roles",
    actions: ["codebuild:StartBuild", "codebuild:StartBuildBatch", "codebuild:UpdateProject"],
    on: [regional("codebuild", "project/?*")],
    breadth: "all",
    grants: "unknown",
  },
  {
    why: "runs code in existing tasks, with their roles",
    actions: ["ecs:ExecuteCommand"],
    on: [regional("ecs", "task/?*/?*")],
    breadth: "all",
    grants: "unknown",
  },
  {
    why: "runs code in existing services, with their roles",
    actions: ["apprunner:UpdateService"],
    on: [regional("apprunner", "service/?*/?*")],
    breadth: "all",
    grants: "unknown",
  },
  {
    why: "runs code in existing environments, with their roles",
    actions: ["elasticbeanstalk:UpdateEnvironment"],
    on: [regional("elasticbeanstalk", "environment/?*/?*")],
    breadth: "all",
    grants: "unknown",
  },
  {
    why: "calls services with the roles of existing state machines",
    actions: ["states:UpdateStateMachine"],
    on: [regional("states", "stateMachine:?*")],
    breadth: "all",
    grants: "unknown",
  },
  {
    why: "runs code in existing development endpoints, with their roles",
    actions: ["glue:UpdateDevEndpoint"],
    on: [regional("glue", "devEndpoint/?*")],
    breadth: "all",
    grants: "unknown",
  },
  {
    why: "runs code in existing pipelines, with their roles",
    actions: ["datapipeline:PutPipelineDefinition"],
    on: [regional("datapipeline", "pipeline/?*")],
    breadth: "all",
    grants: "unknown",
  },
  {
    why: "runs code in existing notebooks, with their roles",
    actions: ["sagemaker:CreatePresignedNotebookInstanceUrl", "sagemaker:UpdateNotebookInstance"],
    on: [regional("sagemaker", "notebook-instance/?*")],
    breadth: "all",
    grants: "unknown",
  },
  {
    why: "runs code in existing notebooks, with their roles",
    actions: ["sagemaker:CreatePresignedDomainUrl"],
    on: [regional("sagemaker", "user-profile/?*/?*")],
    breadth: "all",
    grants: "unknown",
  },
  {
    why: "runs code in existing code interpreters, with their roles",
    actions: ["bedrock-agentcore:InvokeCodeInterpreter"],
    on: [regional("bedrock-agentcore", "code-interpreter-custom/?*")],
    breadth: "all",
    grants: "unknown",
  },
  {
    why: "creates a project with the service's role, which can change IAM",
    actions: ["codestar:CreateProject"],
    on: ["*"],
    breadth: "all",
    grants: "unknown",
  },
];

/**
 * The names of roles that have an administrator's permissions unless their account changed them: those of AWS
 * Organizations, AWS Control Tower, CloudFormation StackSets, the CDK's bootstrap stack and IAM Identity Center.
 *
 * @see https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html
 * @see https://docs.aws.amazon.com/controltower/latest/userguide/roles-how.html
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-prereqs.html
 * @see https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html
 */
export const ADMINISTRATOR_ROLES = [
  "OrganizationAccountAccessRole",
  "AWSControlTowerExecution",
  "AWSAFTExecution",
  "AWSCloudFormationStackSetAdministrationRole",
  "AWSCloudFormationStackSetExecutionRole",
  "stacksets-exec-*",
  "cdk-*-cfn-exec-role*",
  "cdk-*-deploy-role*",
  "cdk-hnb659fds-cfn-exec-role*",
  "cdk-hnb659fds-deploy-role*",
  "*AWSReservedSSO_AdministratorAccess*",
];
