/** AWS's own policies that give every permission, or the means to take it. */
const ADMINISTRATOR_POLICIES = /^arn:[\w-]+:iam::aws:policy\/(AdministratorAccess|PowerUserAccess|IAMFullAccess)$/;

/** Whether a managed policy, by its ARN, is one of AWS's with which one can give oneself the rest. */
export function isAdministratorPolicy(arn: string): boolean {
  return ADMINISTRATOR_POLICIES.test(arn);
}

/**
 * Actions that, where they are allowed on anything in the account, let their holder become an administrator.
 *
 * @see https://docs.aws.amazon.com/prescriptive-guidance/latest/privilege-escalation-detection/
 */
export const ESCALATING_ACTIONS = [
  "iam:AddUserToGroup",
  "iam:AttachGroupPolicy",
  "iam:AttachRolePolicy",
  "iam:AttachUserPolicy",
  "iam:CreateAccessKey",
  "iam:CreateLoginProfile",
  "iam:CreatePolicyVersion",
  "iam:DeleteRolePermissionsBoundary",
  "iam:DeleteUserPermissionsBoundary",
  "iam:PassRole",
  "iam:PutGroupPolicy",
  "iam:PutRolePermissionsBoundary",
  "iam:PutRolePolicy",
  "iam:PutUserPermissionsBoundary",
  "iam:PutUserPolicy",
  "iam:SetDefaultPolicyVersion",
  "iam:UpdateAssumeRolePolicy",
  "iam:UpdateLoginProfile",
  "sts:AssumeRole",
] as const;
