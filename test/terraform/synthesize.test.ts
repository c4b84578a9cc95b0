import { synthesizeStack } from "../../keyless/terraform/synthesize";

it("returns the JSON of one stack of the app", () => {
  const { terraform, resource } = JSON.parse(synthesizeStack("dev-state"));
  expect(terraform.backend.s3.bucket).toBe("acme-dev-tfstate");
  expect(resource.aws_s3_bucket.state.bucket).toBe("acme-dev-tfstate");
});
