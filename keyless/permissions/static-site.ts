import { UserError } from "../errors";
import type { PolicyDocument } from "../policy/document";
import { allow, policy } from "./statement";

/** A static site in a bucket, with or without a CloudFront distribution. */
export interface StaticSite {
  /** The name of the bucket. */
  readonly bucket: string;
  /** The folder of the site in the bucket, without `/` at either end. Default: the whole bucket. */
  readonly prefix?: string;
  /** The CloudFront distribution: `arn:aws:cloudfront::<account>:distribution/<id>`. Default: none. */
  readonly distributionArn?: string;
  /** The ARN of the KMS key that encrypts the bucket. Default: none, or a key owned by AWS. */
  readonly kmsKeyArn?: string;
  /** The AWS partition. Default: that of the distribution, else `aws`. */
  readonly partition?: string;
}

/**
 * Permissions to publish a static site: `aws s3 sync --delete` to the bucket, then a CloudFront invalidation and waiting
 * for its completion. The job cannot read objects or change the settings of bucket and distribution.
 *
 * @throws {UserError} if a name is empty or contains a wildcard or a variable: the job would get access to more than one site
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 */
export function publishStaticSite(site: StaticSite): PolicyDocument {
  for (const field of ["bucket", "prefix", "distributionArn", "kmsKeyArn"] as const) {
    const value = site[field];
    if (value !== undefined && (value === "" || /[*?]|\$\{/.test(value))) {
      throw new UserError(
        `publishStaticSite: ${field} ${JSON.stringify(value)} is not a single ${field}: write it without wildcards and variables`,
      );
    }
  }
  const partition = site.partition ?? site.distributionArn?.split(":")[1] ?? "aws";
  const bucket = `arn:${partition}:s3:::${site.bucket}`;
  const folder = site.prefix === undefined ? "" : `${site.prefix}/`;
  const inFolder = { StringLike: { "s3:prefix": [site.prefix ?? "", `${folder}*`] } };
  const invalidate = ["cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"];
  return policy([
    allow("ListSite", ["s3:ListBucket"], [bucket], site.prefix === undefined ? undefined : inFolder),
    allow("WriteSite", ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], [`${bucket}/${folder}*`]),
    site.kmsKeyArn !== undefined && allow("EncryptSite", ["kms:GenerateDataKey", "kms:Decrypt"], [site.kmsKeyArn]),
    site.distributionArn !== undefined && allow("Invalidate", invalidate, [site.distributionArn]),
  ]);
}
