import { defineConfig } from "../../keyless/config/define";
import { account, having, organization, project, refusal, valid } from "./configuration";

const dev = valid.environments.dev;
const other = "210987654321";
const stateKms = (region: string, owner: string) =>
  `arn:aws:kms:${region}:${owner}:key/11111111-2222-3333-4444-555555555555`;

/** A second environment in the same account, with its own bucket and role, and with changes. */
function second(changes: object = {}) {
  const state = { bucket: "acme-second", lockTable: "acme-second-lock" };
  const trust = [{ project, refs: "any" }];
  return {
    accountId: account,
    region: "us-east-1",
    oidcProvider: "existing",
    state,
    roles: { writer: { trust } },
    ...changes,
  };
}

test("two environments of one account, one of which creates the provider, are valid", () => {
  expect(() => defineConfig(having(["environments.prod", second()]))).not.toThrow();
});

test("two environments that share a bucket have one state backend, named after the first", () => {
  const config = defineConfig(having(["environments.prod", second({ state: dev?.state })]));
  expect(config.stateBackends.map(({ name }) => name)).toEqual(["dev-state"]);
  expect(config.environments.map(({ state }) => state.key)).toEqual([
    "dev/terraform.tfstate",
    "prod/terraform.tfstate",
  ]);
});

/** The second environment, and the expected message. */
const conflicts: readonly (readonly [what: string, changes: object, path: string, expected: RegExp])[] = [
  [
    "creates the provider again",
    { oidcProvider: undefined },
    "oidcProvider",
    /which environment "dev" already creates: set oidcProvider: "existing"/,
  ],
  [
    "has a role of the same name",
    { roles: dev?.roles },
    "roles.reader",
    /has the same name as role "reader" of environment "dev"/,
  ],
  [
    "has a role that differs only in case",
    { roles: { READER: dev?.roles.reader } },
    "roles.READER",
    /without regard to case/,
  ],
  [
    "names a bucket of another account",
    { accountId: other, oidcProvider: "create", state: dev?.state },
    "state.bucket",
    /is the bucket of environment "dev" in account 123456789012/,
  ],
  [
    "shares the bucket with another table",
    { state: { ...dev?.state, lockTable: "another" } },
    "state.lockTable",
    /make them equal/,
  ],
  ["shares the bucket with another lock", { state: { ...dev?.state, lock: "both" } }, "state.lock", /make them equal/],
  ["shares the bucket from another region", { region: "eu-west-1", state: dev?.state }, "state", /make them equal/],
  [
    "shares the bucket with a key of its own",
    { state: { ...dev?.state, kmsKeyArn: stateKms("us-east-1", account) } },
    "state.kmsKeyArn",
    /make them equal/,
  ],
  [
    "shares the bucket with another retention",
    { state: { ...dev?.state, keepOldVersionsDays: 7 } },
    "state.keepOldVersionsDays",
    /make them equal/,
  ],
  [
    "uses the lock table of another bucket",
    { state: { bucket: "acme-second", lockTable: "acme-lock" } },
    "state.lockTable",
    /is the table of bucket acme-tfstate in environment "dev"/,
  ],
  ["has no lock table", { state: { bucket: "acme-second" } }, "state.lockTable", /set lock: "lockfile"/],
  [
    "has its state in another partition",
    { state: { bucket: "acme-second", lock: "lockfile", region: "cn-north-1" } },
    "state.region",
    /use a region of partition aws$/m,
  ],
  [
    "has a key of another account",
    { state: { bucket: "acme-second", lock: "lockfile", kmsKeyArn: stateKms("us-east-1", other) } },
    "state.kmsKeyArn",
    /use a key of account 123456789012 in us-east-1/,
  ],
  [
    "has a key of another region",
    { state: { bucket: "acme-second", lock: "lockfile", kmsKeyArn: stateKms("eu-west-1", account) } },
    "state.kmsKeyArn",
    /in us-east-1/,
  ],
  [
    "has two roles with the same Terraform name",
    { roles: { "a.b": dev?.roles.reader, ab: dev?.roles.reader } },
    "roles.ab",
    /the same Terraform name as role "a.b"/,
  ],
  [
    "names a policy of another account",
    { roles: { writer: { trust: [{ project, refs: "any" }], managedPolicyArns: [`arn:aws:iam::${other}:policy/x`] } } },
    "roles.writer.managedPolicyArns.0",
    /is in another account: use an AWS managed policy .* or one of account 123456789012/,
  ],
  [
    "names a policy of another partition",
    { roles: { writer: { trust: [{ project, refs: "any" }], managedPolicyArns: ["arn:aws-cn:iam::aws:policy/x"] } } },
    "roles.writer.managedPolicyArns.0",
    /is in another partition: .*arn:aws:iam::aws/,
  ],
  [
    "names a boundary of another account",
    {
      roles: {
        writer: { trust: [{ project, refs: "any" }], permissionsBoundaryArn: `arn:aws:iam::${other}:policy/x` },
      },
    },
    "roles.writer.permissionsBoundaryArn",
    /is in another account/,
  ],
  [
    "names a policy twice",
    {
      roles: {
        writer: { trust: [{ project, refs: "any" }], managedPolicyArns: Array(2).fill("arn:aws:iam::aws:policy/x") },
      },
    },
    "roles.writer.managedPolicyArns.1",
    /is listed twice/,
  ],
];

describe("a configuration is refused if the second environment", () => {
  test.each(conflicts)("%s", (_, changes, path, expected) => {
    const { problems, message } = refusal(having(["environments.prod", second(changes)]));
    expect(problems.map((problem) => problem.path.join("."))).toEqual([`environments.prod.${path}`]);
    expect(message).toMatch(expected);
  });
});

test("an environment with the name of a state backend is refused", () => {
  const { message } = refusal(having(["environments.dev-state", second({ state: dev?.state })]));
  expect(message).toContain(
    'environments.dev-state: has the name of the state backend of environment "dev": rename it',
  );
  expect(message).toMatch(/gives stack "dev-state" the state key of stack "dev-state"/);
});

test("equal state keys from prefixes are refused", () => {
  const prefixed = { ...dev?.state, keyPrefix: "a/" };
  const { message } = refusal(
    having(
      ["environments", { b: { ...dev, state: { ...dev?.state, keyPrefix: "a/" } } }],
      ["environments.b-state", second({ state: prefixed })],
    ),
  );
  expect(message).toMatch(
    / a\/b-state\/terraform.tfstate in acme-tfstate: rename the environment or use another keyPrefix/,
  );
});

test("subject patterns of the configured organization are accepted", () => {
  const subject = `org/${organization}/project/${project}/user/*`;
  expect(() => defineConfig(having(["environments.dev.roles.reader.trust", [{ subject }]]))).not.toThrow();
});
