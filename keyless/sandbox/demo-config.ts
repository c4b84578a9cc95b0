import { allowServices, defineConfig, publishStaticSite } from "../index";

/** What the publisher of the demo publishes, and from where. */
export const demoSite = {
  bucket: "www.dev.example.com",
  project: "66666666-7777-4888-9999-000000000000",
  repository: "github.com/acme/site",
  branch: "main",
} as const;

const { bucket, project, repository, branch } = demoSite;

/** The configuration of the demo, in place of `config.ts`. */
export default defineConfig({
  circleci: { organizationId: "11111111-2222-4333-8444-555555555555" },
  tags: { ManagedBy: "cdktf" },
  environments: {
    dev: {
      accountId: "123456789012",
      region: "us-east-1",
      state: { bucket: "acme-dev-tfstate", lockTable: "acme-dev-tfstate-lock" },
      permissionsBoundary: allowServices(["s3", "cloudfront"]),
      roles: {
        "circleci-site-publisher": {
          description: `Publishes ${bucket}`,
          trust: [{ project, repository, branches: [branch] }],
          inlinePolicies: {
            publish: publishStaticSite({
              bucket,
              distributionArn: "arn:aws:cloudfront::123456789012:distribution/E2DEVEXAMPLE01",
            }),
          },
        },
        "circleci-read-only": {
          description: "Reads S3 in checks of any branch",
          trust: [{ project, refs: "any" }],
          managedPolicyArns: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
        },
      },
    },
  },
});
