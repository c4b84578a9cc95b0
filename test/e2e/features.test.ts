// @duration 71
import { defineConfig } from "../../keyless/config/define";
import type { ConfigInput, RoleInput } from "../../keyless/config/input";
import { applyEnvironment } from "../../keyless/permissions/environment";
import type { Sandbox } from "../../keyless/sandbox";
import { trustPolicy } from "../../keyless/trust/policy";
import { aws, type Project } from "./project";
import { ACCOUNT, accessProject, FAR_ACCOUNT, ORGANIZATION, SITE, setUp, webIdentityEnvironment } from "./setup";

const users = ["33333333-4444-4555-8666-777777777777", "44444444-5555-4666-8777-888888888888"];
const server = "circleci.example.com";
const readOnly = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
const bounds = `arn:aws:iam::${ACCOUNT}:policy/bounds`;
const description = "costs ${x} %{y} $${z} %%{if} \"quoted\" 'single' \\ back {{ }} é";

/** A role with every option, with values that need escaping in JSON, HCL or a URL. */
const odd: RoleInput = {
  description,
  path: "/team/ci-1/",
  trust: [
    { project: SITE, refs: "any", users },
    { project: SITE, repository: "github.com/acme/SITE", branches: ["main", "release/*"], tags: ["v*"], users },
  ],
  managedPolicyArns: [readOnly, `arn:aws:iam::${ACCOUNT}:policy/Same`, `arn:aws:iam::${ACCOUNT}:policy/team/Same`],
  inlinePolicies: {
    "home+=,.@-": {
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Action: ["s3:GetObject", "s3:PutObject"],
          Resource: "arn:aws:s3:::home/${aws:username}/*",
          Condition: { StringNotEquals: { "aws:PrincipalTag/x": ["%{y}", "$${z}", '"\\'] } },
        },
      ],
    },
    other: { Version: "2012-10-17", Statement: { Effect: "Deny", Action: "s3:DeleteObject", Resource: "*" } },
  },
  permissionsBoundaryArn: bounds,
  maxSessionSeconds: 43_200,
  tags: { "a b_.:/=+-@": "é ñ", ManagedBy: "hand" },
};

const oddName = "0team+=,.@-Odd";
const keepOldVersionsDays = "forever";
const shared = { bucket: "acme-shared", lock: "lockfile", keepOldVersionsDays } as const;

const config: ConfigInput = {
  circleci: {
    organizationId: ORGANIZATION,
    audiences: [ORGANIZATION, "https://example.com/?a=*", 'odd"\\'],
    thumbprints: ["a".repeat(40), "B".repeat(40)],
    server,
  },
  tags: { ManagedBy: "cdktf", Name: "circleci-oidc" },
  environments: {
    one: {
      accountId: ACCOUNT,
      region: "us-east-1",
      quotas: { trustPolicySize: 4096 },
      state: shared,
      roles: {
        [oddName]: odd,
        releases: {
          trust: [{ project: SITE, repository: "github.com/acme/SITE", tags: ["v*"] }],
          deployedBy: "pipeline-as-administrator",
        },
        own: { trust: [{ subject: `org/${ORGANIZATION}/project/${SITE}/user/*` }], managedPolicyArns: [readOnly] },
        apply: {
          trust: [{ ...accessProject, branches: ["main"] }],
          inlinePolicies: { apply: applyEnvironment },
          deployedBy: "administrator",
        },
      },
    },
    two: {
      accountId: ACCOUNT,
      region: "us-east-1",
      oidcProvider: "existing",
      state: shared,
      roles: {
        second: {
          trust: [{ project: SITE, refs: "any" }],
          managedPolicyArns: [readOnly, `arn:aws:iam::${ACCOUNT}:policy/Same`],
        },
      },
    },
    far: {
      accountId: FAR_ACCOUNT,
      region: "eu-west-1",
      state: { bucket: "acme-far", lock: "lockfile" },
      roles: { reader: { trust: [{ project: SITE, refs: "any" }], managedPolicyArns: [readOnly] } },
    },
  },
};

let sandbox: Sandbox;
let project: Project;

beforeAll(async () => {
  ({ sandbox, project } = await setUp(config));
  const { environment } = sandbox;
  const document = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }],
  });
  const create = ["iam", "create-policy", "--policy-document", document, "--policy-name"];
  await aws(environment, ...create, "bounds");
  await aws(environment, ...create, "Same");
  await aws(environment, ...create, "Same", "--path", "/team/");
  await aws(environment, "s3api", "create-bucket", "--bucket", "acme-shared");
  const far = ["s3api", "create-bucket", "--bucket", "acme-far", "--region", "eu-west-1"];
  await aws(
    sandbox.accountEnvironment(FAR_ACCOUNT),
    ...far,
    "--create-bucket-configuration",
    "LocationConstraint=eu-west-1",
  );
});

function deploy(environment: string, env = sandbox.environment) {
  return project.terraform(env, environment, "apply", "-auto-approve");
}

/** A role as IAM returns it, with its trust policy parsed. */
async function storedRole(name: string, env = sandbox.environment) {
  return (await aws(env, "iam", "get-role", "--role-name", name)).Role;
}

test("a deployment fails if the existing provider that it names does not exist", async () => {
  const ran = await deploy("two");
  expect(ran.status).not.toBe(0);
  expect(ran.output).toMatch(
    /finding IAM OIDC Provider.*not found|couldn't find resource|No OpenIDConnect Provider|NoSuchEntity/i,
  );
});

test("a deployment with credentials of another account fails", async () => {
  const ran = await deploy("far");
  expect(ran.status).not.toBe(0);
  expect(ran.output).toMatch(/AWS account ID not allowed: 123456789012/);
});

test("one deployment creates every option", async () => {
  expect(await deploy("one")).toMatchObject({ status: 0, output: expect.stringContaining("0 changed, 0 destroyed") });
});

test("another environment of the account uses the existing provider and the same bucket", async () => {
  expect(await deploy("two")).toMatchObject({
    status: 0,
    output: expect.stringContaining("5 added, 0 changed, 0 destroyed"),
  });
});

test("an environment of another account is deployed to that account", async () => {
  const env = sandbox.accountEnvironment(FAR_ACCOUNT);
  expect(await deploy("far", env)).toMatchObject({ status: 0, output: expect.stringContaining("5 added, 0 changed") });
  expect((await storedRole("reader", env)).Arn).toBe(`arn:aws:iam::${FAR_ACCOUNT}:role/reader`);
});

test("IAM stores the trust policy that trustPolicy() returns, for every role", async () => {
  for (const { accountId, circleci, oidcProvider, roles } of defineConfig(config).environments) {
    for (const role of roles) {
      const stored = await storedRole(role.name, sandbox.accountEnvironment(accountId));
      expect(stored.AssumeRolePolicyDocument).toEqual(
        trustPolicy({ ...circleci, providerArn: oidcProvider.arn, rules: role.trust }),
      );
    }
  }
});

test("the provider has every audience and thumbprint", async () => {
  const arn = `arn:aws:iam::${ACCOUNT}:oidc-provider/${server}/org/${ORGANIZATION}`;
  const stored = await aws(
    sandbox.environment,
    "iam",
    "get-open-id-connect-provider",
    "--open-id-connect-provider-arn",
    arn,
  );
  expect(stored).toMatchObject({
    Url: `${server}/org/${ORGANIZATION}`,
    ThumbprintList: ["a".repeat(40), "b".repeat(40)],
  });
  expect(stored.ClientIDList.sort()).toEqual([...(config.circleci.audiences ?? [])].sort());
});

test("IAM stores every option of a role unchanged", async () => {
  const env = sandbox.environment;
  const stored = await storedRole(oddName);
  expect(stored).toMatchObject({
    Arn: `arn:aws:iam::${ACCOUNT}:role/team/ci-1/${oddName}`,
    Description: description,
    MaxSessionDuration: 43_200,
    PermissionsBoundary: { PermissionsBoundaryArn: bounds },
  });
  expect(Object.fromEntries(stored.Tags.map(({ Key, Value }: { Key: string; Value: string }) => [Key, Value]))).toEqual(
    {
      ...config.tags,
      ...odd.tags,
    },
  );
  const { AttachedPolicies } = await aws(env, "iam", "list-attached-role-policies", "--role-name", oddName);
  expect(AttachedPolicies.map(({ PolicyArn }: { PolicyArn: string }) => PolicyArn).sort()).toEqual(
    [...(odd.managedPolicyArns ?? [])].sort(),
  );
  for (const [name, document] of Object.entries(odd.inlinePolicies ?? {})) {
    const inline = await aws(env, "iam", "get-role-policy", "--role-name", oddName, "--policy-name", name);
    expect(inline.PolicyDocument).toEqual(document);
  }
});

test("the order of lists and fields in the configuration changes nothing", async () => {
  project.configure(reversed(config) as ConfigInput);
  for (const environment of ["one", "two"]) {
    const ran = await project.terraform(sandbox.environment, environment, "plan");
    expect(ran).toMatchObject({ status: 0, output: expect.stringContaining("No changes") });
  }
});

test("the apply role recreates a role that was deleted outside Terraform", async () => {
  await aws(sandbox.environment, "iam", "delete-role", "--role-name", "releases");
  const origin = accessProject.repository;
  const token = await sandbox.issuer.token({
    organization: ORGANIZATION,
    project: accessProject.project,
    server,
    origin,
    ref: "refs/heads/main",
  });
  const roleArn = `arn:aws:iam::${ACCOUNT}:role/apply`;
  const ran = await deploy("one", webIdentityEnvironment(sandbox, roleArn, token));
  expect(ran).toMatchObject({ status: 0, output: expect.stringContaining("3 added, 0 changed, 0 destroyed") });
  expect((await storedRole("releases")).RoleName).toBe("releases");
});

test("removing one managed policy from the configuration detaches only that policy", async () => {
  const { two } = config.environments;
  const second = { ...two?.roles.second, managedPolicyArns: [readOnly] };
  project.configure({
    ...config,
    environments: { ...config.environments, two: { ...two, roles: { second } } },
  } as ConfigInput);
  expect(await deploy("two")).toMatchObject({
    status: 0,
    output: expect.stringContaining("0 added, 1 changed, 1 destroyed"),
  });
  const { AttachedPolicies } = await aws(
    sandbox.environment,
    "iam",
    "list-attached-role-policies",
    "--role-name",
    "second",
  );
  expect(AttachedPolicies).toEqual([{ PolicyName: "AmazonS3ReadOnlyAccess", PolicyArn: readOnly }]);
});

/** A copy with all lists and fields in reverse order. Policy documents are not reversed: their order is part of the value. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed).reverse();
  if (typeof value !== "object" || value === null || "Statement" in value) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, reversed(inner)])
      .reverse(),
  );
}
