import { allowServices, applyEnvironment, defineConfig, planEnvironment, publishStaticSite } from "./keyless";

// The one file that you edit: which CircleCI jobs may assume which AWS roles. The ids, accounts, buckets and repositories
// below are examples: replace them with yours. Your editor explains every field; `npx cdktf synth` reports every error.

/** The project that publishes the site. Its id: CircleCI → Project Settings → Overview. */
const site = { project: "66666666-7777-4888-9999-000000000000", repository: "github.com/acme/site" };

/** The project of this repository, whose pipeline plans and deploys this configuration. */
const access = { project: "22222222-3333-4444-8555-666666666666", repository: "github.com/acme/aws-access" };

/**
 * The roles of this repository's own pipeline, the same in every environment. Only an administrator can change them.
 * Environments that share an account need other names in each: docs/pipelines.md, "Adding an environment".
 */
const pipelineRoles = {
  // Planning is read-only; pull requests come from any branch.
  "circleci-access-plan": {
    description: "Plans changes of access on pull requests",
    trust: [{ ...access, branches: ["*"] }],
    inlinePolicies: { plan: planEnvironment },
    deployedBy: "administrator",
  },
  // Only the main branch may deploy. Protect it: AWS does not see CircleCI's approvals. This role writes the policies and
  // the trust of the other roles, within the permissions boundary of the environment.
  "circleci-access-apply": {
    description: "Deploys changes of access from the main branch",
    trust: [{ ...access, branches: ["main"] }],
    inlinePolicies: { apply: applyEnvironment },
    deployedBy: "administrator",
  },
} as const;

export default defineConfig({
  circleci: {
    // CircleCI → Organization Settings → Overview.
    organizationId: "11111111-2222-4333-8444-555555555555",
  },
  // Tags of every resource.
  tags: { ManagedBy: "cdktf" },

  environments: {
    // The name of an environment is the name of its stack: `npx cdktf deploy dev`.
    dev: {
      accountId: "123456789012",
      region: "us-east-1",
      // Terraform's state and its lock, which `npx keyless bootstrap dev` creates. Bucket names are global in AWS.
      state: { bucket: "acme-dev-tfstate", lockTable: "acme-dev-tfstate-lock" },
      // The most that the roles which the pipeline deploys can do. Only an administrator can change it.
      permissionsBoundary: allowServices(["s3", "cloudfront"]),
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
        // Reads every bucket of the account, from every branch and tag of the site's project: for dev, not for production.
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
      permissionsBoundary: allowServices(["s3", "cloudfront"]),
      roles: {
        // In production only releases publish: tags that begin with v. A branch of that name does not match. Anyone who can
        // push can push such a tag, unless a tag ruleset restricts it (GitHub: Settings → Rules → Rulesets, `v*`).
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

  // For each job, the roles that must trust it; all other roles must refuse it. `npx keyless test`, `npm test` and the
  // pipeline of every pull request evaluate the trust policies as AWS does.
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
      name: "a branch whose name imitates the subject of main has the access of any branch",
      job: { ...site, branch: "x/vcs-origin/github.com/acme/site/vcs-ref/refs/heads/main" },
      admitted: ["dev/circleci-read-only"],
    },
    {
      name: "a fork's main branch cannot publish",
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
      name: "another project of the organization can assume no role",
      job: { project: "99999999-aaaa-4bbb-8ccc-dddddddddddd", repository: "github.com/acme/site", branch: "main" },
      admitted: [],
    },
  ],
});
