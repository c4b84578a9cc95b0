// @duration 65
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Sandbox } from "../../keyless/sandbox";
import { aws, type Project, run } from "./project";
import { ACCOUNT, ORGANIZATION, SITE, setUp } from "./setup";

const BUCKET = "acme-drift-tfstate";
const TABLE = "acme-drift-lock";
const ISSUER = `oidc.circleci.com/org/${ORGANIZATION}`;
const PROVIDER = `arn:aws:iam::${ACCOUNT}:oidc-provider/${ISSUER}`;
const READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
const ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess";
const everything = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
});
const trustOfAccount = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { AWS: ACCOUNT }, Action: "sts:AssumeRole" }],
});
const readableByAnyone = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${BUCKET}/*` }],
});

const config = `
export default defineConfig({
  circleci: { organizationId: "${ORGANIZATION}" },
  environments: {
    dev: {
      accountId: "${ACCOUNT}",
      region: "us-east-1",
      state: { bucket: "${BUCKET}", lockTable: "${TABLE}", keepOldVersionsDays: "forever" },
      roles: {
        publisher: {
          trust: [{ project: "${SITE}", repository: "github.com/acme/site", branches: ["main"] }],
          inlinePolicies: { publish: publishStaticSite({ bucket: "www.example.com" }) },
          description: "Publishes the site",
        },
        reader: {
          trust: [{ project: "${SITE}", refs: "any" }],
          managedPolicyArns: ["${READ_ONLY}"],
          permissionsBoundaryArn: "arn:aws:iam::aws:policy/PowerUserAccess",
        },
        bare: { trust: [{ project: "${SITE}", refs: "any" }] },
        tagged: { trust: [{ project: "${SITE}", refs: "any" }] },
        lasting: { trust: [{ project: "${SITE}", refs: "any" }] },
      },
    },
  },
});`;

/** Changes outside Terraform, each with the resource whose plan shows it. Every deployment reverts them. */
const SHOWN: readonly (readonly [change: string, stack: string, address: string, args: readonly string[]])[] = [
  [
    "a managed policy attached to a role",
    "dev",
    "aws_iam_role_policy_attachments_exclusive.reader",
    ["iam", "attach-role-policy", "--role-name", "reader", "--policy-arn", ADMINISTRATOR],
  ],
  [
    "a managed policy attached to a role that has none",
    "dev",
    "aws_iam_role_policy_attachments_exclusive.publisher",
    ["iam", "attach-role-policy", "--role-name", "publisher", "--policy-arn", ADMINISTRATOR],
  ],
  [
    "a managed policy detached from a role",
    "dev",
    'aws_iam_role_policy_attachment.reader["AmazonS3ReadOnlyAccess"]',
    ["iam", "detach-role-policy", "--role-name", "reader", "--policy-arn", READ_ONLY],
  ],
  [
    "an inline policy added to a role",
    "dev",
    "aws_iam_role_policies_exclusive.reader",
    ["iam", "put-role-policy", "--role-name", "reader", "--policy-name", "x", "--policy-document", everything],
  ],
  [
    "a changed inline policy",
    "dev",
    'aws_iam_role_policy.publisher["publish"]',
    ["iam", "put-role-policy", "--role-name", "publisher", "--policy-name", "publish", "--policy-document", everything],
  ],
  [
    "a changed trust policy",
    "dev",
    "aws_iam_role.publisher",
    ["iam", "update-assume-role-policy", "--role-name", "publisher", "--policy-document", trustOfAccount],
  ],
  [
    "a removed permissions boundary",
    "dev",
    "aws_iam_role.reader",
    ["iam", "delete-role-permissions-boundary", "--role-name", "reader"],
  ],
  [
    "a permissions boundary of a role that has none",
    "dev",
    "aws_iam_role.bare",
    ["iam", "put-role-permissions-boundary", "--role-name", "bare", "--permissions-boundary", READ_ONLY],
  ],
  [
    "a tag added to a role",
    "dev",
    "aws_iam_role.tagged",
    ["iam", "tag-role", "--role-name", "tagged", "--tags", "Key=a,Value=b"],
  ],
  [
    "a longer maximum session",
    "dev",
    "aws_iam_role.lasting",
    ["iam", "update-role", "--role-name", "lasting", "--max-session-duration", "43200"],
  ],
  [
    "a changed bucket policy",
    "dev-state",
    "aws_s3_bucket_policy.tls_only",
    ["s3api", "put-bucket-policy", "--bucket", BUCKET, "--policy", readableByAnyone],
  ],
  [
    "a removed public access block",
    "dev-state",
    "aws_s3_bucket_public_access_block.public_access",
    ["s3api", "delete-public-access-block", "--bucket", BUCKET],
  ],
  [
    "suspended versioning",
    "dev-state",
    "aws_s3_bucket_versioning.versioning",
    ["s3api", "put-bucket-versioning", "--bucket", BUCKET, "--versioning-configuration", "Status=Suspended"],
  ],
  [
    "enabled access control lists",
    "dev-state",
    "aws_s3_bucket_ownership_controls.ownership",
    [
      ...["s3api", "put-bucket-ownership-controls", "--bucket", BUCKET, "--ownership-controls"],
      "Rules=[{ObjectOwnership=ObjectWriter}]",
    ],
  ],
  [
    "disabled point-in-time recovery of the table",
    "dev-state",
    "aws_dynamodb_table.lock",
    [
      ...["dynamodb", "update-continuous-backups", "--table-name", TABLE],
      ...["--point-in-time-recovery-specification", "PointInTimeRecoveryEnabled=false"],
    ],
  ],
];

let sandbox: Sandbox;
let project: Project;
const plans = new Map<string, { readonly resource_changes: readonly Change[] }>();

interface Change {
  readonly address: string;
  readonly change: { readonly actions: readonly string[] };
}

async function plan(stack: string): Promise<void> {
  const env = sandbox.environment;
  expect(await project.terraform(env, stack, "plan", "-out=plan")).toMatchObject({ status: 0 });
  const shown = await run("terraform", ["show", "-json", "plan"], {
    cwd: join(project.folder, "cdktf.out", "stacks", stack),
    env,
  });
  plans.set(stack, JSON.parse(shown.output));
}

const changed = (stack: string) =>
  (plans.get(stack)?.resource_changes ?? [])
    .filter(({ change }) => !["no-op", "read"].includes(change.actions.join()))
    .map(({ address }) => address);

beforeAll(async () => {
  ({ sandbox, project } = await setUp(config));
  const ran = await project.keyless(sandbox.environment, "bootstrap", "dev");
  expect(ran).toMatchObject({ status: 0 });
  expect(await project.terraform(sandbox.environment, "dev", "apply", "-auto-approve")).toMatchObject({ status: 0 });
  for (const [, , , args] of SHOWN) await aws(sandbox.environment, ...args);
  for (const stack of ["dev", "dev-state"]) await plan(stack);
});

test("the guide lists the changes", () => {
  const documented = readFileSync(join(__dirname, "..", "..", "docs", "drift.md"), "utf8");
  const rows = [...documented.matchAll(/^\| (.+?) \| `(aws_\w+)` \|$/gm)].map(([, change, type]) => [change, type]);
  const audience = ["an audience added to the provider", "aws_iam_openid_connect_provider"];
  expect(new Set(rows.map(String))).toEqual(
    new Set([...SHOWN.map(([change, , address]) => [change, address.split(".")[0]]), audience].map(String)),
  );
});

describe("a change outside Terraform is in the next plan:", () => {
  test.each(SHOWN)("%s", (_, stack, address) => {
    expect(changed(stack)).toContain(address);
  });
});

test("the review reports granted access as drift first, and fails on it", async () => {
  writeFileSync(join(project.folder, "plan.json"), JSON.stringify(plans.get("dev")));
  const review = ["review", "dev", "--plan-json", "dev=plan.json", "--fail-on", "drift"];
  const { status, output } = await project.keyless(sandbox.environment, ...review);
  expect(status).toBe(1);
  expect(output).toMatch(/^Access was granted outside Terraform, administrator-like \(/);
  expect(output).toMatch(
    /access outside Terraform\n {4}role publisher\n {6}\+ permission granted, administrator-like: /,
  );
  expect(output.indexOf("  access outside Terraform")).toBeLessThan(output.indexOf("  access\n"));
  expect(output).toContain("- permission revoked: * on * (inline policy x)");
});

describe("the next deployment", () => {
  test("reverts every change", async () => {
    for (const stack of ["dev", "dev-state"]) {
      expect(await project.terraform(sandbox.environment, stack, "apply", "-auto-approve")).toMatchObject({
        status: 0,
      });
      await plan(stack);
      expect(changed(stack)).toEqual([]);
    }
    const attached = await aws(sandbox.environment, "iam", "list-attached-role-policies", "--role-name", "reader");
    expect(attached.AttachedPolicies.map(({ PolicyArn }: { PolicyArn: string }) => PolicyArn)).toEqual([READ_ONLY]);
    const inline = await aws(sandbox.environment, "iam", "list-role-policies", "--role-name", "reader");
    expect(inline.PolicyNames).toEqual([]);
  });

  test("does not change thumbprints, which AWS does not use for circleci.com", async () => {
    const thumbprint = ["--thumbprint-list", "a".repeat(40)];
    const provider = ["--open-id-connect-provider-arn", PROVIDER];
    await aws(sandbox.environment, "iam", "update-open-id-connect-provider-thumbprint", ...provider, ...thumbprint);
    await plan("dev");
    expect(changed("dev")).toEqual([]);
  });
});

// The local AWS cannot add an audience to a provider: it is created again with one more.
test("a change outside Terraform is in the next plan: an audience added to the provider", async () => {
  await aws(sandbox.environment, "iam", "delete-open-id-connect-provider", "--open-id-connect-provider-arn", PROVIDER);
  const audiences = ["--client-id-list", ORGANIZATION, "sts.amazonaws.com"];
  const created = [
    "create-open-id-connect-provider",
    "--url",
    `https://${ISSUER}`,
    "--thumbprint-list",
    "a".repeat(40),
  ];
  await aws(sandbox.environment, "iam", ...created, ...audiences);
  await plan("dev");
  expect(changed("dev")).toEqual(["aws_iam_openid_connect_provider.circleci"]);
});
