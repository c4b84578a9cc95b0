// @cases 40
import * as fc from "fast-check";
import { defineConfig } from "../../keyless/config/define";
import type { ConfigInput, RoleInput } from "../../keyless/config/input";
import { rolesOf } from "../../keyless/config/lint";
import type { Environment, Role } from "../../keyless/config/resolved";
import { allowServices } from "../../keyless/permissions/boundary";
import { applyEnvironment, planEnvironment } from "../../keyless/permissions/environment";
import { readState } from "../../keyless/permissions/state";
import type { NamedPolicy } from "../../keyless/policy/evaluate";
import { evaluate } from "../../keyless/policy/evaluate";
import { account, organization, project, refusal } from "../config/configuration";
import example from "../example/config";

const trust = [{ project, refs: "any" }] as const;
const boundaryArn = `arn:aws:iam::${account}:policy/circleci-boundary-dev`;
const ownArn = `arn:aws:iam::${account}:policy/own`;
const everything = { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "*", Resource: "*" } } as const;
const administratorAccess = "arn:aws:iam::aws:policy/AdministratorAccess";
const readOnly = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";

type EnvironmentInput = ConfigInput["environments"][string];

function configuration(dev: Partial<EnvironmentInput>, others: ConfigInput["environments"] = {}): ConfigInput {
  const state = { bucket: "state", lockTable: "locks" };
  const environment = { accountId: account, region: "us-east-1", state, roles: {}, ...dev };
  return { circleci: { organizationId: organization }, environments: { dev: environment, ...others } };
}

function devOf(...given: Parameters<typeof configuration>): Environment {
  const [dev] = defineConfig(configuration(...given)).environments;
  if (dev === undefined) throw new Error("the configuration has no environment");
  return dev;
}

const apply: RoleInput = { trust, inlinePolicies: { apply: applyEnvironment } };
const publisher: RoleInput = { trust, inlinePolicies: { publish: everything } };

type Request = readonly [action: string, resource: string, context?: Readonly<Record<string, string>>];

function decide(policies: { identity: readonly NamedPolicy[]; boundary?: NamedPolicy }, request: Request): string {
  const [action, resource, context = {}] = request;
  const principal = { kind: "AWS", id: `arn:aws:sts::${account}:assumed-role/r/job` } as const;
  return evaluate(policies, { principal, action, resource, context }).outcome;
}

describe("allowServices", () => {
  const { permissionsBoundary: boundary } = devOf(
    { permissionsBoundary: allowServices(["s3", "dynamodb", "kms"]), roles: { publisher } },
    {
      stage: {
        accountId: account,
        region: "us-east-1",
        oidcProvider: "existing",
        state: { bucket: "stage-state", lockTable: "stage-locks" },
        roles: {},
      },
      prod: {
        accountId: "210987654321",
        region: "us-east-1",
        state: { bucket: "prod-state", lockTable: "prod-locks" },
        roles: {},
      },
    },
  );
  const limited = { identity: [{ name: "all", document: everything }], boundary };
  const table = `arn:aws:dynamodb:us-east-1:${account}:table`;

  test("is a managed policy that is named after the environment", () => {
    expect(boundary).toMatchObject({ name: "circleci-boundary-dev", arn: boundaryArn });
  });

  test.each([
    ["s3:PutObject", "arn:aws:s3:::www.example.com/index.html"],
    ["s3:PutObject", "arn:aws:s3:::state2/x"],
    ["s3:PutObject", "arn:aws:s3:::prod-state/x"],
    ["dynamodb:PutItem", `${table}/orders`],
    ["kms:Decrypt", `arn:aws:kms:us-east-1:${account}:key/1`],
  ])("allows %s on %s", (action, resource) => expect(decide(limited, [action, resource])).toBe("allowed"));

  test.each([
    ["s3:GetObject", "arn:aws:s3:::state/dev/terraform.tfstate"],
    ["s3:PutObject", "arn:aws:s3:::state/any"],
    ["s3:PutBucketPolicy", "arn:aws:s3:::state"],
    ["s3:ListBucket", "arn:aws:s3:::stage-state"],
    ["s3:PutObject", "arn:aws:s3:::stage-state/stage/terraform.tfstate"],
    ["s3:CreateAccessPoint", `arn:aws:s3:us-east-1:${account}:accesspoint/a`],
    ["s3:CreateAccessPointForObjectLambda", `arn:aws:s3-object-lambda:us-east-1:${account}:accesspoint/a`],
    ["s3:CreateMultiRegionAccessPoint", `arn:aws:s3::${account}:accesspoint/*`],
    ["s3:CreateAccessGrant", `arn:aws:s3:us-east-1:${account}:access-grants/default/location/default`],
    ["s3:CreateAccessGrantsLocation", `arn:aws:s3:us-east-1:${account}:access-grants/default`],
    ["s3:GetDataAccess", `arn:aws:s3:us-east-1:${account}:access-grants/default`],
    ["dynamodb:DeleteItem", `${table}/locks`],
    ["dynamodb:RestoreTableFromBackup", `${table}/locks/backup/1`],
    ["dynamodb:GetItem", `${table}/stage-locks`],
    ["iam:CreateRole", `arn:aws:iam::${account}:role/x`],
    ["sts:AssumeRole", `arn:aws:iam::${account}:role/x`],
    ["cloudfront:CreateInvalidation", "*"],
  ])("denies %s on %s, whatever the policies of the role allow", (action, resource) => {
    expect(decide(limited, [action, resource])).toBe("refused");
  });

  test("denies the use of the key that encrypts the state", () => {
    const kmsKeyArn = `arn:aws:kms:us-east-1:${account}:key/11111111-2222-3333-4444-555555555555`;
    const state = { bucket: "state", lock: "lockfile" as const, kmsKeyArn };
    const dev = devOf({ state, permissionsBoundary: allowServices(["kms"]) });
    const policies = { identity: limited.identity, boundary: dev.permissionsBoundary };
    expect(decide(policies, ["kms:Decrypt", kmsKeyArn])).toBe("refused");
    expect(JSON.stringify(dev.permissionsBoundary)).not.toContain("undefined");
  });

  test.each([
    ["iam", /"iam" changes identities/],
    ["sts", /"sts" changes identities/],
    ["organizations", /changes identities/],
    ["account", /changes identities/],
    ["sso", /changes identities/],
    ["sso-directory", /changes identities/],
    ["identitystore", /changes identities/],
    ["rolesanywhere", /changes identities/],
    ["ram", /changes identities/],
    ["*", /is not a service/],
    ["s3:*", /is not a service/],
    ["i*", /is not a service/],
    ["IAM", /is not a service/],
    ["", /is not a service/],
  ])("refuses %j", (service, message) => {
    const [problem, ...more] = refusal(configuration({ permissionsBoundary: allowServices(["s3", service]) })).problems;
    expect(more).toEqual([]);
    expect(problem).toMatchObject({ path: ["environments", "dev", "permissionsBoundary"] });
    expect(`${JSON.stringify(problem?.value)} ${problem?.message}`).toMatch(message);
  });

  test("refuses an empty list", () => {
    expect(refusal(configuration({ permissionsBoundary: allowServices([]) })).message).toContain("lists no service");
  });
});

describe("the role with applyEnvironment", () => {
  const dangerous = [
    "iam:CreateRole",
    "iam:PutRolePolicy",
    "iam:AttachRolePolicy",
    "iam:UpdateAssumeRolePolicy",
    "iam:DetachRolePolicy",
    "iam:DeleteRolePolicy",
  ];
  const always = [
    "iam:PutRolePermissionsBoundary",
    "iam:DeleteRolePermissionsBoundary",
    "iam:PassRole",
    "iam:AddRoleToInstanceProfile",
    "sts:AssumeRole",
  ];
  const onPolicies = [
    "iam:CreatePolicy",
    "iam:DeletePolicy",
    "iam:CreatePolicyVersion",
    "iam:DeletePolicyVersion",
    "iam:SetDefaultPolicyVersion",
    "iam:TagPolicy",
  ];

  const role = fc.record({
    trust: fc.constant(trust),
    managedPolicyArns: fc.subarray([readOnly, administratorAccess]),
    inlinePolicies: fc.constantFrom({}, { own: everything }),
    path: fc.constantFrom("/", "/ci/"),
    limit: fc.constantFrom<Partial<RoleInput>>(
      {},
      { deployedBy: "administrator" },
      { permissionsBoundaryArn: ownArn },
      { permissionsBoundaryArn: ownArn, deployedBy: "pipeline" },
      { permissionsBoundaryArn: ownArn, deployedBy: "administrator" },
    ),
  });
  const roles = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), role).map((byName) => {
    const entries = Object.entries(byName).map(([name, { limit, ...rest }]) => [name, { ...rest, ...limit }]);
    return Object.fromEntries(entries) as { [name: string]: RoleInput };
  });
  const boundary = fc.constantFrom(undefined, allowServices(["s3"]), allowServices(["lambda", "dynamodb"]));
  const environment = fc.record({ roles, permissionsBoundary: boundary }).map(({ roles, permissionsBoundary }) =>
    devOf({
      permissionsBoundary,
      roles: { ...roles, apply, plan: { trust, inlinePolicies: { p: planEnvironment }, deployedBy: "administrator" } },
    }),
  );

  test("changes the access of a role only while the role has its permissions boundary, in every configuration", () => {
    const actual = fc.constantFrom(undefined, boundaryArn, ownArn, administratorAccess);
    const policy = fc.constantFrom(readOnly, administratorAccess, ownArn);
    fc.assert(
      fc.property(environment, actual, policy, fc.nat(), (dev, boundary, attached, index) => {
        const identity = policiesOf(dev, "apply");
        const role = dev.roles[index % dev.roles.length] as Role;
        const { arn, name, deployedBy, permissionsBoundaryArn } = role;
        const context: Record<string, string> = { "iam:PolicyARN": attached };
        if (boundary !== undefined) context["iam:PermissionsBoundary"] = boundary;
        const mayChange = deployedBy === "pipeline" && boundary !== undefined && boundary === permissionsBoundaryArn;
        const allowed = dangerous.filter((action) => decide({ identity }, [action, arn, context]) === "allowed");
        expect(allowed.length > 0).toBe(mayChange);
        for (const action of always) expect(decide({ identity }, [action, arn, context])).toBe("refused");
        for (const action of onPolicies)
          for (const limit of [boundaryArn, ownArn]) expect(decide({ identity }, [action, limit])).toBe("refused");
        if (name === "apply") expect(deployedBy).toBe("administrator");
      }),
    );
  });

  test("cannot give a role more than its boundary, whatever policies, trust and resources it writes", () => {
    const service = fc.constantFrom("s3", "lambda", "dynamodb", "iam", "sts", "ec2", "organizations");
    const action = fc
      .tuple(service, fc.constantFrom("Get", "PutObject", "CreateUser", "AssumeRole", "*"))
      .map((parts) => parts.join(":"));
    const resource = fc.constantFrom(
      "*",
      "arn:aws:s3:::state/dev/terraform.tfstate",
      "arn:aws:s3:::x/y",
      `arn:aws:iam::${account}:role/apply`,
    );
    const written = fc.array(
      fc.record({ Effect: fc.constantFrom("Allow", "Deny"), Action: action, Resource: resource }),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(environment, written, action, resource, (dev, Statement, asked, on) => {
        const { permissionsBoundary: limit } = dev;
        if (limit === undefined) return;
        const document = { Version: "2012-10-17", Statement } as NamedPolicy["document"];
        const request = [asked.replace("*", "Any"), on] as const;
        const byBoundary = decide({ identity: [limit] }, request);
        for (const policy of [document, everything]) {
          const outcome = decide({ identity: [{ name: "written", document: policy }], boundary: limit }, request);
          if (outcome === "allowed") expect(byBoundary).toBe("allowed");
        }
        if (/^(iam|sts|ec2|organizations):/.test(asked) || on.includes("state")) expect(byBoundary).toBe("refused");
      }),
    );
  });

  test("is an administrator of the account only if a role is deployed without a boundary", () => {
    const verdict = (dev: Environment) => rolesOf(dev)(dev.roles.find(({ name }) => name === "apply")?.arn ?? "");
    for (const dev of example.environments) {
      const own = dev.roles.find(({ policyBuilders }) => Object.values(policyBuilders).includes("applyEnvironment"));
      expect(rolesOf(dev)(own?.arn ?? "")).toBe("no");
    }
    expect(verdict(devOf({ roles: { apply, publisher } }))).toBe("no");
    expect(verdict(devOf({ roles: { apply, publisher }, permissionsBoundary: allowServices(["s3"]) }))).toBe("no");
    expect(verdict(devOf({ roles: { apply, publisher }, permissionsBoundary: everything }))).toBe("yes");
    const opted: RoleInput = { ...publisher, deployedBy: "pipeline-as-administrator" };
    const roles = { apply, publisher, opted };
    expect(verdict(devOf({ roles, permissionsBoundary: allowServices(["s3"]) }))).toBe("yes");
  });
});

function policiesOf({ roles }: Environment, name: string): NamedPolicy[] {
  const { inlinePolicies = {} } = roles.find((role) => role.name === name) ?? {};
  return Object.entries(inlinePolicies).map(([policy, document]) => ({ name: policy, document }));
}

describe("who deploys a role", () => {
  const permissionsBoundary = allowServices(["s3"]);
  const deploymentOf = (given: Partial<RoleInput>, dev: Partial<EnvironmentInput> = {}) => {
    const { roles } = devOf({ roles: { role: { trust, ...given } }, ...dev });
    return [roles[0]?.deployedBy, roles[0]?.permissionsBoundaryArn];
  };

  test("the pipeline, if the role has a boundary; otherwise an administrator", () => {
    expect(deploymentOf({})).toEqual(["administrator", undefined]);
    expect(deploymentOf({}, { permissionsBoundary })).toEqual(["pipeline", boundaryArn]);
    expect(deploymentOf({ permissionsBoundaryArn: ownArn })).toEqual(["pipeline", ownArn]);
    expect(deploymentOf({ permissionsBoundaryArn: ownArn }, { permissionsBoundary })).toEqual(["pipeline", ownArn]);
  });

  test("a role that administrators deploy does not get the boundary of the environment", () => {
    expect(deploymentOf({ deployedBy: "administrator" }, { permissionsBoundary })).toEqual([
      "administrator",
      undefined,
    ]);
    expect(deploymentOf({ deployedBy: "pipeline-as-administrator" }, { permissionsBoundary })).toEqual([
      "pipeline-as-administrator",
      undefined,
    ]);
    expect(deploymentOf({ deployedBy: "administrator", permissionsBoundaryArn: ownArn })).toEqual([
      "administrator",
      ownArn,
    ]);
  });

  test("always an administrator, if the role has applyEnvironment", () => {
    for (const deployedBy of [undefined, "pipeline", "pipeline-as-administrator"] as const)
      expect(deploymentOf({ ...apply, deployedBy }, { permissionsBoundary })).toEqual(["administrator", undefined]);
  });

  test("the pipeline without a boundary is refused where a role has applyEnvironment; the message has three fixes", () => {
    const role: RoleInput = { trust, deployedBy: "pipeline" };
    const { problems } = refusal(configuration({ roles: { apply, role } }));
    expect(problems).toMatchObject([
      { path: ["environments", "dev", "roles", "role", "deployedBy"], value: "pipeline" },
    ]);
    for (const fix of ["permissionsBoundary of environments.dev", '"administrator"', '"pipeline-as-administrator"'])
      expect(problems[0]?.message).toContain(fix);
    expect(() => defineConfig(configuration({ roles: { role } }))).not.toThrow();
    expect(() => defineConfig(configuration({ roles: { apply, role }, permissionsBoundary }))).not.toThrow();
  });

  test("the pipeline as an administrator is refused for a role with a boundary of its own", () => {
    const role: RoleInput = { trust, deployedBy: "pipeline-as-administrator", permissionsBoundaryArn: ownArn };
    expect(refusal(configuration({ roles: { role } })).message).toContain("contradicts permissionsBoundaryArn");
  });

  test.each([
    ["planEnvironment", planEnvironment],
    ["readState", readState],
  ])("a role with %s is refused if the boundary of the environment denies the state", (_, builder) => {
    const role: RoleInput = { trust, inlinePolicies: { it: builder } };
    expect(refusal(configuration({ roles: { role }, permissionsBoundary })).problems).toMatchObject([
      {
        path: ["environments", "dev", "roles", "role"],
        message: expect.stringContaining('deployedBy: "administrator"'),
      },
    ]);
    expect(() => defineConfig(configuration({ roles: { role }, permissionsBoundary: everything }))).not.toThrow();
  });
});

describe("the boundary of an environment", () => {
  test("is validated like an inline policy", () => {
    const wrong = { Statement: { Effect: "Allow", Action: "s3", Resource: "*" } } as const;
    const path = ["environments", "dev", "permissionsBoundary", "Statement", "Action"];
    for (const permissionsBoundary of [wrong, () => wrong])
      expect(refusal(configuration({ permissionsBoundary })).problems).toMatchObject([{ path }]);
  });

  test("has up to 6,144 characters", () => {
    const withSize = (length: number) => {
      const of = (Sid: string) =>
        ({ Version: "2012-10-17", Statement: { Sid, Effect: "Allow", Action: "s3:*", Resource: "*" } }) as const;
      return of("x".repeat(length - JSON.stringify(of("")).length));
    };
    expect(() => defineConfig(configuration({ permissionsBoundary: withSize(6144) }))).not.toThrow();
    const { problems } = refusal(configuration({ permissionsBoundary: withSize(6145) }));
    expect(problems).toMatchObject([
      { path: ["environments", "dev", "permissionsBoundary"], message: expect.stringContaining("6,144") },
    ]);
  });
});
