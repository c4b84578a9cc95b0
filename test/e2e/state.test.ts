import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import {
  CreateTableCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand, HeadObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { StateBackend } from "../../keyless/config/resolved";
import { type Sandbox, startSandbox } from "../../keyless/sandbox";
import { bootstrap } from "../../keyless/state/bootstrap";
import { StateStore } from "../../keyless/state/store";
import { devOf } from "../config/configuration";
import { afterSuite } from "./after-suite";
import { ACCOUNT, FAR_ACCOUNT, signIn } from "./setup";

let sandbox: Sandbox;
const region = "us-east-1";

beforeAll(async () => {
  sandbox = await startSandbox();
  afterSuite(() => sandbox.stop());
});
beforeEach(() => signIn(sandbox.environment));

let clients: { s3: S3Client; dynamodb: DynamoDBClient };
let names = 0;

beforeAll(() => {
  signIn(sandbox.environment);
  clients = { s3: new S3Client({ region, forcePathStyle: true }), dynamodb: new DynamoDBClient({ region }) };
});

/** A new state backend. Nothing of it exists in the account. */
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

const lockInfo = (owner: string) => JSON.stringify({ ID: "1", Who: owner });
const lockItem = ({ state }: StateBackend) => ({
  TableName: state.lockTable,
  Key: { LockID: { S: `${state.bucket}/${state.key}` } },
});

describe("the store of the state", () => {
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
    await expect(store.putFirstState(Buffer.from("{}"))).rejects.toThrow(
      "another run has stored the state of dev-state",
    );
    await expect(clients.s3.send(new HeadObjectCommand(object))).resolves.toMatchObject({ ContentLength });
  });

  describe("releases a lock", () => {
    const info = lockInfo("ada@laptop");

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

describe("bootstrap", () => {
  let folder: string;

  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), "keyless-test-")), "dev-state");
  });
  afterEach(() => rmSync(dirname(folder), { recursive: true, force: true }));

  /** Runs bootstrap with a shell script in place of Terraform, whose first argument is Terraform's command. */
  function run(given: StateBackend, script: string) {
    const binary = join(dirname(folder), "terraform");
    writeFileSync(binary, `#!/bin/sh\n${script}\n`);
    chmodSync(binary, 0o755);
    const env = { ...process.env, TERRAFORM_BINARY_NAME: binary };
    const stack = JSON.stringify({ terraform: { backend: { s3: {} } } });
    return bootstrap({ backend: given, stack, folder, adopt: false, env, progress: () => {} });
  }

  const owner = `${userInfo().username}@${hostname()}`;
  const ended = Number(execFileSync("sh", ["-c", "echo $$"], { encoding: "utf8" }));
  it.each([
    ["releases the lock of a killed run on this machine", { pid: ended, who: owner }, owner, undefined],
    ["keeps the lock of a run that is alive", { pid: process.pid, who: owner }, owner, owner],
    ["keeps the lock of another machine", { pid: ended, who: "ada@laptop" }, "ada@laptop", "ada@laptop"],
    ["keeps the lock of another owner than the killed run", { pid: ended, who: owner }, "ada@laptop", "ada@laptop"],
  ])("%s", async (_, killedRun, lockedBy, expected) => {
    const given = backend("dynamodb");
    await createBucket(given);
    await createTable(given);
    await put(given, "dev-state/key", "{}");
    const { TableName, Key } = lockItem(given);
    await clients.dynamodb.send(new PutItemCommand({ TableName, Item: { ...Key, Info: { S: lockInfo(lockedBy) } } }));
    mkdirSync(folder);
    writeFileSync(join(folder, "run.json"), JSON.stringify(killedRun));
    await expect(run(given, "exit 0")).resolves.toBe("unchanged");
    const { Item } = await clients.dynamodb.send(new GetItemCommand(lockItem(given)));
    expect(Item && JSON.parse(Item.Info?.S ?? "").Who).toBe(expected);
  });

  it("imports what a killed run created, if its local state is damaged, and keeps the damaged file", async () => {
    const given = backend();
    await createBucket(given);
    await createTable(given);
    mkdirSync(folder);
    writeFileSync(join(folder, "terraform.tfstate"), '{"version": 4, "resou');
    const record = `cp imports.tf.json "${dirname(folder)}" && echo '{"serial":1}' > terraform.tfstate`;
    const failing = run(given, `if [ "$1" = apply ]; then ${record}; exit 1; fi`);
    await expect(failing).rejects.toThrow("terraform apply failed");
    expect(JSON.parse(readFileSync(join(dirname(folder), "imports.tf.json"), "utf8"))).toEqual({
      import: [
        { to: "aws_s3_bucket.state", id: given.state.bucket },
        { to: "aws_dynamodb_table.lock", id: given.state.lockTable },
      ],
    });
    expect(readdirSync(folder)).toContainEqual(expect.stringMatching(/^terraform\.tfstate\.damaged-\d+$/));

    await expect(run(given, `if [ "$1" = state ]; then echo aws_s3_bucket.state; fi`)).resolves.toBe("changed");
    expect(existsSync(folder)).toBe(false);
    await expect(new StateStore(given).find()).resolves.toMatchObject({ state: true });
  });

  it("imports only what the local state does not have", async () => {
    const given = backend();
    await createBucket(given);
    await createTable(given);
    mkdirSync(folder);
    const record = `cp imports.tf.json "${dirname(folder)}"; exit 1`;
    const script = `case "$1" in state) echo aws_s3_bucket.state;; apply) ${record};; esac`;
    await expect(run(given, script)).rejects.toThrow("terraform apply failed");
    expect(JSON.parse(readFileSync(join(dirname(folder), "imports.tf.json"), "utf8"))).toEqual({
      import: [{ to: "aws_dynamodb_table.lock", id: given.state.lockTable }],
    });
  });

  it.each(["bucket", "table"])("rejects an existing %s before it writes a file", async (existing) => {
    const given = backend();
    if (existing === "table") await createTable(given);
    else {
      await createBucket(given);
      await put(given, "other", "x");
    }
    await expect(run(given, "exit 1")).rejects.toThrow(`the account already has ${existing}`);
    expect(existsSync(folder)).toBe(false);
  });
});
