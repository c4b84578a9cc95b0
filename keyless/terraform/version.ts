/**
 * Versions that print the deprecation warning of `dynamodb_table` after the JSON of `terraform output -json`, where cdktf
 * cannot parse it.
 *
 * @see https://github.com/hashicorp/terraform/issues/38479
 */
const BROKEN = ["1.15.0", "1.15.1"];

/**
 * The Terraform versions that the stacks support: the S3 backend's native lock file requires 1.11. Every stack has it
 * as `required_version`.
 */
export const terraformConstraint = [">= 1.11.0", ...BROKEN.map((version) => `!= ${version}`), "< 2.0.0"].join(", ");

/** The Terraform version to download if the machine has no supported one. */
export const pinnedTerraform = "1.11.4";

/**
 * SHA-256 of the archives of {@link pinnedTerraform}, by platform. A platform that is not listed is not downloaded.
 *
 * @see https://releases.hashicorp.com/terraform/1.11.4/terraform_1.11.4_SHA256SUMS
 */
export const terraformChecksums: Readonly<Record<string, string>> = {
  darwin_amd64: "a56d5002b9f7647291faccc3dd1a70350e60fb61e4c45037629508b8fdc2575b",
  darwin_arm64: "867e0808fa971217043e25b7a792b10720c79b1546f8a68479b74f138be73e18",
  linux_amd64: "1ce994251c00281d6845f0f268637ba50c0005657eb3cf096b92f753b42ef4dc",
  linux_arm64: "a43d1d0da9b9bab214a8305a39db0e40869572594ccf50c416a7756499143633",
};

/**
 * Why a version does not satisfy {@link terraformConstraint}; undefined if it does. As in Terraform itself, a pre-release
 * satisfies no range.
 */
export function versionFault(version: string): string | undefined {
  if (BROKEN.includes(version)) {
    return (
      `Terraform ${version} prints a warning after the JSON of \`terraform output -json\`, which cdktf cannot parse ` +
      "(https://github.com/hashicorp/terraform/issues/38479, fixed in 1.15.2)"
    );
  }
  const [, major, minor] = /^(\d+)\.(\d+)\.\d+$/.exec(version) ?? [];
  return Number(major) === 1 && Number(minor) >= 11 ? undefined : `Terraform ${version} is not ${terraformConstraint}`;
}
