import { defineConfig } from "./config/define";

export default defineConfig({
  circleci: { organizationId: "11111111-2222-4333-8444-555555555555" },
  tags: { ManagedBy: "cdktf" },
  environments: {
    dev: {
      accountId: "123456789012",
      region: "us-east-1",
      state: { bucket: "acme-dev-tfstate", lockTable: "acme-dev-tfstate-lock" },
      roles: {
        "circleci-site-publisher": {
          trust: [
            { project: "66666666-7777-4888-9999-000000000000", repository: "github.com/acme/site", branches: ["main"] },
          ],
          managedPolicyArns: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
        },
      },
    },
  },
});
