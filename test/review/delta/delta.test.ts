import type { Plan } from "../../../keyless/plan/schema";
import { accessDelta, changedRoles } from "../../../keyless/review/delta";
import { plainText } from "../../../keyless/review/rich-text";
import { ANY, change, ISSUER, ORG, onBranch, PROJECT, plan, policy, role, statement } from "../plans";

const WHERE = `project ${PROJECT} (organization ${ORG})`;
const ALL = `every branch, tag and trigger of ${WHERE}`;
const S3 = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
const ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess";

function delta(of: Plan): string[] {
  return accessDelta(of, of.changes).map(
    ({ subject, kind, administrator, what }) =>
      `${subject}: ${administrator ? "ADMIN " : ""}${kind}: ${plainText(what)}`,
  );
}

const attachment = (name: string, arn: string) => ({ role: name, policy_arn: arn });

describe("roles", () => {
  test("a role created with its attachment: somebody is trusted, with a permission", () => {
    const changes = [
      change("aws_iam_role.r", null, role("deploy", policy(statement(ANY)))),
      change('aws_iam_role_policy_attachment.a["0"]', null, attachment("deploy", S3)),
    ];
    expect(delta(plan(changes))).toEqual([
      `role deploy: newly-trusted: ${ALL}`,
      `role deploy: permission-granted: managed policy ${S3}`,
    ]);
  });

  test("a role replaced under its name gives and takes nothing", () => {
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

  test("a role replaced under another name: the one loses what the other gains", () => {
    const changes = [
      change("aws_iam_role.r", role("old", policy(statement(ANY))), role("new", policy(statement(ANY))), {
        actions: ["create", "delete"],
      }),
    ];
    expect(delta(plan(changes))).toEqual([`role old: no-longer-trusted: ${ALL}`, `role new: newly-trusted: ${ALL}`]);
  });

  test("a destroyed role takes its Deny statements with it: nobody gains", () => {
    const deny = policy({ Effect: "Deny", Action: "*", Resource: "*" });
    const changes = [
      change("aws_iam_role.r", role("deploy", policy(statement(ANY))), null),
      change("aws_iam_role_policy.p", { role: "deploy", name: "no", policy: deny }, null),
    ];
    expect(delta(plan(changes))).toEqual([`role deploy: no-longer-trusted: ${ALL}`]);
  });

  test("a role that is moved, forgotten or imported as it is gives and takes nothing", () => {
    const same = role("deploy", policy(statement(ANY)));
    expect(delta(plan([change("aws_iam_role.b", same, same, { previous_address: "aws_iam_role.a" })]))).toEqual([]);
    expect(delta(plan([change("aws_iam_role.a", same, null, { actions: ["forget"] })]))).toEqual([]);
    expect(delta(plan([change("aws_iam_role.a", same, same, { importing: { id: "deploy" } })]))).toEqual([]);
  });

  test("an attachment that changes its address only gives and takes nothing", () => {
    const changes = [
      change("aws_iam_role_policy_attachment.a[0]", attachment("deploy", S3), null),
      change('aws_iam_role_policy_attachment.b["s3"]', null, attachment("deploy", S3)),
    ];
    expect(delta(plan(changes))).toEqual([]);
  });

  test("two roles of one name, of two accounts, are told apart", () => {
    const [main, all] = [policy(statement(onBranch("main"))), policy(statement(ANY))];
    const changes = [
      change("aws_iam_role.a", role("deploy", main), role("deploy", all)),
      change("aws_iam_role.b", role("deploy", all), role("deploy", all)),
    ];
    expect(delta(plan(changes))).toEqual([expect.stringMatching(/^role deploy \(aws_iam_role\.a\): trust-broadened/)]);
  });

  test("a trust policy marked sensitive is not shown, and not taken for nothing", () => {
    const marks = { before_sensitive: { assume_role_policy: true }, after_sensitive: { assume_role_policy: true } };
    const [before, after] = [
      role("deploy", policy(statement(onBranch("main")))),
      role("deploy", policy(statement(ANY))),
    ];
    const told = delta(plan([change("aws_iam_role.r", before, after, marks)]));
    expect(told).toContainEqual(expect.stringContaining("unknown-effect"));
    expect(told.join()).not.toContain(PROJECT);
    expect(delta(plan([change("aws_iam_role.r", before, { ...before, path: "/x/" }, marks)]))).toEqual([]);
  });

  test("odd keys and modules change nothing about whose role it is", () => {
    const address = 'module.a["x.y[0]"].aws_iam_role.r["we\\"ird.[key]"]';
    expect(delta(plan([change(address, null, role("deploy", policy(statement(ANY))))]))).toEqual([
      `role deploy: newly-trusted: ${ALL}`,
    ]);
  });
});

describe("what is known only after apply", () => {
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

  test("a trust policy is read from the arguments of its data source, and what stays unknown is said", () => {
    const changes = [source("data.aws_iam_policy_document.d", ANY), role_];
    const told = delta(
      plan(changes, configuration(["data.aws_iam_policy_document.d.json", "data.aws_iam_policy_document.d"])),
    );
    expect(told).toEqual([
      `role deploy: newly-trusted: ${ALL}`,
      "role deploy: unknown-effect: the trust policy is known after apply; read from data.aws_iam_policy_document.d",
    ]);
  });

  test("of two data sources that it may come from, none is believed", () => {
    const changes = [
      source("data.aws_iam_policy_document.d", ANY),
      source("data.aws_iam_policy_document.e", "org/x/*"),
      role_,
    ];
    const told = delta(
      plan(changes, configuration(["data.aws_iam_policy_document.d", "data.aws_iam_policy_document.e"])),
    );
    expect(told).toEqual(["role deploy: unknown-effect: the trust policy is (known after apply)"]);
  });

  test("an update to an unknown trust policy is treated as a gain", () => {
    const changes = [
      change("aws_iam_role.r", role("deploy", policy(statement(ANY))), role("deploy", null), {
        after_unknown: { assume_role_policy: true },
      }),
    ];
    expect(delta(plan(changes))).toContainEqual(expect.stringContaining("unknown-effect"));
  });

  test("through a module's argument the data source is found as well", () => {
    const changes = [
      source("data.aws_iam_policy_document.d", ANY),
      change("module.role.aws_iam_role.r", null, role("deploy", null), { after_unknown: { assume_role_policy: true } }),
    ];
    const inner = {
      resources: [{ address: "aws_iam_role.r", expressions: { assume_role_policy: { references: ["var.trust"] } } }],
    };
    const call = { expressions: { trust: { references: ["data.aws_iam_policy_document.d.json"] } }, module: inner };
    const told = delta(plan(changes, { configuration: { root_module: { module_calls: { role: call } } } }));
    expect(told[0]).toBe(`role deploy: newly-trusted: ${ALL}`);
  });

  test("a policy attached to a role whose name is unknown counts for that role", () => {
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

  test("an action more is gained, and nothing is lost", () => {
    expect(update(inline(allow("s3:GetObject", "*")), inline(allow(["s3:PutObject", "s3:GetObject"], "*")))).toEqual([
      "role deploy: permission-granted: s3:PutObject on * (inline policy p)",
    ]);
  });

  test("what a wildcard allowed already is not gained", () => {
    expect(
      update(inline(allow("s3:*", "*")), inline(allow("s3:*", "*"), allow("S3:Get*", "arn:aws:s3:::b/*"))),
    ).toEqual([]);
  });

  test("order, Sid and one-or-many are no difference, nor is the policy it stands in", () => {
    const before = inline(allow(["a:B", "c:D"], ["x", "y"], { Sid: "One" }));
    expect(update(before, inline(allow(["c:D", "a:B"], ["y", "x"])))).toEqual([]);
    const changes = [
      change("aws_iam_role_policy.p", before, null),
      change("aws_iam_role_policy.q", null, { ...before, name: "q" }),
    ];
    expect(delta(plan(changes))).toEqual([]);
  });

  test("a condition that goes is a gain", () => {
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
    [allow("iam:PassRole", "arn:aws:iam::123456789012:role/one"), false],
    [allow("iam:GetRole", "*"), false],
  ])("%j is administrator-like: %s", (added, administrator) => {
    expect(update(null, inline(added)).some((each) => each.includes("ADMIN"))).toBe(administrator);
  });

  test("a Deny that goes is a gain, as long as the role stays", () => {
    const deny = { Effect: "Deny", Action: "s3:*", Resource: "*" };
    expect(update(inline(deny), null)).toEqual([expect.stringContaining("permission-granted: no longer denied")]);
    expect(update(null, inline(deny))).toEqual([
      expect.stringContaining("permission-revoked: denied by a new statement"),
    ]);
  });

  test.each([
    [null, "arn:b", "boundary-set"],
    ["arn:b", null, "boundary-removed"],
    ["arn:b", "arn:c", "unknown-effect"],
  ])("a boundary from %s to %s is: %s", (before, after, kind) => {
    const of = (permissions_boundary: string | null) =>
      role("deploy", policy(statement(ANY)), { permissions_boundary });
    expect(delta(plan([change("aws_iam_role.r", of(before), of(after))]))).toEqual([
      expect.stringContaining(`role deploy: ${kind}`),
    ]);
  });

  test("a customer managed policy's change counts for the roles that have it, or for the policy", () => {
    const arn = "arn:aws:iam::123456789012:policy/p";
    const of = (action: string) => ({ name: "p", arn, policy: policy(allow(action, "*")) });
    const changed = change("aws_iam_policy.p", of("s3:GetObject"), of("s3:*"));
    const attached = attachment("deploy", arn);
    expect(delta(plan([changed, change("aws_iam_role_policy_attachment.a", attached, attached)]))).toEqual([
      `role deploy: permission-granted: s3:* on * (policy ${arn})`,
    ]);
    expect(delta(plan([changed]))).toEqual([`policy ${arn}: permission-granted: s3:* on * (its policy)`]);
  });

  test("lists that the provider computes on a role say nothing, what the role itself changes does", () => {
    const of = (managed_policy_arns: readonly string[]) =>
      role("deploy", policy(statement(ANY)), { managed_policy_arns });
    const stays = of([S3]);
    const changes = [
      change("aws_iam_role.r", stays, stays),
      change("aws_iam_role_policy_attachment.a", attachment("deploy", S3), null),
    ];
    expect(delta(plan(changes))).toEqual([`role deploy: permission-revoked: managed policy ${S3}`]);
    expect(delta(plan([change("aws_iam_role.r", of([S3]), of([ADMIN]))]))).toEqual([
      `role deploy: ADMIN permission-granted: managed policy ${ADMIN}`,
      `role deploy: permission-revoked: managed policy ${S3}`,
    ]);
  });

  test("inline_policy blocks of a role count", () => {
    const of = (...inline_policy: readonly unknown[]) => role("deploy", policy(statement(ANY)), { inline_policy });
    expect(
      delta(plan([change("aws_iam_role.r", of(), of({ name: "p", policy: policy(allow("iam:*", "*")) }))])),
    ).toEqual(["role deploy: ADMIN permission-granted: iam:* on * (inline policy p)"]);
  });

  test("a policy known only after apply could not be told", () => {
    const told = delta(
      plan([change("aws_iam_role_policy.p", null, { role: "deploy", name: "p" }, { after_unknown: { policy: true } })]),
    );
    expect(told).toEqual(["role deploy: unknown-effect: inline policy p: (known after apply)"]);
  });

  test("a bucket's policy that lets somebody in is a gain, one that only refuses is none", () => {
    const bucket = (...statements: readonly unknown[]) => ({ bucket: "b", policy: policy(...statements) });
    const added = (...statements: readonly unknown[]) =>
      delta(plan([change("aws_s3_bucket_policy.b", null, bucket(...statements))]));
    expect(added(allow("s3:GetObject", "arn:aws:s3:::b/*", { Principal: "*" }))).toEqual([
      "aws_s3_bucket_policy.b: permission-granted: to AWS *: s3:GetObject on arn:aws:s3:::b/* (its policy)",
    ]);
    expect(added({ Effect: "Deny", Principal: "*", Action: "s3:*", Resource: "*" })[0]).toContain("permission-revoked");
  });

  test("what gives access in ways that are not weighed is said to be so", () => {
    expect(delta(plan([change("aws_iam_access_key.k", null, { user: "x" })]))).toEqual([
      "aws_iam_access_key.k: unknown-effect: create of a resource that this review does not evaluate",
    ]);
  });
});

describe("drift", () => {
  test("what an attachment of the plan holds is no news when the role's computed list shows it", () => {
    const of = (managed_policy_arns: readonly string[]) =>
      role("deploy", policy(statement(ANY)), { managed_policy_arns });
    const held = attachment("deploy", S3);
    const drifted = change("aws_iam_role.r", of([]), of([S3, ADMIN]));
    const whole = plan([change("aws_iam_role_policy_attachment.a", held, held)], { resource_drift: [drifted] });
    expect(accessDelta(whole, whole.drift).map(({ what }) => plainText(what))).toEqual([`managed policy ${ADMIN}`]);
  });
});

describe("providers", () => {
  const provider = (audiences: readonly string[], thumbprints: readonly string[] = []) => ({
    url: `https://${ISSUER}`,
    client_id_list: audiences,
    thumbprint_list: thumbprints,
  });

  test("audiences and thumbprints that come are gains, those that go are losses", () => {
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

  test("a provider that goes locks its tokens out", () => {
    expect(delta(plan([change("aws_iam_openid_connect_provider.p", provider([ORG]), null)]))[0]).toContain(
      "AWS no longer accepts its tokens",
    );
  });
});

test("the roles that a plan changes are known by name, through whatever it changes about them", () => {
  const same = role("idle", policy(statement(ANY)));
  const changes = [
    change("aws_iam_role.a", same, same),
    change("aws_iam_role_policy_attachment.a", null, attachment("apply", S3)),
  ];
  expect([...changedRoles(plan(changes))]).toEqual(["apply"]);
});
