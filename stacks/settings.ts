import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { S3Backend, type TerraformStack } from "cdktf";
import type { Tags } from "../keyless/config/input";
import type { StateLocation } from "../keyless/permissions/scope";
import { terraformConstraint } from "../keyless/terraform/version";

/** Configures the stack's S3 backend and its lock. */
export function addS3Backend(stack: TerraformStack, accountId: string, state: StateLocation): void {
  const backend = new S3Backend(stack, {
    bucket: state.bucket,
    key: state.key,
    region: state.region,
    encrypt: true,
    kmsKeyId: state.kmsKeyArn,
    dynamodbTable: state.lockTable,
    allowedAccountIds: [accountId],
  });
  // cdktf 0.21 has no property for the lock file.
  if (state.lock !== "dynamodb") backend.addOverride("use_lockfile", true);
  stack.addOverride("terraform.required_version", terraformConstraint);
}

/** Configures the stack's AWS provider. With credentials of another account it fails before it reads anything. */
export function addAwsProvider(stack: TerraformStack, accountId: string, region: string, tags: Tags): void {
  new AwsProvider(stack, "aws", {
    region,
    allowedAccountIds: [accountId],
    ...(Object.keys(tags).length > 0 && { defaultTags: [{ tags }] }),
  });
}

/** Escapes `${` and `%{`, which begin a template in Terraform. */
export function escapeTemplates(text: string): string {
  return text.replace(/([$%])\{/g, "$1$1{");
}
