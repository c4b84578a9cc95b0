// @duration 110
import type { Sandbox } from "../../keyless/sandbox";
import { aws, type Project } from "./project";
import { ACCESS, ACCOUNT, ORGANIZATION, SITE, setUp, webIdentityEnvironment } from "./setup";

function config({ tag = "v1" } = {}): string {
  return `
const access = { project: "${ACCESS}", repository: "github.com/acme/aws-access" };
const bounds = "arn:aws:iam::${ACCOUNT}:policy/bounds";
export default defineConfig({
  circleci: { organizationId: "${ORGANIZATION}" },
  environments: {
    dev: {
      accountId: "${ACCOUNT}",
      region: "us-east-1",
      state: { bucket: "acme-dev-tfstate", lockTable: "acme-dev-lock", keepOldVersionsDays: "forever" },
      permissionsBoundary: allowServices(["s3"]),
      roles: {
        publisher: {
          trust: [{ project: "${SITE}", repository: "github.com/acme/site", branches: ["main"] }],
          inlinePolicies: { publish: publishStaticSite({ bucket: "www.example.com" }) },
          tags: { Version: "${tag}" },
        },
        reader: {
          trust: [{ project: "${SITE}", refs: "any" }],
          managedPolicyArns: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
          permissionsBoundaryArn: bounds,
        },
        plan: { trust: [{ ...access, branches: ["*"] }], inlinePolicies: { plan: planEnvironment }, deployedBy: "administrator" },
        apply: { trust: [{ ...access, branches: ["main"] }], inlinePolicies: { apply: applyEnvironment }, deployedBy: "administrator" },
      },
    },
  },
});`;
}

let sandbox: Sandbox;
let project: Project;

beforeAll(async () => {
  ({ sandbox, project } = await setUp(config()));
});

/** The environment variables of a job on a branch of a project that assumes a role with its token. */
async function job(role: string, projectId: string, repository: string, branch: string) {
  const token = await sandbox.issuer.token({
    organization: ORGANIZATION,
    project: projectId,
    origin: `github.com/acme/${repository}`,
    ref: `refs/heads/${branch}`,
  });
  return webIdentityEnvironment(sandbox, `arn:aws:iam::${ACCOUNT}:role/${role}`, token);
}

test("bootstrap creates the state backend", async () => {
  const ran = await project.keyless(sandbox.environment, "bootstrap", "dev");
  expect(ran).toMatchObject({ status: 0, output: expect.stringContaining("their state is now stored in the bucket") });
});

test("a second bootstrap finds no changes", async () => {
  const ran = await project.keyless(sandbox.environment, "bootstrap", "dev");
  expect(ran).toMatchObject({ status: 0, output: expect.stringContaining("no changes") });
});

test("an administrator deploys the environment for the first time", async () => {
  const bounds = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }],
  });
  await aws(sandbox.environment, "iam", "create-policy", "--policy-name", "bounds", "--policy-document", bounds);
  const ran = await project.cdktf(sandbox.environment, "deploy", "dev", "--auto-approve");
  expect(ran).toMatchObject({ status: 0, output: expect.stringContaining("0 changed, 0 destroyed") });
});

test("the plan role, without an access key, finds no changes", async () => {
  const env = await job("plan", ACCESS, "aws-access", "any/branch");
  const ran = await project.cdktf({ ...env, TF_CLI_ARGS_plan: "-lock=false" }, "diff", "dev");
  expect(ran).toMatchObject({ status: 0, output: expect.stringContaining("No changes") });
});

describe("the plan role", () => {
  test.each([
    [
      "cannot write the state",
      ["s3api", "put-object", "--bucket", "acme-dev-tfstate", "--key", "dev/terraform.tfstate"],
    ],
    [
      "cannot write the digest of the state",
      [
        "dynamodb",
        "delete-item",
        "--table-name",
        "acme-dev-lock",
        "--key",
        '{"LockID":{"S":"acme-dev-tfstate/dev/terraform.tfstate-md5"}}',
      ],
    ],
    [
      "cannot acquire the lock of the state",
      [
        "dynamodb",
        "put-item",
        "--table-name",
        "acme-dev-lock",
        "--item",
        '{"LockID":{"S":"acme-dev-tfstate/dev/terraform.tfstate"}}',
      ],
    ],
    ["cannot change a role", ["iam", "tag-role", "--role-name", "publisher", "--tags", "Key=a,Value=b"]],
  ])("%s", async (_, args) => {
    const env = await job("plan", ACCESS, "aws-access", "any/branch");
    await expect(aws(env, ...args)).rejects.toThrow(/AccessDenied/);
  });
});

describe("the apply role", () => {
  test("deploys a change of the environment", async () => {
    project.configure(config({ tag: "v2" }));
    const ran = await project.cdktf(
      await job("apply", ACCESS, "aws-access", "main"),
      "deploy",
      "dev",
      "--auto-approve",
    );
    expect(ran).toMatchObject({ status: 0, output: expect.stringContaining("0 added, 1 changed, 0 destroyed") });
  });

  const self = ["--role-name", "apply", "--policy-name", "apply", "--policy-document", "{}"];
  test.each([
    ["cannot change itself", ["iam", "put-role-policy", ...self]],
    [
      "cannot change its trust policy",
      ["iam", "update-assume-role-policy", "--role-name", "apply", "--policy-document", "{}"],
    ],
    ["cannot change the plan role", ["iam", "tag-role", "--role-name", "plan", "--tags", "Key=a,Value=b"]],
    [
      "cannot create a role that the configuration does not have",
      ["iam", "create-role", "--role-name", "other", "--assume-role-policy-document", "{}"],
    ],
    [
      "cannot create a role without its permissions boundary",
      ["iam", "create-role", "--role-name", "reader", "--assume-role-policy-document", "{}"],
    ],
    ["cannot remove a permissions boundary", ["iam", "delete-role-permissions-boundary", "--role-name", "reader"]],
    [
      "cannot change the policy of the permissions boundary",
      [
        "iam",
        "create-policy-version",
        "--policy-arn",
        `arn:aws:iam::${ACCOUNT}:policy/bounds`,
        "--policy-document",
        "{}",
      ],
    ],
    [
      "cannot attach a policy that no role of the configuration has",
      [
        "iam",
        "attach-role-policy",
        "--role-name",
        "reader",
        "--policy-arn",
        "arn:aws:iam::aws:policy/AdministratorAccess",
      ],
    ],
    [
      "cannot attach a policy that only another role of the configuration has",
      [
        "iam",
        "attach-role-policy",
        "--role-name",
        "publisher",
        "--policy-arn",
        "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
      ],
    ],
    [
      "cannot write an inline policy to a role that has none in the configuration",
      ["iam", "put-role-policy", "--role-name", "reader", "--policy-name", "x", "--policy-document", "{}"],
    ],
    [
      "cannot read another environment's state",
      ["s3api", "get-object", "--bucket", "acme-dev-tfstate", "--key", "prod/terraform.tfstate", "/dev/null"],
    ],
    [
      "cannot write the state of the state backend",
      ["s3api", "put-object", "--bucket", "acme-dev-tfstate", "--key", "dev-state/terraform.tfstate"],
    ],
  ])("%s", async (_, args) => {
    await expect(aws(await job("apply", ACCESS, "aws-access", "main"), ...args)).rejects.toThrow(/AccessDenied/);
  });

  test("cannot be assumed from another branch", async () => {
    const env = await job("apply", ACCESS, "aws-access", "main-2");
    await expect(aws(env, "sts", "get-caller-identity")).rejects.toThrow(
      "Not authorized to perform sts:AssumeRoleWithWebIdentity",
    );
  });
});

describe("a holder of the apply role who grants every permission to a role that the pipeline deploys, and assumes it", () => {
  const boundary = `arn:aws:iam::${ACCOUNT}:policy/circleci-boundary-dev`;
  const allow = (more: Readonly<Record<string, unknown>>) =>
    JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...more }] });
  const everything = allow({ Action: "*", Resource: "*" });
  const trustAll = allow({
    Action: "sts:AssumeRoleWithWebIdentity",
    Principal: { Federated: `arn:aws:iam::${ACCOUNT}:oidc-provider/oidc.circleci.com/org/${ORGANIZATION}` },
    Condition: { StringEquals: { [`oidc.circleci.com/org/${ORGANIZATION}:aud`]: ORGANIZATION } },
  });
  const administratorAccess = ["--policy-arn", "arn:aws:iam::aws:policy/AdministratorAccess"];
  const ofPolicy = ["--policy-document", everything];
  const ofTrust = ["--assume-role-policy-document", trustAll];
  const own = ["--role-name", "publisher"];

  beforeAll(async () => {
    const apply = await job("apply", ACCESS, "aws-access", "main");
    await aws(apply, "iam", "put-role-policy", ...own, "--policy-name", "all", ...ofPolicy);
    await aws(apply, "iam", "update-assume-role-policy", ...own, "--policy-document", trustAll);
  });

  test("can do what the boundary allows", async () => {
    const publisher = await job("publisher", ACCESS, "aws-access", "any");
    await aws(publisher, "s3api", "create-bucket", "--bucket", "acme-any");
    await aws(publisher, "s3api", "delete-bucket", "--bucket", "acme-any");
  });

  const attacks: readonly (readonly [name: string, args: readonly string[]])[] = [
    [
      "write a policy of the apply role",
      ["put-role-policy", "--role-name", "apply", "--policy-name", "x", ...ofPolicy],
    ],
    [
      "change the trust of the apply role",
      ["update-assume-role-policy", "--role-name", "apply", "--policy-document", trustAll],
    ],
    ["attach AdministratorAccess to the role", ["attach-role-policy", ...own, ...administratorAccess]],
    [
      "attach AdministratorAccess to the apply role",
      ["attach-role-policy", "--role-name", "apply", ...administratorAccess],
    ],
    ["remove the boundary", ["delete-role-permissions-boundary", ...own]],
    [
      "replace the boundary",
      [
        "put-role-permissions-boundary",
        ...own,
        "--permissions-boundary",
        "arn:aws:iam::aws:policy/AdministratorAccess",
      ],
    ],
    [
      "create a version of the boundary",
      ["create-policy-version", "--policy-arn", boundary, ...ofPolicy, "--set-as-default"],
    ],
    ["delete the policy of the boundary", ["delete-policy", "--policy-arn", boundary]],
    ["create a role without the boundary", ["create-role", "--role-name", "publisher", ...ofTrust]],
    ["create another role", ["create-role", "--role-name", "other", "--permissions-boundary", boundary, ...ofTrust]],
    ["create a user", ["create-user", "--user-name", "mallory"]],
    ["create an instance profile", ["create-instance-profile", "--instance-profile-name", "p"]],
    ["remove a policy of the plan role", ["delete-role-policy", "--role-name", "plan", "--policy-name", "plan"]],
  ];

  test.each(attacks)("cannot %s, with either role", async (_, args) => {
    for (const env of [
      await job("apply", ACCESS, "aws-access", "main"),
      await job("publisher", ACCESS, "aws-access", "any"),
    ])
      await expect(aws(env, "iam", ...args)).rejects.toThrow(/AccessDenied/);
  });

  test.each([
    [
      "read the state",
      ["s3api", "get-object", "--bucket", "acme-dev-tfstate", "--key", "dev/terraform.tfstate", "/dev/null"],
    ],
    ["write the state", ["s3api", "put-object", "--bucket", "acme-dev-tfstate", "--key", "dev/terraform.tfstate"]],
    [
      "change the policy of the state's bucket",
      ["s3api", "put-bucket-policy", "--bucket", "acme-dev-tfstate", "--policy", everything],
    ],
    [
      "take the lock of the state",
      ["dynamodb", "put-item", "--table-name", "acme-dev-lock", "--item", '{"LockID":{"S":"x"}}'],
    ],
  ])("cannot %s, with the role that it assumed", async (_, args) => {
    const env = await job("publisher", ACCESS, "aws-access", "any");
    await expect(aws(env, ...args)).rejects.toThrow(/AccessDenied/);
  });

  test("is reverted by the next deployment", async () => {
    const ran = await project.cdktf(
      await job("apply", ACCESS, "aws-access", "main"),
      "deploy",
      "dev",
      "--auto-approve",
    );
    expect(ran).toMatchObject({ status: 0 });
    const { PolicyNames } = await aws(sandbox.environment, "iam", "list-role-policies", ...own);
    expect(PolicyNames).toEqual(["publish"]);
  });
});

test("destroy deletes all resources of the environment", async () => {
  const ran = await project.cdktf(sandbox.environment, "destroy", "dev", "--auto-approve");
  expect(ran).toMatchObject({ status: 0 });
  expect((await aws(sandbox.environment, "iam", "list-roles")).Roles).toEqual([]);
  expect((await aws(sandbox.environment, "iam", "list-open-id-connect-providers")).OpenIDConnectProviderList).toEqual(
    [],
  );
});
