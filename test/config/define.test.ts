import { ConfigError, defineConfig } from "../../keyless/config/define";
import type { ConfigInput } from "../../keyless/config/input";
import { applyEnvironment, planEnvironment } from "../../keyless/permissions/environment";
import { readState } from "../../keyless/permissions/state";
import example from "../example/config";
import { account, devOf, having, organization, project, refusal, valid } from "./configuration";

const role = "environments.dev.roles.reader";

describe("the problems of a configuration", () => {
  test("are reported together, with path, value and fix", () => {
    const { message, problems } = refusal(
      having(
        ["circleci.organizationId", "acme"],
        ["environments.dev.accountId", "1"],
        ["environments.dev.state.lockTable", undefined],
        ["environments.dev.roles.reader.trust", []],
        ["environments.dev.roles.reader.inlinePolicies", { "a b": {} }],
        [["environments", "dev", "roles", "x.y"], { trust: [{ project: "x", refs: "any" }] }],
      ),
    );
    expect(problems).toHaveLength(7);
    expect(message.split("\n")).toEqual(
      expect.arrayContaining([
        "the configuration has 7 problems:",
        expect.stringMatching(/^ {2}circleci\.organizationId: "acme" is not an organization ID: write /),
        expect.stringMatching(/^ {2}environments\.dev\.accountId: "1" is not an AWS account ID: write its 12 digits/),
        expect.stringMatching(/^ {2}environments\.dev\.state\.lockTable: is missing: /),
        expect.stringMatching(/^ {2}environments\.dev\.roles\.reader\.trust: \[\] must contain at least one rule, /),
        expect.stringMatching(/^ {2}environments\.dev\.roles\.reader\.inlinePolicies\["a b"\]: "a b" is not an inline/),
        expect.stringMatching(/^ {2}environments\.dev\.roles\["x\.y"\]\.trust\[0\]\.project: "x" is not a project ID/),
      ]),
    );
  });

  test("are a user error with exit status 64", () => {
    expect(refusal(undefined)).toMatchObject({ isUserError: true, exitStatus: 64, name: "ConfigError" });
    expect(() => defineConfig(undefined as never)).toThrow(ConfigError);
  });

  test("of one role do not hide those between other roles", () => {
    const { problems } = refusal(
      having(
        [`${role}.trust`, null],
        ["environments.dev.roles.A", valid.environments.dev?.roles.reader],
        ["environments.dev.roles.a", valid.environments.dev?.roles.reader],
      ),
    );
    expect(problems.map(({ path }) => path.join("."))).toEqual([`${role}.trust`, "environments.dev.roles.a"]);
  });
});

describe("unusual values", () => {
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  const values: readonly (readonly [string, unknown])[] = [
    ["null", null],
    ["a number", 42],
    ["NaN", Number.NaN],
    ["a big integer", 42n],
    ["a symbol", Symbol("x")],
    ["a function", () => valid],
    ["a class", class {}],
    ["an empty list", []],
    ["a nested list", [[[]]]],
    ["a date", new Date(0)],
    ["a map", new Map([["a", 1]])],
    ["an object without a prototype", Object.create(null)],
    ["a cycle", cyclic],
    ["a huge string", "x".repeat(1_000_000)],
    ["a template", '${file("/etc/passwd")}'],
    ["a line break", "a\nb"],
  ];
  const paths = [
    "",
    "circleci",
    "circleci.organizationId",
    "circleci.audiences",
    "circleci.thumbprints",
    "circleci.server",
    "tags",
    "tags.a",
    "environments",
    "environments.dev",
    "environments.dev.accountId",
    "environments.dev.region",
    "environments.dev.state",
    "environments.dev.state.bucket",
    "environments.dev.state.lockTable",
    "environments.dev.state.kmsKeyArn",
    "environments.dev.state.keepOldVersionsDays",
    "environments.dev.quotas",
    "environments.dev.roles",
    role,
    `${role}.trust`,
    `${role}.trust.0`,
    `${role}.trust.0.project`,
    `${role}.trust.0.branches`,
    `${role}.trust.0.users`,
    `${role}.trust.0.refs`,
    `${role}.trust.0.subject`,
    `${role}.managedPolicyArns`,
    `${role}.inlinePolicies`,
    `${role}.inlinePolicies.read`,
    `${role}.inlinePolicies.read.Statement`,
    `${role}.inlinePolicies.read.Statement.0.Action`,
    `${role}.inlinePolicies.read.Statement.0.Resource`,
    `${role}.inlinePolicies.read.Statement.0.Condition`,
    `${role}.path`,
    `${role}.tags`,
    `${role}.maxSessionSeconds`,
  ];
  // Some values are valid at some paths. Every error must be a ConfigError.
  test.each(values)("%s at any path is accepted, or refused with a ConfigError", (_, value) => {
    for (const path of paths) {
      try {
        expect(defineConfig(having([path, value])).environments.length).toBeGreaterThan(0);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw new Error(`${path}: ${(error as Error).stack}`);
        expect(error.message.length).toBeLessThan(10_000);
      }
    }
  });

  test("keys such as constructor do not bypass the checks", () => {
    for (const name of ["constructor", "prototype", "__proto__", "toString", "hasOwnProperty"]) {
      const named = Object.fromEntries([[name, { trust: [{ project: "*" }] }]]);
      expect(refusal(having(["environments.dev.roles", named])).message).toContain("plain object");
      expect(refusal(having(["environments", named])).message).toContain("plain object");
      expect(refusal(having(["tags", named])).message).toContain("plain object");
    }
  });
});

describe("defaults", () => {
  const dev = devOf();

  test("of the organization: circleci.com's issuer, the organization as audience, no thumbprint", () => {
    expect(dev.circleci).toEqual({
      organizationId: organization,
      issuer: `oidc.circleci.com/org/${organization}`,
      audiences: [organization],
      thumbprints: [],
    });
  });

  test("of an environment: the region's partition, its own provider, the default quotas", () => {
    expect(dev).toMatchObject({
      partition: "aws",
      oidcProvider: {
        mode: "create",
        arn: `arn:aws:iam::${account}:oidc-provider/oidc.circleci.com/org/${organization}`,
      },
      quotas: { trustPolicySize: 2048, managedPoliciesPerRole: 10, rolesPerAccount: 1000 },
      state: {
        bucket: "acme-tfstate",
        key: "dev/terraform.tfstate",
        region: "us-east-1",
        lock: "dynamodb",
        lockTable: "acme-lock",
      },
    });
  });

  test("of a role: path /, one hour, the configuration's tags, deployed by an administrator", () => {
    expect(dev.roles[0]).toMatchObject({
      arn: `arn:aws:iam::${account}:role/reader`,
      path: "/",
      maxSessionSeconds: 3600,
      tags: { ManagedBy: "cdktf" },
      deployedBy: "administrator",
    });
  });

  test("of the state backend: 90 days, the key of its own state", () => {
    const [backend] = defineConfig(valid).stateBackends;
    expect(backend).toMatchObject({
      name: "dev-state",
      keepOldVersionsDays: 90,
      state: { key: "dev-state/terraform.tfstate" },
    });
  });

  test("a role's tags override the configuration's", () => {
    const { roles } = devOf([`${role}.tags`, { ManagedBy: "hand", Team: "web" }]);
    expect(roles[0]?.tags).toEqual({ ManagedBy: "hand", Team: "web" });
  });

  test("with a lock file, lockTable is ignored", () => {
    expect(devOf(["environments.dev.state.lock", "lockfile"]).state).not.toHaveProperty("lockTable");
  });
});

describe("regions and their partitions", () => {
  test.each([
    ["us-east-1", "aws"],
    ["ap-southeast-4", "aws"],
    ["mx-central-1", "aws"],
    ["cn-northwest-1", "aws-cn"],
    ["us-gov-west-1", "aws-us-gov"],
    ["us-iso-east-1", "aws-iso"],
    ["us-isob-east-1", "aws-iso-b"],
    ["eu-isoe-west-1", "aws-iso-e"],
    ["us-isof-south-1", "aws-iso-f"],
    ["eusc-de-east-1", "aws-eusc"],
  ])("%s is in partition %s", (region, partition) => {
    const dev = devOf(
      ["environments.dev.region", region],
      [`${role}.managedPolicyArns`, [`arn:${partition}:iam::aws:policy/x`]],
    );
    expect(dev.partition).toBe(partition);
    expect(dev.roles[0]?.arn).toBe(`arn:${partition}:iam::${account}:role/reader`);
    expect(dev.oidcProvider.arn).toMatch(new RegExp(`^arn:${partition}:iam::`));
  });
});

describe("values at the limit of their form are accepted", () => {
  test.each<[path: string, value: unknown]>([
    ["circleci.audiences", ["x".repeat(255), "a"]],
    ["circleci.audiences", ["https://example.com/*?"]],
    ["circleci.thumbprints", ["A".repeat(40)]],
    ["circleci.server", "circleci.internal.example.com"],
    ["tags", { "a b_.:/=+-@é": "" }],
    ["environments.dev.roles", { "0+=,.@-_": { trust: [{ project, refs: "any" }] } }],
    ["environments.dev.state.bucket", "a.b-1"],
    ["environments.dev.state.bucket", "x".repeat(63)],
    ["environments.dev.state.keyPrefix", "a/b.c_d/"],
    ["environments.dev.state.keepOldVersionsDays", "forever"],
    [`${role}.path`, `/${"x".repeat(510)}/`],
    [`${role}.path`, "/a/b/"],
    [`${role}.description`, '${x} %{y} "quoted" é\n\ttab'],
    [`${role}.description`, ""],
    [`${role}.maxSessionSeconds`, 43200],
    [`${role}.managedPolicyArns`, [`arn:aws:iam::${account}:policy/a/b/c`, `arn:aws:iam::${account}:policy/c`]],
    [`${role}.trust.0.repository`, "bitbucket.org/acme/site.web"],
    [`${role}.trust.0.repository`, "gitlab.example.com:8443/group/subgroup/site"],
    [`${role}.trust.0.branches`, ["*", "release/*", "feature/a-b_c.d", "x'\"<>|;#é", "@"]],
    [`${role}.trust.0.tags`, ["v*", "1.2.3"]],
    [`${role}.inlinePolicies`, { plan: planEnvironment, apply: applyEnvironment, state: readState }],
    [
      `${role}.inlinePolicies.read.Statement`,
      {
        Effect: "Deny",
        NotAction: ["s3:Get*"],
        NotResource: ["arn:aws:s3:::a/${aws:username}"],
        Condition: { Bool: { "aws:SecureTransport": false } },
      },
    ],
  ])("%s: %j", (path, value) => {
    expect(() => defineConfig(having([path, value]))).not.toThrow();
  });
});

test("the example has two environments in two accounts, and their backends", () => {
  expect(example.environments.map(({ name }) => name)).toEqual(["dev", "prod"]);
  expect(new Set(example.environments.map(({ accountId }) => accountId)).size).toBe(2);
  expect(example.stateBackends.map(({ name }) => name)).toEqual(["dev-state", "prod-state"]);
});

test("unknown fields and wrong types are compile errors", () => {
  const input = valid as ConfigInput;
  // Never called: this file compiles only if each line below is a type error.
  const mistakes = () => {
    // @ts-expect-error an unknown field of the configuration
    defineConfig({ ...input, enviroments: {} });
    // @ts-expect-error a field that is missing
    defineConfig({ environments: {} });
    // @ts-expect-error a number instead of a string
    defineConfig({ ...input, circleci: { organizationId: 5 } });
    // @ts-expect-error an unknown field of the organization
    defineConfig({ ...input, circleci: { organizationId: "", audience: "" } });
    const dev = valid.environments.dev as ConfigInput["environments"][string];
    // @ts-expect-error an unknown lock
    defineConfig({ ...input, environments: { dev: { ...dev, state: { bucket: "b", lock: "file" } } } });
    const roleOf = (reader: ConfigInput["environments"][string]["roles"][string]) => reader;
    // @ts-expect-error a role without trust
    roleOf({});
    // @ts-expect-error an unknown field of a role
    roleOf({ trust: [], policies: [] });
    // @ts-expect-error a rule without a project
    roleOf({ trust: [{ repository: "github.com/acme/site", branches: ["main"] }] });
    // @ts-expect-error an unknown effect
    roleOf({ trust: [], inlinePolicies: { a: { Statement: { Effect: "allow" } } } });
    // @ts-expect-error the configuration is read-only
    input.environments.dev = dev;
  };
  expect(mistakes).toBeInstanceOf(Function);
});
