import {
  CreateTableCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
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
import { CreateBucketCommand, HeadObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { AccountReader, openAccount } from "../../keyless/aws/iam";
import { checkAccount } from "../../keyless/aws/identity";
import type { StateBackend } from "../../keyless/config/resolved";
import { UserError } from "../../keyless/errors";
import { type Sandbox, startSandbox } from "../../keyless/sandbox";
import { StateStore } from "../../keyless/state/store";
import type { Env } from "../../keyless/terraform/executables";
import { devOf } from "../config/configuration";
import { afterSuite } from "./after-suite";
import { ACCOUNT, FAR_ACCOUNT } from "./setup";

// The code under test finds its credentials in the environment of this process, as the commands do.
let sandbox: Sandbox;
const region = "us-east-1";
const unchanged = { ...process.env };

function signIn(env: Env): void {
  const isSetting = (name: string) => /^AWS_(?!SDK_)/.test(name);
  for (const name of Object.keys(process.env)) if (isSetting(name)) delete process.env[name];
  Object.assign(process.env, Object.fromEntries(Object.entries(env).filter(([name]) => isSetting(name))));
}

beforeAll(async () => {
  sandbox = await startSandbox();
  afterSuite(() => sandbox.stop());
});
beforeEach(() => signIn(sandbox.environment));
afterAll(() => {
  process.env = unchanged;
});

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

describe("the store of the state", () => {
  let clients: { s3: S3Client; dynamodb: DynamoDBClient };
  let names = 0;

  beforeAll(() => {
    signIn(sandbox.environment);
    clients = { s3: new S3Client({ region, forcePathStyle: true }), dynamodb: new DynamoDBClient({ region }) };
  });

  /** A state backend of its own, of which nothing exists in the account. */
  function backend(lock: "dynamodb" | "lockfile" | "both" = "both"): StateBackend {
    const bucket = `acme-state-${++names}`;
    const lockTable = lock === "lockfile" ? undefined : `${bucket}-lock`;
    const { state } = devOf(["environments.dev.state", { bucket, lockTable, lock }]);
    const rest = { environment: "dev", accountId: ACCOUNT, partition: "aws", tags: {} };
    return { ...rest, name: "dev-state", state: { ...state, key: "dev-state/key" }, keepOldVersionsDays: "forever" };
  }

  const createBucket = ({ state }: StateBackend) => clients.s3.send(new CreateBucketCommand({ Bucket: state.bucket }));
  const createTable = ({ state }: StateBackend) =>
    clients.dynamodb.send(
      new CreateTableCommand({
        TableName: state.lockTable,
        AttributeDefinitions: [{ AttributeName: "LockID", AttributeType: "S" }],
        KeySchema: [{ AttributeName: "LockID", KeyType: "HASH" }],
        BillingMode: "PAY_PER_REQUEST",
      }),
    );
  const put = ({ state }: StateBackend, Key: string, Body: string) =>
    clients.s3.send(new PutObjectCommand({ Bucket: state.bucket, Key, Body }));

  it("finds what exists, step by step", async () => {
    const given = backend();
    const store = new StateStore(given);
    const nothing = { bucket: false, bucketIsEmpty: false, table: false, state: false };
    await expect(store.find()).resolves.toEqual(nothing);
    await createBucket(given);
    await expect(store.find()).resolves.toEqual({ ...nothing, bucket: true, bucketIsEmpty: true });
    await createTable(given);
    await put(given, "other", "x");
    await expect(store.find()).resolves.toEqual({ ...nothing, bucket: true, table: true });
    await put(given, "dev-state/key", "{}");
    await expect(store.find()).resolves.toEqual({ ...nothing, bucket: true, table: true, state: true });
  });

  it("rejects a bucket of another account", async () => {
    const given = backend();
    signIn(sandbox.accountEnvironment(FAR_ACCOUNT));
    await new S3Client({ region, forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: given.state.bucket }));
    signIn(sandbox.environment);
    await expect(new StateStore(given).find()).rejects.toThrow(
      `bucket ${given.state.bucket} is not accessible to account ${ACCOUNT} in us-east-1`,
    );
  });

  it("puts the first state encrypted, and never replaces a state", async () => {
    const given = backend();
    const store = new StateStore(given);
    await createBucket(given);
    await store.putFirstState(Buffer.from('{"serial":1}'));
    const object = { Bucket: given.state.bucket, Key: "dev-state/key" };
    const { ServerSideEncryption, ContentLength } = await clients.s3.send(new HeadObjectCommand(object));
    expect(ServerSideEncryption).toBe("AES256");
    await expect(store.putFirstState(Buffer.from("{}"))).rejects.toThrow("another run has put the state of dev-state");
    await expect(clients.s3.send(new HeadObjectCommand(object))).resolves.toMatchObject({ ContentLength });
  });

  describe("releases a lock", () => {
    const info = JSON.stringify({ ID: "1", Who: "ada@laptop" });
    const lockItem = ({ state }: StateBackend) => ({
      TableName: state.lockTable,
      Key: { LockID: { S: `${state.bucket}/${state.key}` } },
    });

    it("of the table and of the bucket, if the name is the lock's owner", async () => {
      const given = backend();
      const store = new StateStore(given);
      await createBucket(given);
      await createTable(given);
      await expect(store.releaseLock("ada@laptop")).resolves.toBe(false);
      const { TableName, Key } = lockItem(given);
      await clients.dynamodb.send(new PutItemCommand({ TableName, Item: { ...Key, Info: { S: info } } }));
      await put(given, "dev-state/key.tflock", info);

      await expect(store.releaseLock("grace@laptop")).resolves.toBe(false);
      const kept = await clients.dynamodb.send(new GetItemCommand(lockItem(given)));
      expect(kept.Item?.Info?.S).toBe(info);

      await expect(store.releaseLock("ada@laptop")).resolves.toBe(true);
      const released = await clients.dynamodb.send(new GetItemCommand(lockItem(given)));
      expect(released.Item).toBeUndefined();
      const file = new HeadObjectCommand({ Bucket: given.state.bucket, Key: "dev-state/key.tflock" });
      await expect(clients.s3.send(file)).rejects.toMatchObject({ name: "NotFound" });
    });

    it("only of the kind that the backend uses", async () => {
      const given = backend("lockfile");
      await createBucket(given);
      await put(given, "dev-state/key.tflock", info);
      await expect(new StateStore(given).releaseLock("ada@laptop")).resolves.toBe(true);
      const table = backend("dynamodb");
      await createBucket(table);
      await createTable(table);
      await put(table, "dev-state/key.tflock", info);
      await expect(new StateStore(table).releaseLock("ada@laptop")).resolves.toBe(false);
    });

    it("never the digest of the state, which is an item of the same table without lock information", async () => {
      const given = backend("dynamodb");
      await createBucket(given);
      await createTable(given);
      const { TableName, Key } = lockItem(given);
      await clients.dynamodb.send(new PutItemCommand({ TableName, Item: { ...Key, Digest: { S: "x" } } }));
      await expect(new StateStore(given).releaseLock("ada@laptop")).resolves.toBe(false);
      await clients.dynamodb.send(new DeleteItemCommand(lockItem(given)));
    });
  });
});
