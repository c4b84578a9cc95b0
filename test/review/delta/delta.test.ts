import fc from "fast-check";
import type { Plan } from "../../../keyless/plan/schema";
import { accessDelta, changedRoles, driftDelta } from "../../../keyless/review/delta";
import { renderRichText } from "../../../keyless/review/rich-text";
import { ANY, change, ISSUER, ORG, onBranch, PROJECT, plan, policy, role, statement } from "../plans";

const WHERE = `project ${PROJECT} (organization ${ORG})`;
const ALL = `every branch, tag and trigger of ${WHERE}`;
const S3 = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
const ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess";
const LOGS = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";

function delta(of: Plan): string[] {
  return accessDelta(of).map(
    ({ subject, kind, administrator, what }) =>
      `${subject}: ${administrator ? "ADMIN " : ""}${kind}: ${renderRichText(what)}`,
  );
}

const attachment = (name: string, arn: string) => ({ role: name, policy_arn: arn });

describe("roles", () => {
  test("creating a role with an attachment trusts a subject and grants a permission", () => {
    const changes = [
      change("aws_iam_role.r", null, role("deploy", policy(statement(ANY)))),
      change('aws_iam_role_policy_attachment.a["0"]', null, attachment("deploy", S3)),
    ];
    expect(delta(plan(changes))).toEqual([
      `role deploy: newly-trusted: ${ALL}`,
      `role deploy: permission-granted: managed policy ${S3}`,
    ]);
  });

  test("replacing a role under the same name changes no access", () => {
    const of = (path: string) => role("deploy", policy(statement(ANY)), { path });
    const actions = ["delete", "create"];
    const changes = [
      change("aws_iam_role.r", { ...of("/"), managed_policy_arns: [S3] }, of("/ci/"), {
        actions,
        after_unknown: { managed_policy_arns: true, inline_policy: true },
      }),
      change("aws_iam_role_policy_attachment.a", attachment("deploy", S3), attachment("deploy", S3), { actions }),
    ];
    expect(delta(plan(changes))).toEqual([]);
  });

  test("replacing a role under another name revokes the access of one role and grants it to the other", () => {
    const changes = [
      change("aws_iam_role.r", role("old", policy(statement(ANY))), role("new", policy(statement(ANY))), {
        actions: ["create", "delete"],
      }),
    ];
    expect(delta(plan(changes))).toEqual([`role old: no-longer-trusted: ${ALL}`, `role new: newly-trusted: ${ALL}`]);
  });

  test("destroying a role with a Deny grants nothing", () => {
    const deny = policy({ Effect: "Deny", Action: "*", Resource: "*" });
    const changes = [
      change("aws_iam_role.r", role("deploy", policy(statement(ANY))), null),
      change("aws_iam_role_policy.p", { role: "deploy", name: "no", policy: deny }, null),
    ];
    expect(delta(plan(changes))).toEqual([`role deploy: no-longer-trusted: ${ALL}`]);
  });

  test("moving, forgetting or importing an unchanged role changes no access", () => {
    const same = role("deploy", policy(statement(ANY)));
    expect(delta(plan([change("aws_iam_role.b", same, same, { previous_address: "aws_iam_role.a" })]))).toEqual([]);
    expect(delta(plan([change("aws_iam_role.a", same, null, { actions: ["forget"] })]))).toEqual([]);
    expect(delta(plan([change("aws_iam_role.a", same, same, { importing: { id: "deploy" } })]))).toEqual([]);
  });

  test("changing the address of an attachment changes no access", () => {
    const changes = [
      change("aws_iam_role_policy_attachment.a[0]", attachment("deploy", S3), null),
      change('aws_iam_role_policy_attachment.b["s3"]', null, attachment("deploy", S3)),
    ];
    expect(delta(plan(changes))).toEqual([]);
  });

  describe("exclusive lists of policies", () => {
    const everything = policy({ Effect: "Allow", Action: "*", Resource: "*" });
    const ownPolicy = policy({ Effect: "Allow", Action: "s3:*", Resource: "*" });
    const deployed = role("deploy", policy(statement(ANY)), {
      managed_policy_arns: [S3, ADMIN],
      inline_policy: [
        { name: "own", policy: ownPolicy },
        { name: "by-hand", policy: everything },
      ],
    });
    const own = { role: "deploy", name: "own", policy: ownPolicy };
    const unchanged = [
      change("aws_iam_role.r", deployed, deployed),
      change("aws_iam_role_policy.p", own, own),
      change("aws_iam_role_policy_attachment.a", attachment("deploy", S3), attachment("deploy", S3)),
    ];
    const managed = (...policy_arns: string[]) => ({ role_name: "deploy", policy_arns });
    const inline = (...policy_names: string[]) => ({ role_name: "deploy", policy_names });
    const revoked = [
      `role deploy: permission-revoked: managed policy ${ADMIN}`,
      "role deploy: permission-revoked: * on * (inline policy by-hand)",
    ];

    test("revoke the policies that they no longer contain", () => {
      const changes = [
        change("aws_iam_role_policy_attachments_exclusive.m", managed(S3, ADMIN), managed(S3)),
        change("aws_iam_role_policies_exclusive.i", inline("own", "by-hand"), inline("own")),
      ];
      expect(delta(plan([...unchanged, ...changes]))).toEqual(revoked);
    });

    test("revoke the other policies of the role when they are created", () => {
      const changes = [
        change("aws_iam_role_policy_attachments_exclusive.m", null, managed(S3)),
        change("aws_iam_role_policies_exclusive.i", null, inline("own")),
      ];
      expect(delta(plan([...unchanged, ...changes]))).toEqual(revoked);
    });

    test("change nothing when they contain what the role has, or when they are destroyed", () => {
      const changes = [
        change("aws_iam_role_policy_attachments_exclusive.m", null, managed(ADMIN, S3)),
        change("aws_iam_role_policies_exclusive.i", inline("own"), null),
      ];
      expect(delta(plan([...unchanged, ...changes]))).toEqual([]);
    });

    test("of a role do not hide what is granted to a role with the same name in another account", () => {
      const other = role("deploy", policy(statement(ANY)), { managed_policy_arns: [], inline_policy: [] });
      const changes = [
        change("aws_iam_role.other", other, other),
        change("aws_iam_role_policy_attachments_exclusive.other", null, managed(ADMIN)),
        change("aws_iam_role_policies_exclusive.other", inline("own"), inline()),
      ];
      const [first, ...rest] = unchanged;
      for (const roles of [
        [first, ...changes],
        [...changes, first],
      ])
        expect(delta(plan([...roles, ...rest]))).toEqual([
          `role deploy: ADMIN permission-granted: managed policy ${ADMIN}`,
          "role deploy: not-assessed: inline policy own: its content is not in the plan",
        ]);
    });

    test("are not assessed if the content of a removed policy is not in the plan", () => {
      const changes = [change("aws_iam_role_policies_exclusive.i", inline("x"), inline())];
      expect(delta(plan(changes))).toEqual([
        "role deploy: not-assessed: inline policy x: its content is not in the plan",
      ]);
    });
  });

  test("distinguishes two roles with the same name in two accounts", () => {
    const [main, all] = [policy(statement(onBranch("main"))), policy(statement(ANY))];
    const changes = [
      change("aws_iam_role.a", role("deploy", main), role("deploy", all)),
      change("aws_iam_role.b", role("deploy", all), role("deploy", all)),
    ];
    expect(delta(plan(changes))).toEqual([expect.stringMatching(/^role deploy \(aws_iam_role\.a\): trust-broadened/)]);
  });

  test("a change of a sensitive trust policy is not assessed and shows no value", () => {
    const marks = { before_sensitive: { assume_role_policy: true }, after_sensitive: { assume_role_policy: true } };
    const [before, after] = [
      role("deploy", policy(statement(onBranch("main")))),
      role("deploy", policy(statement(ANY))),
    ];
    const findings = delta(plan([change("aws_iam_role.r", before, after, marks)]));
    expect(findings).toContainEqual(expect.stringContaining("not-assessed"));
    expect(findings.join()).not.toContain(PROJECT);
    expect(delta(plan([change("aws_iam_role.r", before, { ...before, path: "/x/" }, marks)]))).toEqual([]);
  });

  test("finds the role of an address with special characters in its keys", () => {
    const address = 'module.a["x.y[0]"].aws_iam_role.r["we\\"ird.[key]"]';
    expect(delta(plan([change(address, null, role("deploy", policy(statement(ANY))))]))).toEqual([
      `role deploy: newly-trusted: ${ALL}`,
    ]);
  });
});

describe("values known after apply", () => {
  const document = (values: readonly (string | null)[]) => ({
    statement: [
      {
        actions: ["sts:AssumeRoleWithWebIdentity"],
        effect: null,
        principals: [{ type: "Federated", identifiers: [null] }],
        not_principals: [],
        condition: [
          { test: "StringEquals", variable: `${ISSUER}:aud`, values: [ORG] },
          { test: "StringLike", variable: `${ISSUER}:sub`, values },
        ],
      },
    ],
  });
  const unknown = { json: true, statement: [{ principals: [{ identifiers: [true] }] }] };
  const configuration = (references: readonly string[]) => ({
    configuration: {
      root_module: { resources: [{ address: "aws_iam_role.r", expressions: { assume_role_policy: { references } } }] },
    },
  });
  const source = (address: string, subject: string) =>
    change(address, null, document([subject]), { actions: ["read"], after_unknown: unknown });
  const role_ = change("aws_iam_role.r", null, role("deploy", null), { after_unknown: { assume_role_policy: true } });

  test("reads an unknown trust policy from the arguments of its data source, and reports that it can differ", () => {
    const changes = [source("data.aws_iam_policy_document.d", ANY), role_];
    const findings = delta(
      plan(changes, configuration(["data.aws_iam_policy_document.d.json", "data.aws_iam_policy_document.d"])),
    );
    expect(findings).toEqual([
      `role deploy: newly-trusted: ${ALL}`,
      "role deploy: not-assessed: the trust policy is known after apply; read from data.aws_iam_policy_document.d",
    ]);
  });

  test("a policy that refers to two data sources allows what either allows", () => {
    const changes = [
      source("data.aws_iam_policy_document.d", ANY),
      source("data.aws_iam_policy_document.e", "org/x/*"),
      role_,
    ];
    const findings = delta(
      plan(changes, configuration(["data.aws_iam_policy_document.d", "data.aws_iam_policy_document.e"])),
    );
    expect(findings).toEqual([
      `role deploy: newly-trusted: ${ALL}`,
      expect.stringMatching(/^role deploy: newly-trusted: every project, branch and trigger of organization x/),
      "role deploy: not-assessed: the trust policy is known after apply; read from data.aws_iam_policy_document.d or data.aws_iam_policy_document.e",
    ]);
  });

  test("an update to an unknown trust policy is not assessed", () => {
    const changes = [
      change("aws_iam_role.r", role("deploy", policy(statement(ANY))), role("deploy", null), {
        after_unknown: { assume_role_policy: true },
      }),
    ];
    expect(delta(plan(changes))).toContainEqual(expect.stringContaining("not-assessed"));
  });

  test("finds the data source through the argument of a module", () => {
    const changes = [
      source("data.aws_iam_policy_document.d", ANY),
      change("module.role.aws_iam_role.r", null, role("deploy", null), { after_unknown: { assume_role_policy: true } }),
    ];
    const inner = {
      resources: [{ address: "aws_iam_role.r", expressions: { assume_role_policy: { references: ["var.trust"] } } }],
    };
    const call = { expressions: { trust: { references: ["data.aws_iam_policy_document.d.json"] } }, module: inner };
    const findings = delta(plan(changes, { configuration: { root_module: { module_calls: { role: call } } } }));
    expect(findings[0]).toBe(`role deploy: newly-trusted: ${ALL}`);
  });

  test("attributes an attachment to the role whose name is unknown", () => {
    const resources = [
      {
        address: "aws_iam_role_policy_attachment.a",
        expressions: { role: { references: ["aws_iam_role.r.name", "aws_iam_role.r"] } },
      },
    ];
    const changes = [
      change("aws_iam_role.r", null, { assume_role_policy: policy(statement(ANY)) }, { after_unknown: { name: true } }),
      change("aws_iam_role_policy_attachment.a", null, { policy_arn: ADMIN }, { after_unknown: { role: true } }),
    ];
    expect(delta(plan(changes, { configuration: { root_module: { resources } } }))).toEqual([
      `role aws_iam_role.r: newly-trusted: ${ALL}`,
      `role aws_iam_role.r: ADMIN permission-granted: managed policy ${ADMIN}`,
    ]);
  });
});

describe("permissions", () => {
  const inline = (...statements: readonly unknown[]) => ({ role: "deploy", name: "p", policy: policy(...statements) });
  const allow = (Action: unknown, Resource: unknown, more = {}) => ({ Effect: "Allow", Action, Resource, ...more });
  const update = (before: unknown, after: unknown) => delta(plan([change("aws_iam_role_policy.p", before, after)]));

  test("adding an action grants it and revokes nothing", () => {
    expect(update(inline(allow("s3:GetObject", "*")), inline(allow(["s3:PutObject", "s3:GetObject"], "*")))).toEqual([
      "role deploy: permission-granted: s3:PutObject on * (inline policy p)",
    ]);
  });

  test("an action that a wildcard already allowed is not granted", () => {
    expect(
      update(inline(allow("s3:*", "*")), inline(allow("s3:*", "*"), allow("S3:Get*", "arn:aws:s3:::b/*"))),
    ).toEqual([]);
  });

  test("ignores order, Sid, single values as lists, and which policy contains a statement", () => {
    const before = inline(allow(["a:B", "c:D"], ["x", "y"], { Sid: "One" }));
    expect(update(before, inline(allow(["c:D", "a:B"], ["y", "x"])))).toEqual([]);
    const changes = [
      change("aws_iam_role_policy.p", before, null),
      change("aws_iam_role_policy.q", null, { ...before, name: "q" }),
    ];
    expect(delta(plan(changes))).toEqual([]);
  });

  test("removing a condition grants a permission", () => {
    const when = { Condition: { StringEquals: { "aws:RequestedRegion": "eu-west-1" } } };
    expect(update(inline(allow("s3:*", "*", when)), inline(allow("s3:*", "*")))).toEqual([
      "role deploy: permission-granted: s3:* on * (inline policy p)",
    ]);
  });

  test.each([
    [allow("*", "*"), true],
    [allow("iam:*", "*"), true],
    [allow("iam:Pass*", "arn:aws:iam::123456789012:role/*"), true],
    [allow("sts:AssumeRole", "*"), true],
    [allow("iam:PutRolePolicy", "arn:aws-cn:iam::123456789012:*"), true],
    [allow("iam:PutRolePolicy", "arn:*"), true],
    [allow("iam:CreatePolicyVersion", "*"), true],
    [{ Effect: "Allow", NotAction: "s3:*", Resource: "*" }, true],
    [{ Effect: "Allow", Action: "s3:GetObject", NotResource: "arn:aws:s3:::b" }, false],
    [allow("*", "arn:aws:s3:::b/*"), false],
    [allow("iam:PassRole", "arn:aws:iam::123456789012:role/one"), true],
    [allow("iam:PutRolePolicy", "arn:aws:iam::123456789012:role/deploy"), true],
    [allow("iam:PutRolePolicy", "arn:aws:iam::123456789012:role/circleci-*"), true],
    [allow("sts:AssumeRole", "arn:aws:iam::210987654321:role/OrganizationAccountAccessRole"), true],
    [allow("ssm:SendCommand", "*"), true],
    [allow("lambda:UpdateFunctionCode", "arn:aws:lambda:us-east-1:123456789012:function:site"), false],
    [allow("iam:GetRole", "*"), false],
  ])("%j is administrator-like: %s", (added, administrator) => {
    expect(update(null, inline(added)).some((each) => each.includes("ADMIN"))).toBe(administrator);
  });

  describe("passing a role", () => {
    const arn = "arn:aws:iam::123456789012:role/task";
    const task = { name: "task", arn, managed_policy_arns: [], inline_policy: [] };
    const own = (...statements: unknown[]) => [{ name: "own", policy: policy(...statements) }];
    const reads = allow("s3:GetObject", "*");
    const passed = (changes: readonly unknown[], action = "iam:PassRole", resource = arn) =>
      delta(plan([...changes, change("aws_iam_role_policy.p", null, inline(allow(action, resource)))])).some((each) =>
        /role deploy: .*ADMIN/.test(each),
      );
    const existing = (more: object) => {
      const role = { ...task, ...more };
      return [change("aws_iam_role.task", role, role)];
    };
    const created = (...statements: unknown[]) => [
      change("aws_iam_role.task", null, { name: "task" }, { after_unknown: { arn: true, inline_policy: true } }),
      change("aws_iam_role_policy.task", null, { name: "own", role: "task", policy: policy(...statements) }),
    ];

    test.each([
      ["without policies", existing({}), false],
      ["that reads", existing({ inline_policy: own(reads) }), false],
      ["that logs", existing({ managed_policy_arns: [S3, LOGS] }), false],
      ["that writes policies", existing({ inline_policy: own(allow("iam:PutRolePolicy", "*")) }), true],
      ["with AdministratorAccess", existing({ managed_policy_arns: [ADMIN] }), true],
      ["with an unknown policy", existing({ managed_policy_arns: ["arn:aws:iam::123456789012:policy/own"] }), true],
      ["whose policies are not in the plan", existing({ managed_policy_arns: undefined }), true],
      [
        "that becomes an administrator",
        [...existing({}), change("aws_iam_role_policy_attachment.a", null, attachment("task", ADMIN))],
        true,
      ],
      ["that is created and reads", created(reads), false],
      ["that is created as an administrator", created(allow("*", "*")), true],
      ["that passes itself", existing({ inline_policy: own(allow("iam:PassRole", arn)) }), false],
      ["that assumes an unknown role", existing({ inline_policy: own(allow("sts:AssumeRole", `${arn}2`)) }), true],
    ])("%s: administrator-like %s", (_name, changes, administrator) => {
      expect(passed(changes)).toBe(administrator);
    });

    test("that is not in the plan, or is one of several, is administrator-like", () => {
      expect(passed(existing({}), "iam:PassRole", `${arn}2`)).toBe(true);
      expect(passed(existing({}), "iam:PassRole", "arn:aws:iam::123456789012:role/t*")).toBe(true);
      expect(passed(existing({}), "iam:PassRole", arn.replace("123456789012", "210987654321"))).toBe(true);
      expect(passed(existing({}), "sts:AssumeRole")).toBe(false);
      // The account of a role that is created is unknown, and roles of other accounts can be assumed.
      expect(passed(created(reads), "sts:AssumeRole")).toBe(true);
    });
  });

  test("removing a Deny grants a permission, adding one revokes it", () => {
    const deny = { Effect: "Deny", Action: "s3:*", Resource: "*" };
    expect(update(inline(deny), null)).toEqual([expect.stringContaining("permission-granted: no longer denied")]);
    expect(update(null, inline(deny))).toEqual([expect.stringContaining("permission-revoked: newly denied")]);
  });

  test("merging two Deny statements changes no access", () => {
    const deny = (Action: unknown, more = {}) => ({ Effect: "Deny", Action, Resource: "*", ...more });
    expect(update(inline(deny("s3:Get*"), deny("s3:Put*")), inline(deny(["s3:Put*", "s3:Get*"])))).toEqual([]);
    expect(update(inline(deny("s3:Get*"), deny("s3:Put*")), inline(deny("s3:Get*")))).toEqual([
      "role deploy: permission-granted: no longer denied: s3:Put* on * (inline policy p)",
    ]);
    const mfa = { Condition: { Bool: { "aws:MultiFactorAuthPresent": "false" } } };
    expect(update(inline(deny("s3:*")), inline(deny("s3:*", mfa)))).toContainEqual(
      "role deploy: permission-granted: no longer denied: s3:* on * (inline policy p)",
    );
  });

  test.each([
    ["arn:aws:iam::123456789012:policy/own", ["permission-revoked: managed policy", "not-assessed: managed policy"]],
    [S3, ["permission-revoked: managed policy"]],
    ["arn:aws:iam::aws:policy/AWSDenyAll", ["permission-granted: no longer denied by managed policy"]],
    ["arn:aws-cn:iam::aws:policy/AWSCompromisedKeyQuarantineV3", ["permission-granted: no longer denied by"]],
  ])("detaching %s is %j", (arn, expected) => {
    const changes = [change("aws_iam_role_policy_attachment.a", attachment("deploy", arn), null)];
    expect(delta(plan(changes))).toEqual(expected.map((each) => expect.stringContaining(`role deploy: ${each}`)));
  });

  describe("the principals of a resource policy", () => {
    const key = (AWS: unknown) => ({ key_id: "k", policy: policy(allow("kms:Decrypt", "*", { Principal: { AWS } })) });
    const [root, one] = ["arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:role/one"];
    const kinds = (before: unknown, after: unknown) =>
      delta(plan([change("aws_kms_key_policy.k", key(before), key(after))])).map((each) => each.split(": ")[1]);

    test.each([
      ["*", "123456789012", ["permission-revoked"]],
      ["*", one, ["permission-revoked"]],
      [root, one, ["permission-revoked"]],
      ["123456789012", "arn:aws:sts::123456789012:assumed-role/one/session", ["permission-revoked"]],
      [root, [one, root], []],
      [[one, root], root, []],
      [root, "arn:aws:iam::210987654321:role/one", ["permission-granted", "permission-revoked"]],
      [root, "arn:aws-cn:iam::123456789012:role/one", ["permission-granted", "permission-revoked"]],
      [one, root, ["permission-granted"]],
      [one, "*", ["permission-granted"]],
    ])("from %j to %j: %j", (before, after, expected) => {
      expect(kinds(before, after)).toEqual(expected);
    });
  });

  test.each([
    [null, "arn:b", "boundary-set"],
    ["arn:b", null, "boundary-removed"],
    ["arn:b", "arn:c", "not-assessed"],
  ])("changing a boundary from %s to %s is %s", (before, after, kind) => {
    const of = (permissions_boundary: string | null) =>
      role("deploy", policy(statement(ANY)), { permissions_boundary });
    expect(delta(plan([change("aws_iam_role.r", of(before), of(after))]))).toEqual([
      expect.stringContaining(`role deploy: ${kind}`),
    ]);
  });

  test("reports a change of a customer managed policy for its roles, or for the policy if it is not attached", () => {
    const arn = "arn:aws:iam::123456789012:policy/p";
    const of = (action: string) => ({ name: "p", arn, policy: policy(allow(action, "*")) });
    const changed = change("aws_iam_policy.p", of("s3:GetObject"), of("s3:*"));
    const attached = attachment("deploy", arn);
    expect(delta(plan([changed, change("aws_iam_role_policy_attachment.a", attached, attached)]))).toEqual([
      `role deploy: permission-granted: s3:* on * (policy ${arn})`,
    ]);
    expect(delta(plan([changed]))).toEqual([`policy ${arn}: permission-granted: s3:* on * (its policy)`]);
  });

  test("reports the policies that a role itself attaches, not those that the provider lists", () => {
    const of = (managed_policy_arns: readonly string[]) =>
      role("deploy", policy(statement(ANY)), { managed_policy_arns });
    const unchanged = of([S3]);
    const changes = [
      change("aws_iam_role.r", unchanged, unchanged),
      change("aws_iam_role_policy_attachment.a", attachment("deploy", S3), null),
    ];
    expect(delta(plan(changes))).toEqual([`role deploy: permission-revoked: managed policy ${S3}`]);
    expect(delta(plan([change("aws_iam_role.r", of([S3]), of([ADMIN]))]))).toEqual([
      `role deploy: ADMIN permission-granted: managed policy ${ADMIN}`,
      `role deploy: permission-revoked: managed policy ${S3}`,
    ]);
  });

  test("reports the inline_policy blocks of a role", () => {
    const of = (...inline_policy: readonly unknown[]) => role("deploy", policy(statement(ANY)), { inline_policy });
    expect(
      delta(plan([change("aws_iam_role.r", of(), of({ name: "p", policy: policy(allow("iam:*", "*")) }))])),
    ).toEqual(["role deploy: ADMIN permission-granted: iam:* on * (inline policy p)"]);
  });

  test("a policy known after apply is not assessed", () => {
    const findings = delta(
      plan([change("aws_iam_role_policy.p", null, { role: "deploy", name: "p" }, { after_unknown: { policy: true } })]),
    );
    expect(findings).toEqual(["role deploy: not-assessed: inline policy p: (known after apply)"]);
  });

  test("a bucket policy with an Allow grants permissions, one with a Deny revokes them", () => {
    const bucket = (...statements: readonly unknown[]) => ({ bucket: "b", policy: policy(...statements) });
    const added = (...statements: readonly unknown[]) =>
      delta(plan([change("aws_s3_bucket_policy.b", null, bucket(...statements))]));
    expect(added(allow("s3:GetObject", "arn:aws:s3:::b/*", { Principal: "*" }))).toEqual([
      "aws_s3_bucket_policy.b: permission-granted: to anyone: s3:GetObject on arn:aws:s3:::b/* (its policy)",
    ]);
    expect(added({ Effect: "Deny", Principal: "*", Action: "s3:*", Resource: "*" })[0]).toContain("permission-revoked");
  });
});

describe("drift", () => {
  test("leaves out policies that other resources of the plan attach to the role", () => {
    const of = (managed_policy_arns: readonly string[]) =>
      role("deploy", policy(statement(ANY)), { managed_policy_arns });
    const attached = attachment("deploy", S3);
    const driftedRole = change("aws_iam_role.r", of([]), of([S3, ADMIN]));
    const drifted = plan([change("aws_iam_role_policy_attachment.a", attached, attached)], {
      resource_drift: [driftedRole],
    });
    expect(driftDelta(drifted, drifted.drift).map(({ what }) => renderRichText(what))).toEqual([
      `managed policy ${ADMIN}`,
    ]);
  });
});

describe("providers", () => {
  const provider = (audiences: readonly string[], thumbprints: readonly string[] = []) => ({
    url: `https://${ISSUER}`,
    client_id_list: audiences,
    thumbprint_list: thumbprints,
  });

  test("adding audiences and thumbprints broadens a provider, removing them narrows it", () => {
    const changes = [
      change("aws_iam_openid_connect_provider.p", provider([ORG, "a"], ["f1"]), provider([ORG, "b"], ["f2"])),
    ];
    expect(delta(plan(changes))).toEqual([
      `provider ${ISSUER}: provider-broadened: audience b added`,
      `provider ${ISSUER}: provider-narrowed: audience a removed`,
      `provider ${ISSUER}: provider-broadened: thumbprint f2 added`,
      `provider ${ISSUER}: provider-narrowed: thumbprint f1 removed`,
    ]);
  });

  test("removing a provider revokes access", () => {
    expect(delta(plan([change("aws_iam_openid_connect_provider.p", provider([ORG]), null)]))[0]).toContain(
      "AWS no longer accepts its tokens",
    );
  });
});

test("changed roles include those whose attachments change", () => {
  const same = role("idle", policy(statement(ANY)));
  const changes = [
    change("aws_iam_role.a", same, same),
    change("aws_iam_role_policy_attachment.a", null, attachment("apply", S3)),
  ];
  expect([...changedRoles(plan(changes))]).toEqual(["apply"]);
});

describe("the type of a resource, not its name, decides whether it is a policy", () => {
  const deny = policy({ Effect: "Deny", Principal: "*", Action: "*", Resource: "*" });

  test("destroying a resource with its Deny grants nothing", () => {
    expect(delta(plan([change("aws_sqs_queue.policy", { policy: deny }, null)]))).toEqual([]);
  });

  test("destroying the policy of a resource that remains can grant access", () => {
    const findings = delta(plan([change("aws_sqs_queue_policy.queue", { policy: deny }, null)]));
    expect(findings).toEqual([expect.stringContaining("permission-granted: no longer denied")]);
  });

  const words = ["policy", "role", "trust", "boundary", "provider", "attachment", "user", "group", "exclusive", "deny"];
  const resources = [
    ["aws_sqs_queue", { policy: deny }, null],
    ["aws_s3_bucket_policy", { policy: deny }, null],
    ["aws_kms_key", null, { policy: policy({ Effect: "Allow", Principal: "*", Action: "kms:*", Resource: "*" }) }],
    ["aws_iam_role", role("deploy", policy(statement(ANY))), role("deploy", policy(statement(onBranch("main"))))],
    ["aws_iam_role_policy", null, { role: "deploy", name: "p", policy: policy({ Effect: "Allow", Action: "*" }) }],
    ["aws_iam_role_policy_attachment", null, attachment("deploy", ADMIN)],
    ["aws_iam_access_key", null, { user: "x" }],
  ] as const;

  test("findings do not depend on the names of resources", () => {
    const findings = (names: readonly string[]) => {
      const addresses = resources.map(([type], at) => `${type}.${names[at]}`);
      const changes = resources.map(([, before, after], at) => change(addresses[at] as string, before, after));
      const renamed = plan(changes);
      return JSON.stringify(accessDelta(renamed)).replaceAll(
        new RegExp(addresses.map((address) => `${address}(?![\\w.])`).join("|"), "g"),
        (address) => address.replace(/\..*/, ""),
      );
    };
    const expected = findings(resources.map((_, at) => `r${at}`));
    expect(JSON.parse(expected)).toHaveLength(6);
    const name = fc.oneof(
      fc.constantFrom(...words),
      fc.tuple(fc.constantFrom(...words), fc.constantFrom(...words)).map(([one, other]) => `${one}_${other}`),
    );
    fc.assert(
      fc.property(fc.array(name, { minLength: resources.length, maxLength: resources.length }), (names) => {
        expect(findings(names)).toBe(expected);
      }),
    );
  });
});

test("a principal whose id reads like an unknown value is not unknown", () => {
  const trust = policy(statement(ANY, { Principal: { Federated: "(known after apply)" } }));
  const [trusted] = delta(plan([change("aws_iam_role.r", null, role("deploy", trust))]));
  expect(trusted).toMatch(/^role deploy: newly-trusted: the tokens of \(known after apply\), any audience, if /);
});
