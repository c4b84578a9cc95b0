import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { defineConfig } from "../../keyless/config/define";
import type { RoleInput } from "../../keyless/config/input";
import type { Environment } from "../../keyless/config/resolved";
import { applyEnvironment } from "../../keyless/permissions/environment";
import { publishStaticSite } from "../../keyless/permissions/static-site";
import { jobConfig, refFilter } from "../../keyless/pipeline/job";

const project = "66666666-7777-4888-9999-000000000000";
const repository = "github.com/acme/site";
const trust = [{ project, repository, branches: ["main"] }];
const template = readFileSync(join(__dirname, "../../examples/static-site/.circleci/config.yml"), "utf8");

function job(role: RoleInput, name = "deploy") {
  const { environments } = defineConfig({
    circleci: { organizationId: "11111111-2222-4333-8444-555555555555" },
    environments: {
      prod: {
        accountId: "210987654321",
        region: "eu-central-1",
        state: { bucket: "acme-state", lockTable: "acme-lock" },
        roles: { [name]: role },
      },
    },
  });
  const [environment] = environments as [Environment];
  const [made] = environment.roles;
  if (made === undefined) throw new Error("no role");
  return jobConfig(template, environment, made);
}

const names = (steps: readonly { run?: { name: string } }[]) => steps.flatMap(({ run }) => run?.name ?? []);

test("the job of a role that publishes a site publishes it, with ARN, region, bucket and distribution filled in", () => {
  const distributionArn = "arn:aws:cloudfront::210987654321:distribution/E2PROD";
  const policy = publishStaticSite({ bucket: "www.example.com", prefix: "docs", distributionArn });
  const { jobs, workflows } = parse(job({ trust, inlinePolicies: { publish: policy } }));
  expect(jobs.publish.environment).toEqual({ SITE: "s3://www.example.com/docs", DISTRIBUTION: "E2PROD" });
  expect(jobs.publish.steps[1]).toEqual({
    "aws-credentials": { role: "arn:aws:iam::210987654321:role/deploy", region: "eu-central-1" },
  });
  expect(names(jobs.publish.steps)).toHaveLength(3);
  expect(workflows.publish.jobs).toEqual([{ publish: { filters: 'pipeline.git.branch == "main"' } }]);
});

test("the job for a site without a distribution has no invalidation", () => {
  const { jobs } = parse(job({ trust, inlinePolicies: { publish: publishStaticSite({ bucket: "www.example.com" }) } }));
  expect(jobs.publish.environment).toEqual({ SITE: "s3://www.example.com" });
  expect(names(jobs.publish.steps)).toHaveLength(1);
});

test.each<[string, RoleInput["inlinePolicies"]]>([
  ["no permissions", undefined],
  ["the permissions of applyEnvironment", { apply: applyEnvironment }],
])("the job of a role with %s prints its identity", (_, inlinePolicies) => {
  const { jobs } = parse(job({ trust, inlinePolicies }, "a+b=c"));
  expect(jobs["a-b-c"].steps.at(-1).run.command).toBe("aws sts get-caller-identity");
});

test("the file begins with a comment on the role, without the comments of the example", () => {
  expect(job({ trust }).split("\n").slice(0, 3)).toEqual([
    "# Assumes role deploy of prod without a stored key.",
    "# For github.com/acme/site: the role trusts no other repository.",
    "",
  ]);
});

test.each([
  [[{ project, repository, branches: ["main"] }], 'pipeline.git.branch == "main"'],
  [[{ project, repository, branches: ["release/*"] }], 'pipeline.git.branch starts-with "release/"'],
  [[{ project, repository, branches: ["*"] }], 'pipeline.git.branch != ""'],
  [[{ project, repository, tags: ["v*"] }], 'pipeline.git.tag starts-with "v"'],
  [
    [
      { project, repository, branches: ["main"] },
      { project, repository, tags: ["v1"] },
    ],
    'pipeline.git.branch == "main" or pipeline.git.tag == "v1"',
  ],
  [[{ project, refs: "any" as const }], undefined],
  [[{ project, repository, branches: ["main"] }, { subject: `org/o/project/${project}/user/*` }], undefined],
])("the trust rules %j have the filter %j", (rules, filter) => {
  expect(refFilter(rules)).toBe(filter);
});
