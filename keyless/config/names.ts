export const ROLE_NAME = /^[\w+=,.@-]{1,64}$/;
export const INLINE_POLICY_NAME = /^[\w+=,.@-]{1,128}$/;

/**
 * The name of a role's resources in Terraform: the role's, without the characters that Terraform's names do not have,
 * as cdktf cleans them. Two roles whose names come out equal are refused: Terraform would take one for the other.
 */
export function terraformName(roleName: string): string {
  const cleaned = roleName.replace(/[^A-Za-z0-9_-]/g, "");
  return /^[A-Za-z_]/.test(cleaned) ? cleaned : `_${cleaned}`;
}
