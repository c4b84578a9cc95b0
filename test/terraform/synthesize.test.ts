import config from "../../config";
import { synthesizeStack } from "../../keyless/terraform/synthesize";

it.each(config.stateBackends)("returns the JSON of the stack $name of the app", ({ name, state }) => {
  const { terraform, resource } = JSON.parse(synthesizeStack(name));
  expect(terraform.backend.s3.bucket).toBe(state.bucket);
  expect(resource.aws_s3_bucket.state.bucket).toBe(state.bucket);
});
