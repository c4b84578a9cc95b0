import { defineConfig } from "../../keyless/config/define";
import { partitionOf } from "../../keyless/config/partition";
import { planEnvironment } from "../../keyless/permissions/environment";
import { statements } from "../../keyless/policy/document";
import { having } from "./configuration";

test.each([
  ["us-east-1", "aws", "amazonaws.com"],
  ["cn-north-1", "aws-cn", "amazonaws.com.cn"],
  ["us-gov-west-1", "aws-us-gov", "amazonaws.com"],
  ["us-iso-east-1", "aws-iso", "c2s.ic.gov"],
  ["us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"],
  ["eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"],
  ["us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov"],
  ["eusc-de-east-1", "aws-eusc", "amazonaws.eu"],
])("%s is in partition %s with the suffix %s", (region, name, dnsSuffix) => {
  expect(partitionOf(region)).toEqual({ name, dnsSuffix });
});

test("a policy names the services that use the KMS key by the suffix of the partition", () => {
  const kmsKeyArn = "arn:aws-eusc:kms:eusc-de-east-1:123456789012:key/1";
  const config = defineConfig(
    having(
      ["environments.dev.region", "eusc-de-east-1"],
      ["environments.dev.state.kmsKeyArn", kmsKeyArn],
      ["environments.dev.roles", {}],
    ),
  );
  const [dev] = config.environments;
  const services = statements(planEnvironment(dev as NonNullable<typeof dev>)).flatMap(
    ({ Condition }) => Condition?.StringEquals?.["kms:ViaService"] ?? [],
  );
  expect(new Set(services)).toEqual(
    new Set(["s3.eusc-de-east-1.amazonaws.eu", "dynamodb.eusc-de-east-1.amazonaws.eu"]),
  );
});
