export const ROLE_NAME = /^[\w+=,.@-]{1,64}$/;
export const ACCOUNT_ID = /^\d{12}$/;
export const REGION_NAME = /^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/;
export const INLINE_POLICY_NAME = /^[\w+=,.@-]{1,128}$/;

/** The name of the managed policy that is the permissions boundary of an environment. */
export function boundaryPolicyName(environment: string): string {
  return `circleci-boundary-${environment}`;
}

/**
 * The Terraform name of a role's resources: the role's name without the characters that Terraform names cannot contain,
 * as cdktf removes them. The configuration refuses roles with the same Terraform name.
 */
export function terraformName(roleName: string): string {
  const cleaned = roleName.replace(/[^A-Za-z0-9_-]/g, "");
  return /^[A-Za-z_]/.test(cleaned) ? cleaned : `_${cleaned}`;
}
