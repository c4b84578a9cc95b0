import type { EnvironmentScope } from "../../keyless/permissions/scope";
import { publishStaticSite, type StaticSite } from "../../keyless/permissions/static-site";
import { evaluate } from "../../keyless/policy/evaluate";
import { devOf } from "../config/configuration";

const distributionArn = "arn:aws:cloudfront::123456789012:distribution/E123";
const kmsKeyArn = "arn:aws:kms:us-east-1:123456789012:key/1";

function asker(site: StaticSite, scope: EnvironmentScope = devOf()) {
  const identity = [{ name: "publish", document: publishStaticSite(site)(scope, "publisher") }];
  const principal = { kind: "AWS", id: "arn:aws:sts::123456789012:assumed-role/publisher/job" } as const;
  return (action: string, resource: string, context: Record<string, string> = {}) =>
    evaluate({ identity }, { principal, action, resource, context }).outcome;
}

describe("a role that publishes a static site", () => {
  const ask = asker({ bucket: "www.example.com", distributionArn });

  test.each([
    ["s3:ListBucket", "arn:aws:s3:::www.example.com"],
    ["s3:PutObject", "arn:aws:s3:::www.example.com/a/index.html"],
    ["s3:DeleteObject", "arn:aws:s3:::www.example.com/old.html"],
    ["s3:AbortMultipartUpload", "arn:aws:s3:::www.example.com/video.mp4"],
    ["cloudfront:CreateInvalidation", distributionArn],
    ["cloudfront:GetInvalidation", distributionArn],
  ])("may %s on %s", (action, resource) => {
    expect(ask(action, resource)).toBe("allowed");
  });

  test.each([
    ["s3:GetObject", "arn:aws:s3:::www.example.com/a/index.html"],
    ["s3:PutObject", "arn:aws:s3:::www.example.com.evil/index.html"],
    ["s3:PutObject", "arn:aws:s3:::other/index.html"],
    ["s3:PutObjectAcl", "arn:aws:s3:::www.example.com/index.html"],
    ["s3:DeleteObjectVersion", "arn:aws:s3:::www.example.com/index.html"],
    ["s3:PutBucketPolicy", "arn:aws:s3:::www.example.com"],
    ["s3:DeleteBucket", "arn:aws:s3:::www.example.com"],
    ["cloudfront:UpdateDistribution", distributionArn],
    ["cloudfront:CreateInvalidation", "arn:aws:cloudfront::123456789012:distribution/E124"],
    ["kms:Decrypt", kmsKeyArn],
  ])("may not %s on %s", (action, resource) => {
    expect(ask(action, resource)).toBe("refused");
  });
});

test("a prefix limits what can be listed and written", () => {
  const ask = asker({ bucket: "sites", prefix: "www/en" });
  const list = (prefix?: string) =>
    ask("s3:ListBucket", "arn:aws:s3:::sites", prefix === undefined ? {} : { "s3:prefix": prefix });
  expect(["www/en", "www/en/", "www/en/a"].map(list)).toEqual(["allowed", "allowed", "allowed"]);
  expect([undefined, "", "www/", "www/enx"].map(list)).toEqual(Array(4).fill("refused"));
  expect(ask("s3:PutObject", "arn:aws:s3:::sites/www/en/index.html")).toBe("allowed");
  expect(ask("s3:PutObject", "arn:aws:s3:::sites/www/index.html")).toBe("refused");
});

test("the KMS key can be used, but not changed", () => {
  const ask = asker({ bucket: "www.example.com", kmsKeyArn });
  expect(ask("kms:GenerateDataKey", kmsKeyArn)).toBe("allowed");
  expect(ask("kms:DisableKey", kmsKeyArn)).toBe("refused");
});

test("the bucket is in the partition of the environment", () => {
  const ask = asker({ bucket: "www.example.com" }, { ...devOf(), partition: "aws-us-gov" });
  expect(ask("s3:PutObject", "arn:aws-us-gov:s3:::www.example.com/index.html")).toBe("allowed");
});
