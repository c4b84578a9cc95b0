import { accessDelta, changedRoles } from "../../../keyless/review/delta";
import { renderRichText } from "../../../keyless/review/rich-text";
import { ANY, change, onBranch, plan, policy, role, statement } from "../plans";

function delta(changes: readonly unknown[], more = {}): string[] {
  const findings = accessDelta(plan(changes, more));
  return findings.map(({ subject, kind, what }) => `${subject}: ${kind}: ${renderRichText(what)}`);
}

const same = (address: string, attributes: object) => change(address, attributes, attributes);
const ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess";
const READ = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const allow = policy({ Effect: "Allow", Action: "s3:*", Resource: "*" });
const deny = policy({ Effect: "Deny", Action: "s3:*", Resource: "*" });

describe("users and groups", () => {
  test("a policy of a user or a group is a permission of that user or group", () => {
    expect(
      delta([
        change("aws_iam_user_policy_attachment.u", null, { user: "alice", policy_arn: ADMIN }),
        change("aws_iam_group_policy_attachment.g", { group: "staff", policy_arn: READ }, null),
        change("aws_iam_user_policy.p", null, { user: "alice", name: "p", policy: allow }),
        change("aws_iam_policy_attachment.all", null, { policy_arn: READ, users: ["bob"], groups: [], roles: ["r"] }),
      ]),
    ).toEqual([
      `group staff: permission-revoked: managed policy ${READ}`,
      `user alice: permission-granted: managed policy ${ADMIN}`,
      "user alice: permission-granted: s3:* on * (inline policy p)",
      `role r: permission-granted: managed policy ${READ}`,
      `user bob: permission-granted: managed policy ${READ}`,
    ]);
  });

  const group = [
    same("aws_iam_group.g", { name: "staff" }),
    same("aws_iam_group_policy.allow", { group: "staff", name: "allow", policy: allow }),
  ];
  const limited = same("aws_iam_group_policy.deny", { group: "staff", name: "deny", policy: deny });
  const member = { user: "alice", groups: ["staff"] };

  test("joining a group grants its policies", () => {
    expect(delta([...group, change("aws_iam_user_group_membership.m", null, member)])).toEqual([
      "user alice: permission-granted: s3:* on * (inline policy allow of group staff)",
    ]);
    const users = { group: "staff", users: ["alice"] };
    expect(delta([...group, change("aws_iam_group_membership.m", { ...users, users: [] }, users)])).toEqual([
      "user alice: permission-granted: s3:* on * (inline policy allow of group staff)",
    ]);
  });

  test("leaving a group that denies grants access", () => {
    expect(delta([...group, limited, change("aws_iam_user_group_membership.m", member, null)])).toEqual([
      "user alice: permission-granted: no longer denied: s3:* on * (inline policy deny of group staff)",
      "user alice: permission-revoked: s3:* on * (inline policy allow of group staff)",
    ]);
  });

  test("leaving a group whose policies are not in the plan is not assessed", () => {
    expect(delta([change("aws_iam_user_group_membership.m", member, null)])).toEqual([
      "user alice: permission-revoked: the policies of group staff",
      "user alice: not-assessed: the policies of group staff, which can deny access, are not in the plan",
    ]);
    expect(delta([change("aws_iam_user_group_membership.m", null, member)])).toEqual([
      "user alice: permission-granted: the policies of group staff",
    ]);
  });

  test("replacing one membership resource by another changes no access", () => {
    const changes = [
      change("aws_iam_user_group_membership.m", member, null),
      change("aws_iam_group_membership.m", null, { group: "staff", users: ["alice"] }),
    ];
    expect(delta([...group, ...changes])).toEqual([]);
  });

  test("destroying a user with its memberships grants nothing", () => {
    const changes = [
      change("aws_iam_user.u", { name: "alice" }, null),
      change("aws_iam_user_group_membership.m", member, null),
    ];
    expect(delta([...group, limited, ...changes])).toEqual([
      "user alice: permission-revoked: s3:* on * (inline policy allow of group staff)",
    ]);
  });
});

describe("boundaries", () => {
  const [one, two] = ["arn:aws:iam::123456789012:policy/one", "arn:aws:iam::123456789012:policy/two"];
  const boundary = (arn: string, action: string) =>
    same(`aws_iam_policy.${arn.slice(-3)}`, {
      arn,
      name: arn.slice(-3),
      policy: policy({ Effect: "Allow", Action: action, Resource: "*" }),
    });
  const user = (permissions_boundary: string | null) => ({ name: "alice", permissions_boundary });

  test("another boundary is compared by its document", () => {
    const changes = [boundary(one, "s3:Get*"), boundary(two, "s3:*")];
    expect(delta([...changes, change("aws_iam_user.u", user(one), user(two))])).toEqual([
      `user alice: permission-granted: s3:* on * (policy ${two})`,
    ]);
    expect(delta([...changes, change("aws_iam_user.u", user(two), user(one))])).toEqual([
      `user alice: permission-revoked: s3:* on * (policy ${two})`,
    ]);
  });

  test("removing the boundary of a user grants access", () => {
    expect(delta([change("aws_iam_user.u", user(one), user(null))])).toEqual([
      `user alice: boundary-removed: permissions boundary ${one}`,
    ]);
  });
});

describe("two accounts in one plan", () => {
  const configured = (...resources: readonly [address: string, provider: string][]) => ({
    configuration: {
      root_module: {
        resources: resources.map(([address, provider_config_key]) => ({ address, provider_config_key })),
      },
    },
  });

  test("an attachment that is destroyed in one account does not hide one that is created in the other", () => {
    const attachment = { role: "deploy", policy_arn: ADMIN };
    const changes = [
      change("aws_iam_role_policy_attachment.a", attachment, null),
      change("aws_iam_role_policy_attachment.b", null, attachment),
    ];
    const accounts = configured(["aws_iam_role_policy_attachment.b", "aws.b"], ["aws_iam_role.x", "aws.a"]);
    const other = same("aws_iam_role.x", role("x", null));
    expect(delta([...changes, other], accounts)).toEqual([
      `role deploy: permission-revoked: managed policy ${ADMIN}`,
      `role deploy (of provider aws.b): permission-granted: managed policy ${ADMIN}`,
    ]);
    expect(delta(changes)).toEqual([]);
  });

  test("an attachment belongs to the role of its own account", () => {
    const deploy = role("deploy", policy(statement(ANY)));
    const changes = [
      same("aws_iam_role.a", deploy),
      same("aws_iam_role.b", deploy),
      change("aws_iam_role_policy_attachment.b", null, { role: "deploy", policy_arn: ADMIN }),
    ];
    const accounts = configured(
      ["aws_iam_role.a", "aws.a"],
      ["aws_iam_role.b", "aws.b"],
      ["aws_iam_role_policy_attachment.b", "aws.b"],
    );
    expect(delta(changes, accounts)).toEqual([
      `role deploy (aws_iam_role.b): permission-granted: managed policy ${ADMIN}`,
    ]);
  });

  test("providers with the same URL are compared by address", () => {
    const provider = (...client_id_list: string[]) => ({ url: "https://oidc.example.com", client_id_list });
    const changes = [
      change("aws_iam_openid_connect_provider.a", provider("x"), provider("x", "y")),
      change("aws_iam_openid_connect_provider.b", provider("x", "y"), provider("x")),
    ];
    expect(delta(changes)).toEqual([
      "provider oidc.example.com (aws_iam_openid_connect_provider.a): provider-broadened: audience y added",
      "provider oidc.example.com (aws_iam_openid_connect_provider.b): provider-narrowed: audience y removed",
    ]);
  });
});

describe("references to one of several resources", () => {
  const refersTo = (address: string, attribute: string, ...references: string[]) => ({
    configuration: { root_module: { resources: [{ address, expressions: { [attribute]: { references } } }] } },
  });
  const managed = (name: string, text: string) =>
    change(`aws_iam_policy.${name}`, null, { name, policy: text }, { after_unknown: { arn: true } });
  const attach = change(
    "aws_iam_role_policy_attachment.x",
    null,
    { role: "r" },
    { after_unknown: { policy_arn: true } },
  );

  test("the policy that grants more counts, and the text names both", () => {
    const references = ["var.wide", "aws_iam_policy.narrow.arn", "aws_iam_policy.wide.arn"];
    const findings = delta(
      [managed("narrow", deny), managed("wide", allow), attach],
      refersTo("aws_iam_role_policy_attachment.x", "policy_arn", ...references),
    );
    expect(findings).toEqual([
      "role r: permission-granted: s3:* on * (a managed policy of aws_iam_role_policy_attachment.x)",
      expect.stringMatching(/^role r: not-assessed: .* policy narrow or policy wide/),
    ]);
  });

  test("an attachment to one of two roles names both, and counts as a change of both", () => {
    const roles = ["a", "b"].map((name) =>
      change(
        `aws_iam_role.${name}`,
        null,
        { assume_role_policy: policy(statement(onBranch("main"))) },
        {
          after_unknown: { name: true },
        },
      ),
    );
    const changes = [
      ...roles,
      change("aws_iam_role_policy_attachment.x", null, { policy_arn: ADMIN }, { after_unknown: { role: true } }),
    ];
    const more = refersTo("aws_iam_role_policy_attachment.x", "role", "aws_iam_role.a.name", "aws_iam_role.b.name");
    expect(delta(changes, more)).toContain(
      `role aws_iam_role.a or aws_iam_role.b: permission-granted: managed policy ${ADMIN}`,
    );
    expect([...changedRoles(plan(changes, more))]).toEqual(["aws_iam_role.a", "aws_iam_role.b"]);
  });
});

describe("what a plan leaves open is not assessed", () => {
  const grant = change("aws_iam_user_policy_attachment.u", null, { user: "alice", policy_arn: ADMIN });
  const harmless = change("aws_s3_object.o", null, { bucket: "b", key: "k" });
  test.each([
    [
      "a failed plan",
      { errored: true, complete: false },
      ["the plan: not-assessed: Terraform failed while planning: changes can be missing"],
    ],
    [
      "an incomplete plan",
      { complete: false },
      ["the plan: not-assessed: it is incomplete: another one has further changes"],
    ],
    [
      "a deferred change",
      { complete: false, deferred_changes: [{ reason: "instance_count_unknown", resource_change: grant }] },
      ["aws_iam_user_policy_attachment.u: not-assessed: create deferred: instance_count_unknown"],
    ],
    [
      "a deferred change that cannot affect access",
      { complete: false, deferred_changes: [{ reason: "x", resource_change: harmless }] },
      [],
    ],
  ])("%s", (_name, more, expected) => {
    expect(delta([], more)).toEqual(expected);
  });
});
