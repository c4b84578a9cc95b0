import {
  AttachRolePolicyCommand,
  CreateOpenIDConnectProviderCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { AccountReader, openAccount } from "../../keyless/aws/iam";
import { checkAccount } from "../../keyless/aws/identity";
import { UserError } from "../../keyless/errors";
import { type Sandbox, startSandbox } from "../../keyless/sandbox";
import { afterSuite } from "./after-suite";
import { ACCOUNT, FAR_ACCOUNT, signIn } from "./setup";

let sandbox: Sandbox;
const region = "us-east-1";

beforeAll(async () => {
  sandbox = await startSandbox();
  afterSuite(() => sandbox.stop());
});
beforeEach(() => signIn(sandbox.environment));

describe("the account of the credentials", () => {
  it("is accepted if it is the environment's", async () => {
    await expect(checkAccount({ accountId: ACCOUNT, region })).resolves.toBeUndefined();
  });

  it("is rejected if it is another one", async () => {
    signIn(sandbox.accountEnvironment(FAR_ACCOUNT));
    await expect(checkAccount({ accountId: ACCOUNT, region })).rejects.toThrow(
      /the AWS credentials belong to account 210987654321 \(arn:aws:.*\), the environment is in account 123456789012/,
    );
  });

  it("is rejected without credentials", async () => {
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...none } = sandbox.environment;
    signIn(none);
    await expect(checkAccount({ accountId: ACCOUNT, region })).rejects.toThrow(
      /^no valid AWS credentials \(.*\): sign/s,
    );
    await expect(openAccount({ accountId: ACCOUNT, region })).rejects.toThrow(UserError);
  });
});

describe("the reader of IAM", () => {
  const trust = { Version: "2012-10-17", Statement: [] };
  const document = (Action: string) => ({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action, Resource: "*" }],
  });
  const policyArn = `arn:aws:iam::${ACCOUNT}:policy/own`;
  let account: AccountReader;

  beforeAll(async () => {
    signIn(sandbox.environment);
    const iam = new IAMClient({ region });
    const policy = (Action: string) => JSON.stringify(document(Action));
    await iam.send(new CreatePolicyCommand({ PolicyName: "own", PolicyDocument: policy("s3:*") }));
    const version = { PolicyArn: policyArn, PolicyDocument: policy("s3:Get*"), SetAsDefault: true };
    await iam.send(new CreatePolicyVersionCommand(version));
    await iam.send(
      new CreateRoleCommand({
        RoleName: "reader",
        Path: "/ci/",
        AssumeRolePolicyDocument: JSON.stringify(trust),
        MaxSessionDuration: 7200,
        PermissionsBoundary: policyArn,
        Tags: [{ Key: "Team", Value: "web" }],
      }),
    );
    await iam.send(new AttachRolePolicyCommand({ RoleName: "reader", PolicyArn: policyArn }));
    await iam.send(
      new PutRolePolicyCommand({ RoleName: "reader", PolicyName: "inline", PolicyDocument: policy("sqs:*") }),
    );
    for (let at = 0; at < 120; at++)
      await iam.send(
        new CreateRoleCommand({ RoleName: `role-${at}`, AssumeRolePolicyDocument: JSON.stringify(trust) }),
      );
    await iam.send(new CreateUserCommand({ UserName: "ada", Path: "/people/" }));
    await iam.send(
      new CreateOpenIDConnectProviderCommand({ Url: "https://oidc.example.com", ClientIDList: ["one", "two"] }),
    );
    account = await openAccount({ accountId: ACCOUNT, region });
  });

  it("returns all fields of a role", async () => {
    await expect(account.role("reader")).resolves.toMatchObject({
      name: "reader",
      arn: `arn:aws:iam::${ACCOUNT}:role/ci/reader`,
      path: "/ci/",
      maxSessionSeconds: 7200,
      tags: { Team: "web" },
      trustPolicy: trust,
      boundaryArn: policyArn,
    });
  });

  it("lists the roles of all pages", async () => {
    const roles = await account.roles();
    expect(roles).toHaveLength(121);
    expect(new Set(roles.map(({ name }) => name)).size).toBe(121);
  });

  it("returns the permissions of a role: the default version of its managed policies, and its inline policies", async () => {
    await expect(account.policies("reader")).resolves.toEqual([
      { name: policyArn, document: document("s3:Get*") },
      { name: "inline", document: document("sqs:*") },
    ]);
  });

  it("returns the audiences of a provider and the path of a user", async () => {
    const provider = `arn:aws:iam::${ACCOUNT}:oidc-provider/oidc.example.com`;
    expect([...((await account.audiences(provider)) ?? [])].sort()).toEqual(["one", "two"]);
    await expect(account.userPath("ada")).resolves.toBe("/people/");
  });

  it("returns undefined for what does not exist, and no permissions for a role or a policy that does not", async () => {
    await expect(account.role("absent")).resolves.toBeUndefined();
    await expect(account.userPath("absent")).resolves.toBeUndefined();
    await expect(account.audiences(`arn:aws:iam::${ACCOUNT}:oidc-provider/absent`)).resolves.toBeUndefined();
    await expect(account.policies("absent")).resolves.toEqual([]);
    const { document } = await account.managedPolicy(`arn:aws:iam::${ACCOUNT}:policy/absent`);
    expect(document.Statement).toEqual([]);
  });

  it("rejects with the reason if AWS denies the request", async () => {
    signIn({ ...sandbox.environment, AWS_ACCESS_KEY_ID: "ASIAEXAMPLEEXAMPLE22", AWS_SESSION_TOKEN: "x" });
    const denied = new AccountReader(new IAMClient({ region })).role("reader");
    await expect(denied).rejects.toThrow(/^cannot read role reader from AWS: .+/);
    await expect(denied).rejects.toBeInstanceOf(UserError);
  });
});
