import { DynamodbTable } from "@cdktf/provider-aws/lib/dynamodb-table";
import { S3Bucket } from "@cdktf/provider-aws/lib/s3-bucket";
import { S3BucketLifecycleConfiguration } from "@cdktf/provider-aws/lib/s3-bucket-lifecycle-configuration";
import { S3BucketOwnershipControls } from "@cdktf/provider-aws/lib/s3-bucket-ownership-controls";
import { S3BucketPolicy } from "@cdktf/provider-aws/lib/s3-bucket-policy";
import { S3BucketPublicAccessBlock } from "@cdktf/provider-aws/lib/s3-bucket-public-access-block";
import { S3BucketServerSideEncryptionConfigurationA } from "@cdktf/provider-aws/lib/s3-bucket-server-side-encryption-configuration";
import { S3BucketVersioningA } from "@cdktf/provider-aws/lib/s3-bucket-versioning";
import { TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import type { StateBackend } from "../keyless/config/resolved";
import { addAwsProvider, addS3Backend } from "./settings";

/**
 * The bucket for the state and the table for its locks; Terraform cannot destroy them. The state of this stack is in the
 * same bucket: `keyless bootstrap` creates the stack with a local state and migrates it.
 */
export class StateBackendStack extends TerraformStack {
  constructor(scope: Construct, backend: StateBackend) {
    super(scope, backend.name);
    addS3Backend(this, backend.accountId, backend.state);
    addAwsProvider(this, backend.accountId, backend.state.region, backend.tags);
    this.bucket(backend);
    if (backend.state.lockTable !== undefined) this.lockTable(backend.state.lockTable, backend.state.kmsKeyArn);
  }

  private bucket({ partition, state, keepOldVersionsDays }: StateBackend): void {
    const bucket = new S3Bucket(this, "state", { bucket: state.bucket, lifecycle: { preventDestroy: true } }).bucket;
    const versioning = new S3BucketVersioningA(this, "versioning", {
      bucket,
      versioningConfiguration: { status: "Enabled" },
    });
    new S3BucketServerSideEncryptionConfigurationA(this, "encryption", {
      bucket,
      rule: [
        {
          applyServerSideEncryptionByDefault:
            state.kmsKeyArn === undefined
              ? { sseAlgorithm: "AES256" }
              : { sseAlgorithm: "aws:kms", kmsMasterKeyId: state.kmsKeyArn },
          bucketKeyEnabled: state.kmsKeyArn !== undefined,
        },
      ],
    });
    new S3BucketOwnershipControls(this, "ownership", { bucket, rule: { objectOwnership: "BucketOwnerEnforced" } });
    const publicAccess = new S3BucketPublicAccessBlock(this, "public_access", {
      bucket,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    new S3BucketPolicy(this, "tls_only", {
      bucket,
      policy: JSON.stringify(tlsOnly(`arn:${partition}:s3:::${state.bucket}`)),
      // S3 rejects concurrent changes of the access to a bucket.
      dependsOn: [publicAccess],
    });
    if (keepOldVersionsDays !== "forever") {
      new S3BucketLifecycleConfiguration(this, "old_versions", {
        bucket,
        rule: [
          {
            id: "expire-old-versions",
            status: "Enabled",
            filter: [{ prefix: "" }],
            noncurrentVersionExpiration: [{ noncurrentDays: keepOldVersionsDays }],
          },
        ],
        dependsOn: [versioning],
      });
    }
  }

  private lockTable(name: string, kmsKeyArn: string | undefined): void {
    new DynamodbTable(this, "lock", {
      name,
      hashKey: "LockID",
      attribute: [{ name: "LockID", type: "S" }],
      billingMode: "PAY_PER_REQUEST",
      serverSideEncryption: { enabled: true, kmsKeyArn },
      pointInTimeRecovery: { enabled: true },
      deletionProtectionEnabled: true,
      lifecycle: { preventDestroy: true },
    });
  }
}

function tlsOnly(bucketArn: string) {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "TlsOnly",
        Effect: "Deny",
        Principal: "*",
        Action: "s3:*",
        Resource: [bucketArn, `${bucketArn}/*`],
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    ],
  };
}
