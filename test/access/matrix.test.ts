import {
  accessMatrix,
  describeSourceRef,
  type RoleAccess,
  type Source,
  type SourceRef,
} from "../../keyless/access/matrix";
import type { RoleInput } from "../../keyless/config/input";
import { applyEnvironment, planEnvironment } from "../../keyless/permissions/environment";
import { readState } from "../../keyless/permissions/state";
import type { PolicyDocument } from "../../keyless/policy/document";
import type { TrustRule } from "../../keyless/trust/circleci";
import { configOf, ORGANIZATION, PROJECT, policy, SITE, USER } from "./configurations";

function roleAccess(role: Partial<RoleInput>): RoleAccess {
  const [environment] = accessMatrix(
    configOf({ dev: { role: { trust: [{ project: PROJECT, refs: "any" }], ...role } } }),
  );
  return environment?.roles[0] as RoleAccess;
}

function source(rule: TrustRule): Source {
  return roleAccess({ trust: [rule] }).sources[0] as Source;
}

const ANY = { kind: "any" };
const branch = (name: string) => ({ kind: "branch", name });

function inline(document: PolicyDocument) {
  return roleAccess({ inlinePolicies: { own: document } }).capabilities[0];
}

describe("the source of a trust rule", () => {
  test("has its branches and tags", () => {
    expect(source({ ...SITE, branches: ["main", "release/*"], tags: ["v*"] })).toEqual({
      ...SITE,
      refs: [branch("main"), branch("release/*"), { kind: "tag", name: "v*" }],
      open: false,
    });
  });

  test("is open if it trusts any ref", () => {
    expect(source({ project: PROJECT, refs: "any" })).toEqual({
      project: PROJECT,
      refs: [ANY],
      open: true,
      pinsProjectId: true,
    });
    expect(source({ ...SITE, branches: ["*"] })).toMatchObject({ refs: [branch("*")], open: true });
    expect(source({ ...SITE, tags: ["*"] })).toMatchObject({ refs: [{ kind: "tag", name: "*" }], open: true });
  });

  test("is open if the role may write, and anyone with push access can create a trusted tag or branch", () => {
    const write = { inlinePolicies: { own: policy("s3:PutObject") } };
    const read = { inlinePolicies: { own: policy("s3:GetObject") } };
    const openOf = (rule: TrustRule, policies: object) => roleAccess({ trust: [rule], ...policies }).sources[0]?.open;
    for (const rule of [{ tags: ["v*"] }, { tags: ["v1"] }, { branches: ["main", "release/*"] }]) {
      expect(openOf({ ...SITE, ...rule }, write)).toBe(true);
      expect(openOf({ ...SITE, ...rule }, read)).toBe(false);
      expect(openOf({ ...SITE, ...rule, users: [USER] }, write)).toBe(false);
      expect(roleAccess({ trust: [{ ...SITE, ...rule }], ...write }).dangers).toEqual(["open-write"]);
    }
    expect(openOf({ ...SITE, branches: ["main"] }, write)).toBe(false);
  });

  test("is not open if it trusts only some users", () => {
    expect(source({ project: PROJECT, refs: "any", users: [USER] })).toMatchObject({ open: false, users: [USER] });
  });

  const prefix = `org/${ORGANIZATION}/project/${PROJECT}`;
  const anyUser = "????????-????-????-????-????????????";

  test.each([
    [`${prefix}/*`, [ANY], true],
    [`${prefix}/user/*`, [ANY], true],
    [`${prefix}/user/${USER}`, [{ kind: "subject", pattern: `user/${USER}` }], false],
    [`${prefix}/user/${anyUser}`, [{ kind: "subject", pattern: `user/${anyUser}` }], true],
    [`${prefix}/user/${anyUser}/vcs-origin/github.com/acme/site/vcs-ref/refs/heads/main`, [branch("main")], false],
    [
      `${prefix}/user/${anyUser}/vcs-origin/github.com/acme/site/vcs-ref/refs/tags/v*`,
      [{ kind: "tag", name: "v*" }],
      false,
    ],
    [`${prefix}/user/${USER}/vcs-origin/github.com/acme/site/vcs-ref/refs/heads/*`, [branch("*")], false],
  ])("of the pattern %s has the refs that the pattern matches", (subject, refs, open) => {
    expect(source({ subject })).toMatchObject({ project: PROJECT, refs, open });
  });

  test("of a pattern that a branch name can forge is open", () => {
    const rest = "user/*/vcs-origin/github.com/acme/site/vcs-ref/refs/heads/main";
    expect(source({ subject: `${prefix}/${rest}` })).toMatchObject({
      refs: [{ kind: "subject", pattern: rest }],
      open: true,
    });
  });

  test("has the repository of the project's other rules, if they name only one", () => {
    const anyRef: TrustRule = { project: PROJECT, refs: "any" };
    const main: TrustRule = { ...SITE, branches: ["main"] };
    const other: TrustRule = { ...main, repository: "github.com/acme/other" };
    const repository = (...rules: TrustRule[]) => roleAccess({ trust: rules }).sources[0]?.repository;
    expect(repository(anyRef, main)).toBe("github.com/acme/site");
    expect(repository(anyRef, main, other)).toBeUndefined();
  });
});

test.each<[SourceRef, string]>([
  [{ kind: "branch", name: "main" }, "branch main"],
  [{ kind: "tag", name: "*" }, "any tag"],
  [{ kind: "any" }, "any branch, tag or trigger"],
  [{ kind: "subject", pattern: "user/*" }, "subject user/*"],
])("the ref %j is described as %s", (ref, description) => {
  expect(describeSourceRef(ref)).toBe(description);
});

describe("the permissions of a role", () => {
  test.each([
    ["arn:aws:iam::aws:policy/ReadOnlyAccess", "read"],
    ["arn:aws:iam::aws:policy/job-function/ViewOnlyAccess", "read"],
    ["arn:aws:iam::aws:policy/AmazonS3FullAccess", "write"],
    ["arn:aws:iam::aws:policy/AdministratorAccess", "administrator"],
    ["arn:aws:iam::aws:policy/IAMFullAccess", "administrator"],
    ["arn:aws:iam::123456789010:policy/ReadOnlyAccess", "write"],
  ])("of %s are at level %s", (arn, level) => {
    expect(roleAccess({ managedPolicyArns: [arn] })).toMatchObject({ level, capabilities: [{ level, services: [] }] });
  });

  test("summarize an inline policy by service", () => {
    const document = policy("s3:GetObject", "s3:PutObject", "cloudfront:CreateInvalidation", "ec2:Describe*", "sqs:*");
    expect(inline(document)).toEqual({
      policy: "own",
      services: ["s3 read and write", "cloudfront write", "ec2 read", "sqs everything"],
      level: "write",
    });
  });

  test("ignore Deny statements", () => {
    const document: PolicyDocument = { Statement: { Effect: "Deny", Action: "*", Resource: "*" } };
    expect(inline(document)).toMatchObject({ services: [], level: "read" });
  });

  const allow = { Effect: "Allow", Resource: "*" } as const;

  test.each([
    ["everything", { ...allow, Action: "*" }],
    ["all of IAM", { ...allow, Action: "iam:*" }],
    ["an action that gives itself more, in any case", { ...allow, Action: "IAM:putrolePOLICY" }],
    [
      "such an action on every role",
      { ...allow, Action: "iam:AttachRolePolicy", Resource: "arn:aws:iam::123456789010:role/*" },
    ],
    ["everything but something harmless", { ...allow, NotAction: "s3:DeleteBucket" }],
    ["everything on everything but one resource", { Effect: "Allow", Action: "*", NotResource: "arn:aws:s3:::a" }],
    ["everything but IAM, roles to assume included", { ...allow, NotAction: "iam:*" }],
    [
      "such an action on one role",
      { ...allow, Action: "iam:PutRolePolicy", Resource: "arn:aws:iam::123456789010:role/app" },
    ],
  ] as const)("of %s are an administrator's", (_what, statement) => {
    expect(inline({ Statement: statement })).toMatchObject({ level: "administrator" });
  });

  test.each([
    [
      "roles with a boundary",
      {
        ...allow,
        Action: "iam:PutRolePolicy",
        Condition: { StringEquals: { "iam:PermissionsBoundary": "arn:aws:iam::123456789010:policy/limit" } },
      },
    ],
    [
      "policies that a condition names",
      {
        ...allow,
        Action: "iam:AttachRolePolicy",
        Condition: { ArnEquals: { "iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess" } },
      },
    ],
    [
      "everything but identities",
      { ...allow, NotAction: ["iam:*", "sts:AssumeRo*", "sso:*", "sso-directory:*", "identitystore:*"] },
    ],
  ] as const)("to write to %s are not an administrator's", (_what, statement) => {
    expect(inline({ Statement: statement })).toMatchObject({ level: "write" });
  });

  test("name the access to Terraform's state, which a plan only reads", () => {
    const capabilities = roleAccess({
      inlinePolicies: { read: readState, plan: planEnvironment, apply: applyEnvironment },
    }).capabilities.map(({ policy, services, level }) => [policy, services[0], level]);
    expect(capabilities).toEqual([
      ["read", "Terraform state read", "read"],
      ["plan", "Terraform state read", "read"],
      ["apply", "Terraform state read and write", "write"],
    ]);
  });

  test("warn of write access for anyone with push access, and of every administrator", () => {
    const main: TrustRule[] = [{ ...SITE, branches: ["main"] }];
    const write = { inlinePolicies: { own: policy("s3:PutObject") } };
    const administrator = { managedPolicyArns: ["arn:aws:iam::aws:policy/AdministratorAccess"] };
    expect(roleAccess({ trust: main, ...write }).dangers).toEqual([]);
    expect(roleAccess(write).dangers).toEqual(["open-write"]);
    expect(roleAccess({ trust: main, ...administrator }).dangers).toEqual(["administrator"]);
    const possible = { inlinePolicies: { own: policy("iam:GetRole", "ssm:StartSession") } };
    expect(roleAccess({ trust: main, ...possible }).dangers).toEqual(["possible-administrator"]);
  });
});
