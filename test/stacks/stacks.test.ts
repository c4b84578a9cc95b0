import { defineConfig } from "../../keyless/config/define";
import type { ConfigInput } from "../../keyless/config/input";
import { attachmentKey } from "../../stacks/role";
import { escapeTemplates } from "../../stacks/settings";
import { account, having, organization, project, valid } from "../config/configuration";
import { blocks, synthesize } from "./synthesis";

const role = "environments.dev.roles.reader";
const issuer = `oidc.circleci.com/org/${organization}`;
const keyArn = `arn:aws:kms:us-east-1:${account}:key/11111111-2222-3333-4444-555555555555`;

function dev(...changes: Parameters<typeof having>[0][]) {
  const stack = synthesize(having(...changes)).dev;
  if (stack === undefined) throw new Error("there is no stack dev");
  return { ...stack, blocks: blocks(stack) };
}

function backend(...changes: Parameters<typeof having>[0][]) {
  return blocks(synthesize(having(...changes))["dev-state"]);
}

describe("every stack", () => {
  const stacks = Object.entries(synthesize(valid));

  test.each(stacks)("%s is limited to its account, and has the default tags", (_, { provider }) => {
    expect(provider.aws).toEqual([
      { region: "us-east-1", allowed_account_ids: [account], default_tags: [{ tags: { ManagedBy: "cdktf" } }] },
    ]);
  });

  test.each(stacks)("%s constrains the version of Terraform", (_, { terraform }) => {
    expect(terraform.required_version).toBe(">= 1.11.0, != 1.15.0, != 1.15.1, < 2.0.0");
  });

  test.each(stacks)("%s has its own state key", (name, { terraform }) => {
    expect(terraform.backend.s3).toEqual({
      allowed_account_ids: [account],
      bucket: "acme-tfstate",
      dynamodb_table: "acme-lock",
      encrypt: true,
      key: `${name}/terraform.tfstate`,
      region: "us-east-1",
    });
  });
});

describe("the S3 backend", () => {
  const { bucket, lockTable } = valid.environments.dev?.state ?? {};
  test.each([
    ["with a DynamoDB lock has the table", { lock: "dynamodb" }, { dynamodb_table: lockTable }],
    ["with a lock file has no table", { lock: "lockfile" }, { use_lockfile: true }],
    ["with both locks has both", { lock: "both" }, { dynamodb_table: lockTable, use_lockfile: true }],
    ["has the configured KMS key", { kmsKeyArn: keyArn }, { dynamodb_table: lockTable, kms_key_id: keyArn }],
    ["has its own region", { region: "eu-west-1" }, { dynamodb_table: lockTable, region: "eu-west-1" }],
    ["has a key prefix", { keyPrefix: "a/b/" }, { dynamodb_table: lockTable, key: "a/b/dev/terraform.tfstate" }],
  ])("%s", (_, state, expected) => {
    const made = dev(["environments.dev.state", { bucket, lockTable, ...state }]).terraform.backend.s3;
    const always = { allowed_account_ids: [account], bucket, encrypt: true };
    expect(made).toEqual({ ...always, key: "dev/terraform.tfstate", region: "us-east-1", ...expected });
  });
});

describe("the provider for CircleCI", () => {
  const provider = "aws_iam_openid_connect_provider.circleci";

  test("has the issuer of CircleCI, the organization as its audience, and no thumbprint", () => {
    expect(dev().blocks[provider]).toMatchObject({ url: `https://${issuer}`, client_id_list: [organization] });
    expect(dev().blocks[provider]).not.toHaveProperty("thumbprint_list");
  });

  test("has the configured audiences and thumbprints", () => {
    const made = dev(["circleci.audiences", ["a", "b"]], ["circleci.thumbprints", ["A".repeat(40)]]);
    expect(made.blocks[provider]).toMatchObject({ client_id_list: ["a", "b"], thumbprint_list: ["a".repeat(40)] });
  });

  test("has the issuer of a CircleCI server, as do the condition keys of trust policies", () => {
    const made = dev(["circleci.server", "circleci.example.com"]);
    expect(made.blocks[provider]).toMatchObject({ url: `https://circleci.example.com/org/${organization}` });
    expect(JSON.stringify(made.blocks["data.aws_iam_policy_document.reader"])).toContain(
      `"variable":"circleci.example.com/org/${organization}:sub"`,
    );
  });

  test("that exists is read instead of created, and must have every audience", () => {
    const made = dev(["environments.dev.oidcProvider", "existing"], ["circleci.audiences", ['a"b', "c"]]);
    expect(made.blocks).not.toHaveProperty([provider]);
    expect(made.blocks[`data.${provider}`]).toMatchObject({
      arn: `arn:aws:iam::${account}:oidc-provider/${issuer}`,
      lifecycle: { postcondition: [{ condition: '${length(setsubtract(["a\\"b","c"], self.client_id_list)) == 0}' }] },
    });
    expect(made.output?.oidc_provider_arn?.value).toBe(`\${data.${provider}.arn}`);
  });

  test.each([
    ["cn-north-1", "aws-cn"],
    ["us-gov-west-1", "aws-us-gov"],
  ])("in %s is of partition %s", (region, partition) => {
    const made = dev(
      ["environments.dev.region", region],
      ["environments.dev.oidcProvider", "existing"],
      [`${role}.managedPolicyArns`, [`arn:${partition}:iam::aws:policy/AmazonS3ReadOnlyAccess`]],
    );
    expect(made.blocks[`data.${provider}`]?.arn).toBe(`arn:${partition}:iam::${account}:oidc-provider/${issuer}`);
    expect(made.provider.aws[0]).toMatchObject({ region });
  });
});

describe("a role", () => {
  test("with only trust and a policy has the arguments of the documented module and no others", () => {
    const { "//": _, ...made } = dev().blocks["aws_iam_role.reader"] ?? {};
    expect(made).toEqual({
      name: "reader",
      assume_role_policy: "${data.aws_iam_policy_document.reader.json}",
      tags: { ManagedBy: "cdktf" },
      depends_on: ["aws_iam_openid_connect_provider.circleci"],
    });
  });

  test("has every configured option", () => {
    const boundary = `arn:aws:iam::${account}:policy/bounds`;
    const made = dev(
      [`${role}.path`, "/ci/"],
      [`${role}.permissionsBoundaryArn`, boundary],
      [`${role}.maxSessionSeconds`, 7200],
      [`${role}.tags`, { Team: "web" }],
      [`${role}.description`, 'costs ${price}, %{if} "free"'],
    );
    expect(made.blocks["aws_iam_role.reader"]).toMatchObject({
      path: "/ci/",
      permissions_boundary: boundary,
      max_session_duration: 7200,
      tags: { ManagedBy: "cdktf", Team: "web" },
      description: 'costs $${price}, %%{if} "free"',
    });
  });

  test("has a cleaned name in Terraform, and its unchanged name in AWS", () => {
    const made = dev(["environments.dev.roles", { "0a+=,.@-_b": { trust: [{ project, refs: "any" }] } }]);
    expect(made.blocks["aws_iam_role._0a-_b"]).toMatchObject({ name: "0a+=,.@-_b" });
    expect(made.output?.role_arns?.value).toEqual({ "0a+=,.@-_b": "${aws_iam_role._0a-_b.arn}" });
  });

  test("has a trust policy of the data source: StringEquals for the audience, StringLike for the subjects", () => {
    const { statement } =
      dev([`${role}.trust.0.branches`, ["main", "a"]]).blocks["data.aws_iam_policy_document.reader"] ?? {};
    const subject = `org/${organization}/project/${project}/user/????????-????-????-????-????????????/vcs-origin/github.com/acme/site/vcs-ref/refs/heads`;
    expect(statement).toEqual([
      {
        actions: ["sts:AssumeRoleWithWebIdentity"],
        principals: [{ type: "Federated", identifiers: [`arn:aws:iam::${account}:oidc-provider/${issuer}`] }],
        condition: [
          { test: "StringEquals", variable: `${issuer}:aud`, values: [organization] },
          { test: "StringLike", variable: `${issuer}:sub`, values: [`${subject}/a`, `${subject}/main`] },
        ],
      },
    ]);
  });

  test("keeps the policy variables of its inline policies, escaped for Terraform", () => {
    const home = { Statement: { Effect: "Allow", Action: "s3:*", Resource: "arn:aws:s3:::home/${aws:username}/*" } };
    const made = dev([`${role}.inlinePolicies`, { home }]).blocks["aws_iam_role_policy.reader"];
    expect(made).toMatchObject({
      for_each: { home: expect.stringContaining("home/$${aws:username}/*") },
      role: "${aws_iam_role.reader.name}",
    });
  });

  test("has its managed policies keyed by ARN, not by position", () => {
    const arns = [
      "arn:aws:iam::aws:policy/service-role/Same",
      "arn:aws:iam::aws:policy/Same",
      `arn:aws:iam::${account}:policy/Same`,
      `arn:aws:iam::${account}:policy/team/Same`,
    ];
    expect(dev([`${role}.managedPolicyArns`, arns]).blocks["aws_iam_role_policy_attachment.reader"]).toMatchObject({
      for_each: {
        "service-role/Same": arns[0],
        Same: arns[1],
        [`${account}:Same`]: arns[2],
        [`${account}:team/Same`]: arns[3],
      },
      policy_arn: "${each.value}",
    });
    expect(new Set(arns.map(attachmentKey)).size).toBe(4);
  });
});

describe("the permissions boundary of an environment", () => {
  const trust = [{ project, refs: "any" }];
  const document = {
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Action: "s3:*", Resource: "arn:aws:s3:::${aws:username}" },
  };
  const { blocks } = dev(
    ["environments.dev.permissionsBoundary", document],
    ["environments.dev.roles", { limited: { trust }, free: { trust, deployedBy: "administrator" } }],
  );

  test("is one policy, with its policy variables escaped for Terraform, which is deleted after the roles are changed", () => {
    expect(blocks["aws_iam_policy.boundary"]).toMatchObject({
      name: "circleci-boundary-dev",
      policy: JSON.stringify(document).replace("${", () => "$${"),
      lifecycle: { create_before_destroy: true },
    });
  });

  test("is referred to by its ARN, so that a plan shows the boundary of a role before the policy exists", () => {
    expect(blocks["aws_iam_role.limited"]).toMatchObject({
      permissions_boundary: `arn:aws:iam::${account}:policy/circleci-boundary-dev`,
      depends_on: ["aws_iam_openid_connect_provider.circleci", "aws_iam_policy.boundary"],
    });
  });

  test("is not the boundary of a role that an administrator deploys", () => {
    expect(blocks["aws_iam_role.free"]).not.toHaveProperty("permissions_boundary");
    expect(blocks["aws_iam_role.free"]).toMatchObject({ depends_on: ["aws_iam_openid_connect_provider.circleci"] });
  });
});

describe("the state backend", () => {
  test("has a bucket that cannot be destroyed or read publicly or without TLS, and that keeps old versions for 90 days", () => {
    const made = backend();
    expect(made["aws_s3_bucket.state"]).toMatchObject({ bucket: "acme-tfstate", lifecycle: { prevent_destroy: true } });
    expect(made["aws_s3_bucket_versioning.versioning"]).toMatchObject({
      versioning_configuration: { status: "Enabled" },
    });
    expect(made["aws_s3_bucket_ownership_controls.ownership"]).toMatchObject({
      rule: { object_ownership: "BucketOwnerEnforced" },
    });
    expect(made["aws_s3_bucket_public_access_block.public_access"]).toMatchObject({
      block_public_acls: true,
      block_public_policy: true,
      ignore_public_acls: true,
      restrict_public_buckets: true,
    });
    expect(JSON.stringify(made["aws_s3_bucket_policy.tls_only"])).toContain("aws:SecureTransport");
    expect(JSON.stringify(made["aws_s3_bucket_lifecycle_configuration.old_versions"])).toContain(
      '"noncurrent_days":90',
    );
    expect(JSON.stringify(made["aws_s3_bucket_server_side_encryption_configuration.encryption"])).toContain("AES256");
  });

  test("has a table that cannot be destroyed, with on-demand billing, encryption and point-in-time recovery", () => {
    expect(backend()["aws_dynamodb_table.lock"]).toMatchObject({
      name: "acme-lock",
      hash_key: "LockID",
      billing_mode: "PAY_PER_REQUEST",
      deletion_protection_enabled: true,
      point_in_time_recovery: { enabled: true },
      server_side_encryption: { enabled: true },
      lifecycle: { prevent_destroy: true },
    });
  });

  test("encrypts bucket and table with the configured KMS key", () => {
    const made = backend(["environments.dev.state.kmsKeyArn", keyArn]);
    expect(made["aws_dynamodb_table.lock"]).toMatchObject({ server_side_encryption: { kms_key_arn: keyArn } });
    expect(JSON.stringify(made["aws_s3_bucket_server_side_encryption_configuration.encryption"])).toContain(keyArn);
  });

  test("has no table if it uses a lock file, and no lifecycle rule if old versions are kept forever", () => {
    const made = backend(
      ["environments.dev.state.lock", "lockfile"],
      ["environments.dev.state.keepOldVersionsDays", "forever"],
    );
    expect(Object.keys(made)).not.toContain("aws_dynamodb_table.lock");
    expect(Object.keys(made)).not.toContain("aws_s3_bucket_lifecycle_configuration.old_versions");
  });

  test("uses its partition in the bucket policy", () => {
    const changes = [
      ["environments.dev.region", "cn-north-1"],
      [`${role}.managedPolicyArns`, []],
    ] as const;
    expect(JSON.stringify(backend(...changes)["aws_s3_bucket_policy.tls_only"])).toContain(
      "arn:aws-cn:s3:::acme-tfstate/*",
    );
  });
});

test("synthesis is deterministic", () => {
  const config = defineConfig(valid as ConfigInput);
  expect(synthesize(config)).toEqual(synthesize(config));
});

test.each([
  ["a ${x}", "a $${x}"],
  ["%{if}", "%%{if}"],
  ["$ { % }", "$ { % }"],
  ["{{ }}", "{{ }}"],
])("the text %s is written as %s for Terraform", (text, escaped) => {
  expect(escapeTemplates(text)).toBe(escaped);
});
