import { pinnedTerraform, terraformConstraint, terraformServes } from "../../keyless/terraform/version";

test.each([
  ["1.11.0", true],
  ["1.11.4", true],
  ["1.20.1", true],
  ["1.10.5", false],
  ["0.15.5", false],
  ["2.0.0", false],
  ["1.12.0-beta1", false],
  ["", false],
])("Terraform %s serves: %s", (version, serves) => {
  expect(terraformServes(version)).toBe(serves);
});

it("pins a version that satisfies the constraint which the stacks carry", () => {
  expect(terraformServes(pinnedTerraform)).toBe(true);
  expect(terraformConstraint).toBe(">= 1.11.0, < 2.0.0");
});
