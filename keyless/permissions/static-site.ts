import { UserError } from "../errors";
import type { PolicyDocument } from "../policy/document";
import { allow, policy } from "./statement";

/** A site in a bucket, with or without CloudFront before it. */
export interface StaticSite {
  /** The bucket that holds the site. */
  readonly bucket: string;
  /** The folder of the site in the bucket, without `/` at either end. Default: the whole bucket. */
  readonly prefix?: string;
  /** The CloudFront distribution before the bucket: `arn:aws:cloudfront::<account>:distribution/<id>`. Default: none. */
  readonly distributionArn?: string;
  /** The KMS key that encrypts the bucket. Default: none, or a key of S3's own. */
  readonly kmsKeyArn?: string;
  /** The AWS partition. Default: that of the distribution, else `aws`. */
  readonly partition?: string;
}

/**
 * What a job needs to publish a static site: `aws s3 sync --delete` into the bucket, then an invalidation of the
 * distribution and waiting for it. It reads no object and changes no setting of bucket or distribution.
 *
 * @throws {UserError} when a name is empty, or has a wildcard or a variable: the job would get more than one site
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 */
export function publishStaticSite(site: StaticSite): PolicyDocument {
  for (const field of ["bucket", "prefix", "distributionArn", "kmsKeyArn"] as const) {
    const value = site[field];
    if (value !== undefined && (value === "" || /[*?]|\$\{/.test(value))) {
      throw new UserError(
        `publishStaticSite: ${field} ${JSON.stringify(value)} does not name one ${field}: write it out, without wildcards and variables`,
      );
    }
  }
  const partition = site.partition ?? site.distributionArn?.split(":")[1] ?? "aws";
  const bucket = `arn:${partition}:s3:::${site.bucket}`;
  const folder = site.prefix === undefined ? "" : `${site.prefix}/`;
  return policy([
    allow(
      "ListSite",
      ["s3:ListBucket"],
      [bucket],
      site.prefix === undefined ? undefined : { StringLike: { "s3:prefix": [site.prefix, `${folder}*`] } },
    ),
    allow("WriteSite", ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], [`${bucket}/${folder}*`]),
    ...(site.kmsKeyArn === undefined
      ? []
      : [allow("EncryptSite", ["kms:GenerateDataKey", "kms:Decrypt"], [site.kmsKeyArn])]),
    ...(site.distributionArn === undefined
      ? []
      : [allow("Invalidate", ["cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"], [site.distributionArn])]),
  ]);
}
