import { defineConfig } from "./config/define";
import { applyEnvironment, planEnvironment } from "./permissions/environment";
import { publishStaticSite } from "./permissions/static-site";

// The one file that you edit. Every field is explained where your editor shows it; the ids, accounts, buckets and
// repositories below are examples to be replaced. What is wrong is said by `npx cdktf synth`, all of it at once.

/** The site's CircleCI project: Project Settings → Overview. */
const site = { project: "66666666-7777-4888-9999-000000000000", repository: "github.com/acme/site" };

/** The CircleCI project of this repository, whose pipeline plans and deploys what stands here. */
const access = { project: "22222222-3333-4444-8555-666666666666", repository: "github.com/acme/aws-access" };

/** The roles of this repository's own pipeline. An administrator deploys changes to them: they cannot change themselves. */
const pipelineRoles = {
  // Any branch may plan: a plan reads, and pull requests come from branches of any name.
  "circleci-access-plan": {
    description: "Plans changes of access on pull requests",
    trust: [{ ...access, branches: ["*"] }],
    inlinePolicies: { plan: planEnvironment },
    deployedBy: "administrator",
  },
  // Only the main branch may apply, after review and approval.
  "circleci-access-apply": {
    description: "Deploys changes of access from the main branch",
    trust: [{ ...access, branches: ["main"] }],
    inlinePolicies: { apply: applyEnvironment },
    deployedBy: "administrator",
  },
} as const;

export default defineConfig({
  circleci: {
    // Organization Settings → Overview.
    organizationId: "11111111-2222-4333-8444-555555555555",
  },
  tags: { ManagedBy: "cdktf" },

  environments: {
    dev: {
      accountId: "123456789012",
      region: "us-east-1",
      state: { bucket: "acme-dev-tfstate", lockTable: "acme-dev-tfstate-lock" },
      roles: {
        // Publishes the site from its main branch: S3 sync, then a CloudFront invalidation.
        "circleci-site-publisher": {
          description: "Publishes www.dev.example.com",
          trust: [{ ...site, branches: ["main"] }],
          inlinePolicies: {
            publish: publishStaticSite({
              bucket: "www.dev.example.com",
              distributionArn: "arn:aws:cloudfront::123456789012:distribution/E2DEVEXAMPLE01",
            }),
          },
        },
        // Looks at buckets and objects, from every branch of the site's project.
        "circleci-read-only": {
          description: "Reads S3 in checks of any branch",
          trust: [{ project: site.project, refs: "any" }],
          managedPolicyArns: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
        },
        ...pipelineRoles,
      },
    },

    prod: {
      accountId: "210987654321",
      region: "us-east-1",
      state: { bucket: "acme-prod-tfstate", lockTable: "acme-prod-tfstate-lock" },
      roles: {
        // In production, releases publish: tags that begin with v, and nothing else.
        "circleci-site-publisher": {
          description: "Publishes www.example.com",
          trust: [{ ...site, tags: ["v*"] }],
          inlinePolicies: {
            publish: publishStaticSite({
              bucket: "www.example.com",
              distributionArn: "arn:aws:cloudfront::210987654321:distribution/E2PRODEXAMPLE1",
            }),
          },
        },
        "circleci-read-only": {
          description: "Reads S3 in checks of the main branch",
          trust: [{ ...site, branches: ["main"] }],
          managedPolicyArns: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
        },
        ...pipelineRoles,
      },
    },
  },

  // Jobs that must and must not get in, decided as AWS would by `npx keyless test` and in every pull request. What
  // `admitted` does not name must refuse the job.
  trustTests: [
    {
      name: "the site's main branch publishes to dev and reads everywhere",
      job: { ...site, branch: "main" },
      admitted: ["dev/circleci-site-publisher", "dev/circleci-read-only", "prod/circleci-read-only"],
    },
    {
      name: "a release publishes to prod",
      job: { ...site, tag: "v1.4.0" },
      admitted: ["prod/circleci-site-publisher", "dev/circleci-read-only"],
    },
    {
      name: "a branch named like a release publishes nothing",
      job: { ...site, branch: "v1.4.0" },
      admitted: ["dev/circleci-read-only"],
    },
    {
      name: "a branch that spells out main behind its name gains nothing by it",
      job: { ...site, branch: "x/vcs-origin/github.com/acme/site/vcs-ref/refs/heads/main" },
      admitted: ["dev/circleci-read-only"],
    },
    {
      name: "a fork's main branch may not publish",
      job: { ...site, repository: "github.com/stranger/site", branch: "main" },
      admitted: ["dev/circleci-read-only"],
    },
    {
      name: "a pull request plans access and applies nothing",
      job: { ...access, branch: "feature/more-access" },
      admitted: ["dev/circleci-access-plan", "prod/circleci-access-plan"],
    },
    {
      name: "the main branch plans and applies access",
      job: { ...access, branch: "main" },
      admitted: [
        "dev/circleci-access-plan",
        "dev/circleci-access-apply",
        "prod/circleci-access-plan",
        "prod/circleci-access-apply",
      ],
    },
    {
      name: "another project of the organization gets nowhere",
      job: { project: "99999999-aaaa-4bbb-8ccc-dddddddddddd", repository: "github.com/acme/site", branch: "main" },
      admitted: [],
    },
  ],
});
