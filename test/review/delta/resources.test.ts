import { accessDelta } from "../../../keyless/review/delta";
import { renderRichText } from "../../../keyless/review/rich-text";
import { change, plan, policy } from "../plans";

type Attributes = { readonly [name: string]: unknown } | null;

/** The kinds of findings with their texts, of the change of one resource. */
function delta(type: string, before: Attributes, after: Attributes, more = {}): string[] {
  return accessDelta(plan([change(`${type}.x`, before, after, more)])).map(
    ({ subject, kind, administrator, what }) =>
      `${subject === `${type}.x` ? "" : `${subject}: `}${administrator ? "ADMIN " : ""}${kind}: ${renderRichText(what)}`,
  );
}

const ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess";
const READ = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const ROLE = "arn:aws:iam::123456789012:role/r";
const OTHER = "arn:aws:iam::123456789012:role/other";
const deny = policy({ Effect: "Deny", Principal: "*", Action: "s3:*", Resource: "*" });
const open = policy({ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: "*" });
const one = policy({
  Effect: "Allow",
  Principal: { AWS: "123456789012" },
  Action: "s3:GetObject",
  Resource: "*",
});

describe("grants", () => {
  test.each<[string, Attributes, Attributes, readonly string[]]>([
    [
      "aws_lambda_permission",
      null,
      { function_name: "x", principal: "*", action: "lambda:InvokeFunction", source_account: null },
      ["permission-granted: to anyone: lambda:InvokeFunction on x (its attributes)"],
    ],
    [
      "aws_lambda_permission",
      { function_name: "x", principal: "s3.amazonaws.com", action: "lambda:InvokeFunction", source_account: "1" },
      { function_name: "x", principal: "s3.amazonaws.com", action: "lambda:InvokeFunction", source_account: null },
      [
        "permission-granted: to Service s3.amazonaws.com: lambda:InvokeFunction on x (its attributes)",
        "permission-revoked: to Service s3.amazonaws.com: lambda:InvokeFunction on x if source_account 1 (its attributes)",
      ].slice(0, 1),
    ],
    [
      "aws_lambda_permission",
      { function_name: "x", principal: "*", action: "lambda:InvokeFunction" },
      null,
      ["permission-revoked: to anyone: lambda:InvokeFunction on x (its attributes)"],
    ],
    [
      "aws_lambda_layer_version_permission",
      null,
      { layer_name: "l", principal: "*", action: "lambda:GetLayerVersion", organization_id: "o-1" },
      ["permission-granted: to anyone: lambda:GetLayerVersion on l if organization_id o-1 (its attributes)"],
    ],
    [
      "aws_cloudwatch_event_permission",
      null,
      { event_bus_name: "default", principal: "*", action: "events:PutEvents", statement_id: "s" },
      ["permission-granted: to anyone: events:PutEvents on default (its attributes)"],
    ],
    [
      "aws_snapshot_create_volume_permission",
      null,
      { account_id: "210987654321", snapshot_id: "snap-1" },
      [expect.stringMatching(/^permission-granted: to AWS arn:aws:iam::210987654321:root: .* on snap-1/)],
    ],
    [
      "aws_ami_launch_permission",
      null,
      { group: "all", image_id: "ami-1" },
      [expect.stringMatching(/^permission-granted: to anyone: .* on ami-1/)],
    ],
    [
      "aws_db_snapshot",
      { db_snapshot_identifier: "d", shared_accounts: [] },
      { db_snapshot_identifier: "d", shared_accounts: ["all"] },
      [expect.stringMatching(/^permission-granted: to anyone: /)],
    ],
    [
      "aws_kms_grant",
      null,
      { grantee_principal: ROLE, key_id: "k", operations: ["Decrypt"] },
      [`permission-granted: to AWS ${ROLE}: Decrypt on k (its attributes)`],
    ],
    [
      "aws_identitystore_group_membership",
      null,
      { member_id: "m", group_id: "g", identity_store_id: "d" },
      ["permission-granted: to member_id m: g on d (its attributes)"],
    ],
    [
      "aws_lakeformation_permissions",
      null,
      { principal: ROLE, permissions: ["ALL"], permissions_with_grant_option: [] },
      [expect.stringMatching(/^permission-granted: to AWS .*: ALL on /)],
    ],
    [
      "aws_ssoadmin_managed_policy_attachment",
      null,
      { managed_policy_arn: ADMIN, permission_set_arn: "arn:aws:sso:::permissionSet/p" },
      [expect.stringMatching(/^ADMIN permission-granted: to AWS .*permissionSet\/p: .*AdministratorAccess on /)],
    ],
    ["aws_s3_bucket_acl", null, { bucket: "b", acl: "private" }, []],
    [
      "aws_s3_bucket_acl",
      { bucket: "b", acl: "private" },
      { bucket: "b", acl: "public-read" },
      ["permission-granted: to anyone: s3:ListBucket, s3:GetObject on b (its attributes)"],
    ],
    [
      "aws_s3_bucket_acl",
      { bucket: "b", acl: "public-read" },
      { bucket: "b", acl: "private" },
      ["permission-revoked: to anyone: s3:ListBucket, s3:GetObject on b (its attributes)"],
    ],
    [
      "aws_s3_bucket_acl",
      null,
      {
        bucket: "b",
        acl: null,
        access_control_policy: [
          {
            owner: [{ id: "me" }],
            grant: [
              { grantee: [{ id: "me", type: "CanonicalUser" }], permission: "FULL_CONTROL" },
              {
                grantee: [{ uri: "http://acs.amazonaws.com/groups/global/AllUsers", type: "Group" }],
                permission: "READ",
              },
            ],
          },
        ],
      },
      ["permission-granted: to anyone: s3:ListBucket, s3:GetObject on b (its attributes)"],
    ],
    [
      "aws_s3_object",
      null,
      { bucket: "b", key: "k", acl: "public-read" },
      ["permission-granted: to anyone: s3:ListBucket, s3:GetObject on b (its attributes)"],
    ],
    [
      "aws_cognito_identity_pool_roles_attachment",
      { identity_pool_id: "p", roles: { authenticated: ROLE } },
      { identity_pool_id: "p", roles: { authenticated: OTHER } },
      [expect.stringContaining("role-passed"), expect.stringContaining("role-withdrawn")],
    ],
    [
      "aws_iam_saml_provider",
      null,
      { name: "idp", saml_metadata_document: "<xml/>" },
      [expect.stringContaining("permission-granted: to saml_metadata_document <xml/>")],
    ],
    [
      "aws_s3_bucket_policy",
      { bucket: "b", policy: open },
      { bucket: "b", policy: one },
      [expect.stringContaining("permission-revoked: to anyone")],
    ],
    [
      "aws_s3_bucket_policy",
      { bucket: "b", policy: deny },
      { bucket: "b", policy: "" },
      [expect.stringContaining("permission-granted: no longer denied")],
    ],
    [
      "aws_sqs_queue",
      { name: "q", policy: deny },
      { name: "q", policy: "" },
      [expect.stringContaining("permission-granted: no longer denied")],
    ],
    [
      "aws_ecr_repository_policy",
      null,
      { repository: "r", policy: open },
      [expect.stringContaining("permission-granted: to anyone")],
    ],
    [
      "aws_vpc_endpoint",
      { policy: one },
      { policy: open },
      expect.arrayContaining([expect.stringContaining("permission-granted: to anyone")]),
    ],
    [
      "aws_ssoadmin_permission_set_inline_policy",
      null,
      { inline_policy: policy({ Effect: "Allow", Action: "*", Resource: "*" }), permission_set_arn: "p" },
      [expect.stringContaining("ADMIN permission-granted: * on *"), expect.anything()],
    ],
  ])("%s from %j to %j", (type, before, after, expected) => {
    expect(delta(type, before, after)).toEqual(expected);
  });
});

test("compute that runs as an administrator is administrator-like", () => {
  const attached = { role: "r", policy_arn: ADMIN };
  const changes = (name: string) => [
    change("aws_iam_role_policy_attachment.a", attached, attached),
    change("aws_lambda_function.f", null, { function_name: "f", role: `arn:aws:iam::123456789012:role/path/${name}` }),
  ];
  const administrators = (name: string) => accessDelta(plan(changes(name))).map(({ administrator }) => administrator);
  expect(administrators("r")).toEqual([true]);
  expect(administrators("other")).toEqual([false]);
});

describe("settings", () => {
  const block = (value: boolean) => ({ bucket: "b", block_public_acls: value, block_public_policy: true });
  test.each<[string, Attributes, Attributes, readonly string[]]>([
    ["aws_s3_bucket_public_access_block", block(true), block(false), ["exposure-widened: block_public_acls false"]],
    ["aws_s3_bucket_public_access_block", block(false), block(true), ["exposure-narrowed: block_public_acls true"]],
    [
      "aws_s3_bucket_public_access_block",
      null,
      block(true),
      expect.arrayContaining(["exposure-narrowed: block_public_acls true"]),
    ],
    ["aws_s3_bucket_public_access_block", null, block(false), ["exposure-narrowed: block_public_policy true"]],
    ["aws_s3_bucket_public_access_block", block(false), null, ["exposure-widened: block_public_policy not set"]],
    [
      "aws_lambda_function_url",
      null,
      { function_name: "f", authorization_type: "NONE" },
      [expect.stringContaining("exposure-widened: authorization_type NONE")],
    ],
    ["aws_lambda_function_url", null, { function_name: "f", authorization_type: "AWS_IAM" }, []],
    [
      "aws_db_instance",
      { identifier: "d", publicly_accessible: false },
      { identifier: "d", publicly_accessible: true },
      ["exposure-widened: publicly_accessible true"],
    ],
    [
      "aws_db_instance",
      { identifier: "d", publicly_accessible: true },
      null,
      ["exposure-narrowed: publicly_accessible not set"],
    ],
    [
      "aws_lambda_function",
      { function_name: "f", role: ROLE },
      { function_name: "f", role: OTHER },
      [`role-passed: role ${OTHER}`, `role-withdrawn: role ${ROLE}`],
    ],
    [
      "aws_lambda_function",
      { function_name: "f", role: ROLE, memory_size: 1 },
      { function_name: "f", role: ROLE, memory_size: 2 },
      [],
    ],
    ["aws_instance", null, { iam_instance_profile: "p", tags: null }, ["role-passed: iam_instance_profile p"]],
    [
      "aws_iam_instance_profile",
      { name: "p", role: "a" },
      { name: "p", role: "b" },
      ["role-passed: role b", "role-withdrawn: role a"],
    ],
    [
      "aws_iam_role",
      { name: "r", assume_role_policy: deny, max_session_duration: 3600 },
      { name: "r", assume_role_policy: deny, max_session_duration: 43200 },
      ["role r: session-lengthened: maximum session duration 3600 → 43200"],
    ],
    [
      "aws_ssoadmin_permission_set",
      { name: "p", session_duration: "PT8H" },
      { name: "p", session_duration: "PT90M" },
      ["session-shortened: maximum session duration PT8H → PT90M"],
    ],
    ["aws_ssoadmin_permission_set", { name: "p", session_duration: null }, { name: "p", session_duration: "PT1H" }, []],
    ["aws_iam_access_key", null, { user: "u" }, ["credential-issued: aws_iam_access_key of u"]],
    [
      "aws_iam_access_key",
      { user: "u", status: "Active" },
      { user: "u", status: "Inactive" },
      ["credential-revoked: aws_iam_access_key of u"],
    ],
    [
      "aws_iam_access_key",
      { user: "u", status: "Inactive" },
      { user: "u", status: "Active" },
      ["credential-issued: aws_iam_access_key of u"],
    ],
    ["aws_iam_access_key", { user: "u", status: "Inactive" }, null, []],
    ["aws_iam_user", { name: "u", tags: {} }, { name: "u", tags: { a: "b" } }, []],
    ["aws_iam_user", null, { name: "u" }, []],
    ["aws_s3_object", null, { bucket: "b", key: "k" }, []],
    ["aws_security_group", null, { name: "s" }, []],
  ])("%s from %j to %j", (type, before, after, expected) => {
    expect(delta(type, before, after)).toEqual(expected);
  });
});

describe("guardrails", () => {
  const scp = (content: string, type = "SERVICE_CONTROL_POLICY") => ({ id: "p-1", name: "p", content, type });
  const noS3 = policy({ Effect: "Deny", Action: "s3:*", Resource: "*" });
  const target = { policy_id: "p-1", target_id: "ou-1" };
  test.each<[string, Attributes, Attributes, readonly string[]]>([
    [
      "aws_organizations_policy",
      scp(noS3),
      scp(policy({ Effect: "Deny", Action: "s3:Put*", Resource: "*" })),
      expect.arrayContaining([expect.stringContaining("permission-granted: no longer denied: s3:*")]),
    ],
    ["aws_organizations_policy", scp(noS3), null, [expect.stringContaining("guardrail-removed")]],
    ["aws_organizations_policy", scp("{}", "TAG_POLICY"), null, []],
    ["aws_organizations_policy_attachment", target, null, [expect.stringContaining("guardrail-removed")]],
    [
      "aws_ssoadmin_permissions_boundary_attachment",
      { permission_set_arn: "p", permissions_boundary: [{ managed_policy_arn: READ }] },
      null,
      [expect.stringContaining("guardrail-removed")],
    ],
    [
      "aws_ssoadmin_permissions_boundary_attachment",
      null,
      { permission_set_arn: "p", permissions_boundary: [{ managed_policy_arn: READ }] },
      [expect.stringContaining("guardrail-set")],
    ],
    [
      "aws_organizations_organization",
      { enabled_policy_types: ["SERVICE_CONTROL_POLICY"] },
      { enabled_policy_types: [] },
      [expect.stringContaining("guardrail-removed")],
    ],
  ])("%s from %j to %j", (type, before, after, expected) => {
    expect(delta(type, before, after)).toEqual(expected);
  });
});

describe("what is not assessed", () => {
  test.each<[string, object, readonly string[]]>([
    [
      "awscc_s3_bucket_policy",
      { provider_name: "registry.terraform.io/hashicorp/awscc" },
      [
        "not-assessed: create of awscc_s3_bucket_policy: this review does not know provider registry.terraform.io/hashicorp/awscc",
      ],
    ],
    [
      "google_project_iam_member",
      { provider_name: "registry.terraform.io/hashicorp/google" },
      [expect.stringContaining("not-assessed")],
    ],
    [
      "aws_from_a_later_version",
      {},
      ["not-assessed: create of aws_from_a_later_version: this review does not know the type"],
    ],
    [
      "aws_cloudformation_stack",
      {},
      [expect.stringContaining("not-assessed: create of aws_cloudformation_stack: it creates resources")],
    ],
    [
      "random_id",
      { provider_name: "registry.terraform.io/hashicorp/random" },
      ["not-assessed: create of random_id: not a resource of AWS"],
    ],
  ])("%s with %j", (type, more, expected) => {
    expect(delta(type, null, { name: "x" }, more)).toEqual(expected);
  });
});

describe("policies of AWS Organizations", () => {
  const content = (...statements: readonly unknown[]) => policy(...statements);
  const denies = content({ Effect: "Deny", Action: "s3:*", Resource: "*" });
  const allows = content({ Effect: "Allow", Action: "*", Resource: "*" });
  const scp = (text: string, type = "SERVICE_CONTROL_POLICY") => {
    const attributes = { id: "p-1", name: "p", content: text, type };
    return change("aws_organizations_policy.p", attributes, attributes);
  };
  const attach = (id = "p-1") =>
    change("aws_organizations_policy_attachment.a", null, { policy_id: id, target_id: "ou-1" });
  const detach = (id = "p-1") =>
    change("aws_organizations_policy_attachment.a", { policy_id: id, target_id: "ou-1" }, null);
  const kinds = (...changes: readonly unknown[]) => accessDelta(plan(changes)).map(({ kind }) => kind);

  test.each([
    ["attaching a Deny", [scp(denies), attach()], ["guardrail-set"]],
    ["detaching a Deny", [scp(denies), detach()], ["guardrail-removed"]],
    ["attaching an Allow", [scp(allows), attach()], ["not-assessed"]],
    ["detaching an Allow", [scp(allows), detach()], ["permission-revoked"]],
    ["attaching a resource control policy", [scp(denies, "RESOURCE_CONTROL_POLICY"), attach()], ["guardrail-set"]],
    ["attaching a tag policy", [scp("{}", "TAG_POLICY"), attach()], []],
    ["detaching a tag policy", [scp("{}", "TAG_POLICY"), detach()], []],
    ["attaching an unknown policy", [attach("p-2")], ["not-assessed"]],
    ["detaching an unknown policy", [detach("p-2")], ["guardrail-removed"]],
    ["attaching FullAWSAccess", [attach("p-FullAWSAccess")], ["permission-granted"]],
    ["detaching FullAWSAccess", [detach("p-FullAWSAccess")], ["permission-revoked"]],
  ])("%s", (_name, changes, expected) => {
    expect(kinds(...changes)).toEqual(expected);
  });
});

describe("a resource that is destroyed with its policy and settings", () => {
  const bucket = change("aws_s3_bucket.b", { id: "b", bucket: "b", arn: "arn:aws:s3:::b" }, null);
  const block = { id: "b", bucket: "b", block_public_acls: true, block_public_policy: true };
  const parts = [
    change("aws_s3_bucket_policy.b", { id: "b", bucket: "b", policy: deny }, null),
    change("aws_s3_bucket_public_access_block.b", block, null),
  ];
  const effects = (...changes: readonly unknown[]) => accessDelta(plan(changes)).map(({ effect }) => effect);

  test("leaves nothing that could be accessed", () => {
    expect(effects(bucket, ...parts)).toEqual([]);
  });

  test("is another case than its policy and settings alone, or with another resource", () => {
    expect(effects(...parts)).toEqual(["gain", "gain", "gain"]);
    const other = change("aws_s3_bucket.o", { id: "o", bucket: "o" }, null);
    const sameName = change("aws_sqs_queue.b", { id: "b", name: "b" }, null);
    expect(effects(other, sameName, ...parts)).toEqual(["gain", "gain", "gain"]);
  });
});

describe("where everyone has access without a setting, removing it grants access", () => {
  test.each([
    ["aws_api_gateway_rest_api", { name: "a", policy: one }, { name: "a", policy: "" }],
    ["aws_api_gateway_rest_api_policy", { rest_api_id: "a", policy: one }, null],
    ["aws_vpc_endpoint_policy", { vpc_endpoint_id: "v", policy: one }, null],
    [
      "aws_cloudfront_distribution",
      { default_cache_behavior: [{ trusted_signers: ["self"] }] },
      { default_cache_behavior: [{ trusted_signers: [] }] },
    ],
  ])("%s", (type, before, after) => {
    expect(delta(type, before, after)).toContainEqual(expect.stringMatching(/guardrail-removed|not-assessed/));
  });
});

describe("a setting of several blocks", () => {
  const rules = (...owners: (string | null)[]) => ({ rule: owners.map((object_ownership) => ({ object_ownership })) });
  const kinds = (before: Attributes, after: Attributes, more = {}) =>
    delta("aws_s3_bucket_ownership_controls", before, after, more).map((each) => each.split(":")[0]);

  test.each([
    [rules("BucketOwnerEnforced", "ObjectWriter"), rules("ObjectWriter", "ObjectWriter"), ["exposure-widened"]],
    [rules("BucketOwnerEnforced"), rules("BucketOwnerEnforced", null), ["exposure-widened"]],
    [rules("ObjectWriter", "ObjectWriter"), rules("BucketOwnerEnforced", "ObjectWriter"), ["exposure-narrowed"]],
    [rules("BucketOwnerEnforced", "ObjectWriter"), rules("ObjectWriter", "BucketOwnerEnforced"), ["not-assessed"]],
    [rules("ObjectWriter"), rules(null), []],
    [rules("BucketOwnerEnforced"), rules("BucketOwnerEnforced"), []],
  ])("from %j to %j: %j", (before, after, expected) => {
    expect(kinds(before, after)).toEqual(expected);
  });

  test("a change of a sensitive setting is not assessed", () => {
    const mark = { publicly_accessible: true };
    const sides = [
      { identifier: "d", publicly_accessible: false },
      { identifier: "d", publicly_accessible: true },
    ] as const;
    const found = delta("aws_db_instance", ...sides, { before_sensitive: mark, after_sensitive: mark });
    expect(found).toEqual([expect.stringContaining("not-assessed: its publicly_accessible changes")]);
  });
});

describe("compute that is created from a resource with a role", () => {
  const family = "arn:aws:ecs:us-east-1:123456789012:task-definition/web";
  const definition = (more: object) => ({ family: "web", task_role_arn: ROLE, ...more });
  const references = (attribute: string, address: string) => ({
    configuration: {
      root_module: {
        resources: [{ address: "aws_ecs_service.x", expressions: { [attribute]: { references: [address] } } }],
      },
    },
  });
  const found = (changes: readonly unknown[], more = {}) =>
    accessDelta(plan(changes, more))
      .filter(({ subject }) => subject === "aws_ecs_service.x")
      .map(({ kind, what }) => `${kind}: ${renderRichText(what)}`);
  const service = (before: Attributes, after: Attributes, more = {}) =>
    change("aws_ecs_service.x", before, after, more);

  test("has no other role with another version of its task definition", () => {
    const at = (version: number) => ({ name: "x", task_definition: `${family}:${version}` });
    expect(found([service(at(1), at(2))])).toEqual([]);
    const unknown = service(at(1), { name: "x" }, { after_unknown: { task_definition: true } });
    const next = change("aws_ecs_task_definition.web", definition({}), definition({ cpu: "512" }));
    expect(found([unknown, next], references("task_definition", "aws_ecs_task_definition.web"))).toEqual([]);
  });

  test("has the role of another task definition of the plan", () => {
    const other = service(
      { name: "x", task_definition: `${family}2:1` },
      { name: "x", task_definition: `${family}:1` },
    );
    const web = (more: object) => [other, change("aws_ecs_task_definition.web", definition(more), definition(more))];
    const reference = references("task_definition", "aws_ecs_task_definition.web");
    expect(found(web({}), reference)).toEqual(["role-passed: the role of task_definition aws_ecs_task_definition.web"]);
    expect(found(web({ task_role_arn: null }), reference)).toEqual([]);
  });

  test.each([
    ["aws_ecs_service", "task_definition", `${family}:1`],
    ["aws_ecs_task_set", "task_definition", `${family}:1`],
    ["aws_autoscaling_group", "launch_configuration", "web-1"],
    ["aws_autoscaling_group", "launch_template.id", [{ id: "lt-1" }]],
    ["aws_instance", "launch_template.name", [{ name: "web" }]],
  ])("is not assessed if the plan does not contain it: %s.%s", (type, path, value) => {
    const after = { name: "x", [path.split(".")[0] ?? ""]: value };
    expect(delta(type, null, after)).toEqual([
      expect.stringMatching(/^not-assessed: the role of its .* is not in the/),
    ]);
    expect(delta(type, after, { ...after, desired_capacity: 2 })).toEqual([]);
  });
});

describe("a delivery of data", () => {
  const topic = "arn:aws:sns:us-east-1:123456789012:t";
  const queue = (account: string) => `arn:aws:sqs:us-east-1:${account}:q`;
  const subscription = (endpoint: string) => ({ topic_arn: topic, protocol: "sqs", endpoint });

  test.each([
    ["the account of the topic", subscription(queue("123456789012")), []],
    ["another account", subscription(queue("210987654321")), ["exposure-widened: endpoint arn:aws:sqs:us-east-1:2109"]],
    ["a URL", subscription("https://collect.example.com"), ["exposure-widened: endpoint https://collect.example.com"]],
    ["an address", subscription("ops@example.com"), []],
  ])("to %s", (_name, after, expected) => {
    expect(delta("aws_sns_topic_subscription", null, after)).toEqual(
      expected.map((each) => expect.stringContaining(each)),
    );
    expect(delta("aws_sns_topic_subscription", after, { ...after, raw_message_delivery: true })).toEqual([]);
  });

  test("is not assessed if the own account is not in the plan", () => {
    const target = change("aws_cloudwatch_event_target.x", null, { rule: "r", arn: queue("210987654321") });
    const topicOf = (account: string) => {
      const attributes = { name: "t", arn: `arn:aws:sns:us-east-1:${account}:t` };
      return change("aws_sns_topic.t", attributes, attributes);
    };
    const kinds = (...changes: unknown[]) => accessDelta(plan(changes)).map(({ kind }) => kind);
    expect(kinds(target)).toEqual(["not-assessed"]);
    expect(kinds(target, topicOf("123456789012"))).toEqual(["exposure-widened"]);
    expect(kinds(target, topicOf("210987654321"))).toEqual([]);
  });
});

describe("an attribute that the configuration does not show", () => {
  const configured = (expressions: object) => ({
    configuration: { root_module: { resources: [{ address: "aws_x.x", expressions }] } },
  });
  const found = (
    type: string,
    [before, after]: readonly [Attributes, Attributes],
    unknown: object,
    expressions = {},
  ) => {
    const { configuration } = configured(expressions);
    const [resource] = configuration.root_module.resources;
    const root_module = { resources: [{ ...resource, address: `${type}.x` }] };
    const changes = [change(`${type}.x`, before, after, { after_unknown: unknown })];
    return accessDelta(plan(changes, { configuration: { root_module } })).map(({ kind }) => kind);
  };

  test("is set by a dynamic block if the provider does not compute it", () => {
    const rule = { destination: [{ bucket: "arn:aws:s3:::b" }] };
    const unknown = { rule: [{ destination: [{ account: true }] }] };
    const replication = [null, { role: ROLE, rule: [rule] }] as const;
    expect(found("aws_s3_bucket_replication_configuration", replication, unknown, { rule: [{}] })).toContain(
      "permission-granted",
    );
  });

  test("is set by a dynamic block if a role has no inline policies and gets unknown ones", () => {
    const role = { name: "r", assume_role_policy: one, inline_policy: [], managed_policy_arns: [] };
    const { inline_policy: _, ...after } = role;
    expect(found("aws_iam_role", [role, after], { inline_policy: true })).toEqual(["not-assessed"]);
    expect(found("aws_iam_role", [role, { ...role, description: "x" }], {})).toEqual([]);
  });

  test("is computed if the resource is created", () => {
    expect(found("aws_s3_bucket", [null, { bucket: "b" }], { grant: true, acl: true, policy: true })).toEqual([]);
  });
});

describe("what is granted without a principal in the attributes", () => {
  test.each<[string, Attributes, Attributes]>([
    ["aws_transfer_user", { user_name: "u", home_directory: "/b/u" }, { user_name: "u", home_directory: "/" }],
    ["aws_quicksight_user", { user_name: "u", user_role: "READER" }, { user_name: "u", user_role: "ADMIN" }],
    ["aws_elasticache_replication_group", { user_group_ids: ["g"] }, { user_group_ids: [] }],
    ["aws_cognito_user_pool_client", { callback_urls: ["https://a"] }, { callback_urls: ["https://a", "https://b"] }],
    ["aws_cognito_user_pool", { lambda_config: [{ pre_sign_up: "a" }] }, { lambda_config: [{ pre_sign_up: "b" }] }],
  ])("is not assessed: %s", (type, before, after) => {
    expect(delta(type, before, after)).toEqual([expect.stringMatching(/^not-assessed: /)]);
    expect(delta(type, before, { ...before, tags: {} })).toEqual([]);
  });

  test("is public without fine-grained access control", () => {
    const domain = (enabled: boolean) => ({ domain_name: "d", advanced_security_options: [{ enabled }] });
    expect(delta("aws_opensearch_domain", domain(true), domain(false))).toEqual([
      "exposure-widened: advanced_security_options.enabled false",
    ]);
    expect(delta("aws_opensearch_domain", domain(false), domain(true))).toEqual([
      "exposure-narrowed: advanced_security_options.enabled true",
    ]);
  });
});
