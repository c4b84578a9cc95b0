import { accessOf, type RoleAccess, type Source } from "../../keyless/access/matrix";
import type { RoleInput } from "../../keyless/config/input";
import { applyEnvironment, planEnvironment } from "../../keyless/permissions/environment";
import { readState } from "../../keyless/permissions/state";
import type { PolicyDocument } from "../../keyless/policy/document";
import type { TrustRule } from "../../keyless/trust/circleci";
import { configOf, ORGANIZATION, PROJECT, policy, SITE, USER } from "./configurations";

function roleAccess(role: Partial<RoleInput>): RoleAccess {
  const [environment] = accessOf(configOf({ dev: { role: { trust: [{ project: PROJECT, refs: "any" }], ...role } } }));
  return environment?.roles[0] as RoleAccess;
}

function source(rule: TrustRule): Source {
  return roleAccess({ trust: [rule] }).sources[0] as Source;
}

function inline(document: PolicyDocument) {
  return roleAccess({ inlinePolicies: { own: document } }).capabilities[0];
}

describe("a trust rule in words", () => {
  test("names branches and tags", () => {
    expect(source({ ...SITE, branches: ["main", "release/*"], tags: ["v*"] })).toEqual({
      ...SITE,
      refs: ["branch main", "branch release/*", "tag v*"],
      open: false,
    });
  });

  test("shows that any ref means anyone with push access", () => {
    expect(source({ project: PROJECT, refs: "any" })).toEqual({
      project: PROJECT,
      refs: ["any branch, tag or trigger"],
      open: true,
    });
    expect(source({ ...SITE, branches: ["*"] })).toMatchObject({ refs: ["any branch"], open: true });
    expect(source({ ...SITE, tags: ["*"] })).toMatchObject({ refs: ["any tag"], open: true });
  });

  test("does not call any ref open when only some users may start the pipeline", () => {
    expect(source({ project: PROJECT, refs: "any", users: [USER] })).toMatchObject({ open: false, users: [USER] });
  });

  const prefix = `org/${ORGANIZATION}/project/${PROJECT}`;
  const anyUser = "????????-????-????-????-????????????";

  test.each([
    [`${prefix}/*`, ["any branch, tag or trigger"], true],
    [`${prefix}/user/*`, ["any branch, tag or trigger"], true],
    [`${prefix}/user/${USER}`, [`subject user/${USER}`], false],
    [`${prefix}/user/${anyUser}`, [`subject user/${anyUser}`], true],
    [`${prefix}/user/${anyUser}/vcs-origin/github.com/acme/site/vcs-ref/refs/heads/main`, ["branch main"], false],
    [`${prefix}/user/${anyUser}/vcs-origin/github.com/acme/site/vcs-ref/refs/tags/v*`, ["tag v*"], false],
    [`${prefix}/user/${USER}/vcs-origin/github.com/acme/site/vcs-ref/refs/heads/*`, ["any branch"], false],
  ])("reads the pattern %s", (subject, refs, open) => {
    expect(source({ subject })).toMatchObject({ project: PROJECT, refs, open });
  });

  test("does not believe the ref of a pattern that a branch name can forge", () => {
    const rest = "user/*/vcs-origin/github.com/acme/site/vcs-ref/refs/heads/main";
    expect(source({ subject: `${prefix}/${rest}` })).toMatchObject({ refs: [`subject ${rest}`], open: true });
  });

  test("takes the repository of a whole project from another rule, if it is the only one", () => {
    const anyRef: TrustRule = { project: PROJECT, refs: "any" };
    const main: TrustRule = { ...SITE, branches: ["main"] };
    const other: TrustRule = { ...main, repository: "github.com/acme/other" };
    const repository = (...rules: TrustRule[]) => roleAccess({ trust: rules }).sources[0]?.repository;
    expect(repository(anyRef, main)).toBe("github.com/acme/site");
    expect(repository(anyRef, main, other)).toBeUndefined();
  });
});

describe("what a role may do", () => {
  test.each([
    ["arn:aws:iam::aws:policy/ReadOnlyAccess", "read"],
    ["arn:aws:iam::aws:policy/job-function/ViewOnlyAccess", "read"],
    ["arn:aws:iam::aws:policy/AmazonS3FullAccess", "write"],
    ["arn:aws:iam::aws:policy/AdministratorAccess", "administrator"],
    ["arn:aws:iam::aws:policy/IAMFullAccess", "administrator"],
    ["arn:aws:iam::123456789010:policy/ReadOnlyAccess", "write"],
  ])("counts %s as %s", (arn, level) => {
    expect(roleAccess({ managedPolicyArns: [arn] })).toMatchObject({ level, capabilities: [{ level, services: [] }] });
  });

  test("sums up an inline policy service by service", () => {
    const document = policy("s3:GetObject", "s3:PutObject", "cloudfront:CreateInvalidation", "ec2:Describe*", "sqs:*");
    expect(inline(document)).toEqual({
      policy: "own",
      services: ["s3 read and write", "cloudfront write", "ec2 read", "sqs everything"],
      level: "write",
    });
  });

  test("leaves denials out", () => {
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
  ] as const)("calls %s administration", (_what, statement) => {
    expect(inline({ Statement: statement })).toMatchObject({ level: "administrator" });
  });

  test.each([
    ["named roles", { ...allow, Action: "iam:PutRolePolicy", Resource: "arn:aws:iam::123456789010:role/app-*" }],
    [
      "policies that a condition names",
      {
        ...allow,
        Action: "iam:AttachRolePolicy",
        Condition: { ArnEquals: { "iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess" } },
      },
    ],
    ["everything but IAM", { ...allow, NotAction: "iam:*" }],
  ] as const)("does not call writing to %s administration", (_what, statement) => {
    expect(inline({ Statement: statement })).toMatchObject({ level: "write" });
  });

  test("knows the access to Terraform's state again, and does not take the lock of a plan for a write", () => {
    const capabilities = roleAccess({
      inlinePolicies: { read: readState, plan: planEnvironment, apply: applyEnvironment },
    }).capabilities.map(({ policy, services, level }) => [policy, services[0], level]);
    expect(capabilities).toEqual([
      ["read", "Terraform state read", "read"],
      ["plan", "Terraform state read, lock held", "read"],
      ["apply", "Terraform state read and write", "write"],
    ]);
  });

  test("marks write access for anyone with push access, and every administrator", () => {
    const main: TrustRule[] = [{ ...SITE, branches: ["main"] }];
    const write = { inlinePolicies: { own: policy("s3:PutObject") } };
    const administrator = { managedPolicyArns: ["arn:aws:iam::aws:policy/AdministratorAccess"] };
    expect(roleAccess({ trust: main, ...write }).dangers).toEqual([]);
    expect(roleAccess(write).dangers).toEqual(["anyone with push access may write"]);
    expect(roleAccess({ trust: main, ...administrator }).dangers).toEqual(["ADMINISTRATOR of the account"]);
  });
});
