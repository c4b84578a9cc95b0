import { liveAccess } from "../../keyless/access/live";
import type { IamRole } from "../../keyless/aws/iam";
import { renderLiveAccess } from "../../keyless/cli/lib/live-access-text";
import type { Config, Environment, Role } from "../../keyless/config/resolved";
import { trustPolicyOf } from "../../keyless/config/trust";
import type { PolicyDocument } from "../../keyless/policy/document";
import { trustPolicy } from "../../keyless/trust/policy";
import { configOf, ORGANIZATION, OTHER_PROJECT, SITE } from "./configurations";

const config = configOf({
  dev: {
    publisher: { trust: [{ ...SITE, branches: ["main"] }] },
    reader: { trust: [{ project: SITE.project, refs: "any" }] },
  },
  prod: { publisher: { trust: [{ ...SITE, tags: ["v*"] }] } },
});
const [dev, prod] = config.environments as [Environment, Environment];
const [publisher, reader] = dev.roles as [Role, Role];

function inAccount({ name, arn, trust, path, maxSessionSeconds }: Role, environment = dev): IamRole {
  return { name, arn, id: "AROA", path, maxSessionSeconds, tags: {}, trustPolicy: trustPolicyOf(environment, trust) };
}

function named(name: string, policy: PolicyDocument): IamRole {
  return { ...inAccount(publisher), name, arn: `arn:aws:iam::${dev.accountId}:role/${name}`, trustPolicy: policy };
}

function statuses(roles: readonly IamRole[], given: Config = config, names?: string[]) {
  return liveAccess(given, dev.accountId, roles, names).map(({ name, status }) => [name, status]);
}

const leftOver = trustPolicyOf(dev, [
  { project: OTHER_PROJECT, repository: "github.com/acme/old", branches: ["main"] },
]);

test("roles as configured have no differences", () => {
  expect(statuses([inAccount(publisher), inAccount(reader)])).toEqual([
    ["publisher", "as-configured"],
    ["reader", "as-configured"],
  ]);
});

test("a role that trusts CircleCI and is in no environment of the account comes first, with its subjects", () => {
  const roles = liveAccess(config, dev.accountId, [inAccount(publisher), named("old", leftOver), inAccount(reader)]);
  expect(roles[0]).toEqual({
    name: "old",
    arn: `arn:aws:iam::${dev.accountId}:role/old`,
    status: "not-configured",
    subjects: [expect.stringContaining("/vcs-origin/github.com/acme/old/vcs-ref/refs/heads/main")],
    differences: [],
  });
});

test("the roles of an environment that is no longer in the configuration are not configured", () => {
  const without = { ...config, environments: [prod] };
  expect(statuses([inAccount(publisher), inAccount(reader)], without)).toEqual([
    ["publisher", "not-configured"],
    ["reader", "not-configured"],
  ]);
});

test("an environment of another account configures no role of this account", () => {
  expect(liveAccess(config, prod.accountId, [inAccount(reader, prod)])).toEqual([
    expect.objectContaining({ name: "reader", status: "not-configured" }),
    expect.objectContaining({ name: "publisher", status: "missing", environment: "prod" }),
  ]);
});

test.each<[string, PolicyDocument, string[]]>([
  [
    "a GitHub issuer",
    trustPolicy({
      providerArn: `arn:aws:iam::${dev.accountId}:oidc-provider/token.actions.githubusercontent.com`,
      issuer: "token.actions.githubusercontent.com",
      organizationId: ORGANIZATION,
      audiences: ["sts.amazonaws.com"],
      rules: [{ subject: "repo:acme/site:*" }],
    }),
    [],
  ],
  [
    "a service",
    { Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }] },
    [],
  ],
  ["every principal", { Statement: [{ Effect: "Allow", Principal: "*", Action: "sts:*" }] }, ["*"]],
  [
    "the organization without a condition on the subject",
    {
      Statement: [
        { Effect: "Allow", Principal: { Federated: dev.oidcProvider.arn }, Action: "sts:AssumeRoleWithWebIdentity" },
      ],
    },
    [`org/${ORGANIZATION}/*`],
  ],
])("a role that trusts %s", (_, policy, subjects) => {
  const [found] = liveAccess(config, dev.accountId, [named("other", policy), inAccount(publisher), inAccount(reader)]);
  expect(found?.name === "other" ? found.subjects : []).toEqual(subjects);
});

test("another trust, path or maximum session differs, also in another environment than the role's", () => {
  const changed = { ...inAccount(publisher), trustPolicy: leftOver, maxSessionSeconds: 7200, arn: `${publisher.arn}2` };
  expect(liveAccess(config, dev.accountId, [changed, inAccount(reader)])[0]).toEqual({
    name: "publisher",
    arn: publisher.arn,
    environment: "dev",
    status: "differs",
    subjects: [expect.stringContaining("github.com/acme/old")],
    differences: [
      expect.stringMatching(/^only in the account: .*github\.com\/acme\/old/),
      expect.stringMatching(/^only in the configuration: .*github\.com\/acme\/site/),
      `ARN: ${publisher.arn}2 in the account, ${publisher.arn} in the configuration`,
      "maximum session in seconds: 7200 in the account, 3600 in the configuration",
    ],
  });
});

test("role names are compared without regard to case, as in IAM", () => {
  expect(statuses([named("Publisher", leftOver), inAccount(reader)])).toEqual([
    ["publisher", "differs"],
    ["reader", "as-configured"],
  ]);
});

test("a configured role that the account does not have is missing", () => {
  expect(statuses([inAccount(reader)])).toEqual([
    ["publisher", "missing"],
    ["reader", "as-configured"],
  ]);
});

test("only the named environments are compared, and a role of another one is configured", () => {
  const shared = {
    ...config,
    environments: [dev, { ...prod, accountId: dev.accountId, roles: [{ ...publisher, name: "b" }] }],
  };
  const found = [inAccount(publisher), inAccount(reader), named("b", leftOver), named("old", leftOver)];
  expect(statuses(found, shared, ["dev"])).toEqual([
    ["old", "not-configured"],
    ["publisher", "as-configured"],
    ["reader", "as-configured"],
  ]);
});

test("the text lists roles of no environment first, and counts what is not as configured", () => {
  const roles = liveAccess(config, dev.accountId, [named("old", leftOver), inAccount(reader)]);
  const paint = { good: String, bad: String, faint: String };
  expect(
    renderLiveAccess(dev.accountId, roles, { colors: false, columns: 300, paint }),
  ).toBe(`in no environment of config.ts:
  old: not configured
    trusts branch main of github.com/acme/old in project ${OTHER_PROJECT} (organization ${ORGANIZATION})

dev:
  publisher: not in the account: not deployed yet, or deleted outside Terraform
  reader: as configured

account ${dev.accountId}: 3 roles configured or trusting CircleCI, 2 not as in config.ts
`);
});
