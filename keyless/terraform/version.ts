/**
 * The Terraform versions that the stacks are made for: the S3 backend's native lock file needs 1.11. Written into
 * every stack as `required_version`, and held against the Terraform that the demo and the tests find.
 */
export const terraformConstraint = ">= 1.11.0, < 2.0.0";

/** The Terraform that is downloaded where none on the machine serves. */
export const pinnedTerraform = "1.11.4";

/**
 * Whether a Terraform of this version satisfies {@link terraformConstraint}. As in Terraform itself, a pre-release
 * satisfies no range.
 */
export function terraformServes(version: string): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)\.\d+$/.exec(version) ?? [];
  return Number(major) === 1 && Number(minor) >= 11;
}
