import { isObject } from "../policy/document";
import { closestName, didYouMean } from "../text";
import { type ArgumentFault, ArgumentsError } from "./faults";
import { isBucketName, isKmsKeyArn } from "./resource-names";
import type { EnvironmentScope, PolicyBuilder } from "./scope";
import { allow, policy } from "./statement";

/** A static site in a bucket, with or without a CloudFront distribution. */
export interface StaticSite {
  /** The name of the bucket. */
  readonly bucket: string;
  /** The folder of the site in the bucket, without `/` at either end. Default: the whole bucket. */
  readonly prefix?: string;
  /** The CloudFront distribution, in the account of the environment: `arn:aws:cloudfront::<account>:distribution/<id>`. Default: none. */
  readonly distributionArn?: string;
  /** The ARN of the KMS key that encrypts the bucket. Default: none, or a key owned by AWS. */
  readonly kmsKeyArn?: string;
}

/**
 * Permissions to publish a static site: `aws s3 sync --delete` to the bucket, then a CloudFront invalidation and waiting
 * for its completion. The job cannot read objects or change the settings of bucket and distribution.
 *
 * @returns a function for `inlinePolicies`; it throws an {@link ArgumentsError} if the bucket is not a bucket name, if an
 *   ARN is not that of one distribution of the environment's account or of one key, or if a value contains a wildcard or
 *   a variable: the job would get access to more than one site
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 */
export function publishStaticSite(site: StaticSite): PolicyBuilder {
  return (scope) => {
    const faults = siteFaults(site, scope);
    if (faults.length > 0) throw new ArgumentsError("publishStaticSite", faults);
    const bucket = `arn:${scope.partition}:s3:::${site.bucket}`;
    const folder = site.prefix === undefined ? "" : `${site.prefix}/`;
    const inFolder = { StringLike: { "s3:prefix": [site.prefix ?? "", `${folder}*`] } };
    const invalidate = ["cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"];
    return policy([
      allow("ListSite", ["s3:ListBucket"], [bucket], site.prefix === undefined ? undefined : inFolder),
      allow("WriteSite", ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], [`${bucket}/${folder}*`]),
      site.kmsKeyArn !== undefined && allow("EncryptSite", ["kms:GenerateDataKey", "kms:Decrypt"], [site.kmsKeyArn]),
      site.distributionArn !== undefined && allow("Invalidate", invalidate, [site.distributionArn]),
    ]);
  };
}

function siteFaults(site: StaticSite, { accountId, partition }: EnvironmentScope): ArgumentFault[] {
  if (!isObject(site)) return [{ message: 'requires a site, e.g. publishStaticSite({ bucket: "www.example.com" })' }];
  const checks: { readonly [field in keyof StaticSite]-?: (value: string) => string | undefined } = {
    bucket: (bucket) =>
      isBucketName(bucket)
        ? undefined
        : 'is not the name of one bucket: write it without "s3://", "arn:", path and wildcards, e.g. "www.example.com"',
    prefix: (prefix) =>
      /^(?!\/)[^*?]+(?<!\/)$/.test(prefix) && !prefix.includes("${")
        ? undefined
        : 'is not one folder: write it without "/" at either end, wildcards and variables, e.g. "docs"',
    distributionArn: (arn) => {
      const remedy = `write "arn:${partition}:cloudfront::${accountId}:distribution/<id>"`;
      const [, arnPartition, owner] = /^arn:(aws[a-z-]*):cloudfront::(\d{12}):distribution\/[A-Z0-9]+$/.exec(arn) ?? [];
      if (owner === undefined) return `is not the ARN of one distribution: ${remedy}, without wildcards`;
      if (arnPartition !== partition) return `is in another partition than the environment: ${remedy}`;
      // The configuration reports an account ID of another form.
      if (owner === accountId || !/^\d{12}$/.test(accountId)) return undefined;
      return `is in account ${owner}, not in the environment's: ${remedy}`;
    },
    kmsKeyArn: (arn) =>
      isKmsKeyArn(arn)
        ? undefined
        : 'is not the ARN of one KMS key: write "arn:aws:kms:<region>:<account>:key/<id>", not an alias',
  };
  const fields = Object.keys(checks) as (keyof StaticSite)[];
  const unknown = Object.keys(site).filter((name) => !fields.some((field) => field === name));
  const faults = fields.map((field) => {
    const value = site[field];
    if (value === undefined && (field !== "bucket" || unknown.some((name) => closestName(name, fields) === field)))
      return undefined;
    if (typeof value !== "string")
      return {
        field,
        value,
        message: value === undefined ? "is missing: write the name of the bucket" : "must be a string",
      };
    const message = checks[field](value);
    return message === undefined ? undefined : { field, value, message };
  });
  return [
    ...faults.filter((fault) => fault !== undefined),
    ...unknown.map((field) => ({
      field,
      message: `is not a field of publishStaticSite: correct its spelling or remove it${didYouMean(closestName(field, fields))}`,
    })),
  ];
}
