import {
  pinnedTerraform,
  terraformChecksums,
  terraformConstraint,
  versionFault,
} from "../../keyless/terraform/version";

test.each([
  ["1.11.0", true],
  ["1.11.4", true],
  ["1.14.9", true],
  ["1.15.0", false],
  ["1.15.1", false],
  ["1.15.2", true],
  ["1.20.1", true],
  ["1.10.5", false],
  ["0.15.5", false],
  ["2.0.0", false],
  ["1.12.0-beta1", false],
  ["", false],
])("Terraform %s is supported: %s", (version, supported) => {
  expect(versionFault(version) === undefined).toBe(supported);
});

it("pins a version that satisfies the constraint of the stacks", () => {
  expect(versionFault(pinnedTerraform)).toBeUndefined();
  expect(terraformConstraint).toBe(">= 1.11.0, != 1.15.0, != 1.15.1, < 2.0.0");
});

test.each(["linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64"])("pins the SHA-256 of %s", (platform) => {
  expect(terraformChecksums[platform]).toMatch(/^[0-9a-f]{64}$/);
});
