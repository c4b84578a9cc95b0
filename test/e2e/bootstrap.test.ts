// @duration 118
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ConfigInput } from "../../keyless/config/input";
import type { Sandbox } from "../../keyless/sandbox";
import type { Env } from "../../keyless/terraform/executables";
import { sample } from "./documents";
import { aws, type Project, type Ran } from "./project";
import { ACCOUNT, FAR_ACCOUNT, ORGANIZATION, setUp } from "./setup";

const environments = ["bucket", "local", "orphan", "changed", "foreign", "far"] as const;
type Name = (typeof environments)[number];

/** Environments without roles: bootstrap creates only their state backends. */
function config({ tag = "1" } = {}): ConfigInput {
  const environment = (name: Name) => ({
    accountId: ACCOUNT,
    region: "us-east-1",
    oidcProvider: name === "bucket" ? ("create" as const) : ("existing" as const),
    state: {
      bucket: `acme-${name}-tfstate`,
      lockTable: `acme-${name}-tfstate-lock`,
      keepOldVersionsDays: "forever" as const,
    },
    roles: {},
  });
  return {
    circleci: { organizationId: ORGANIZATION },
    tags: { Version: tag },
    environments: Object.fromEntries(environments.map((name) => [name, environment(name)])),
  };
}

let sandbox: Sandbox;
let project: Project;

beforeAll(async () => {
  ({ sandbox, project } = await setUp(config()));
});

function bootstrap(name: Name, ...options: string[]): Promise<Ran> {
  return project.keyless(sandbox.environment, "bootstrap", name, ...options);
}

/**
 * The output with the name of the environment replaced by `dev`, which the samples in the guides use, and without the
 * step before the next one: the environments here share an account in which no provider is deployed.
 */
function asDev(output: string, name: Name): string {
  return output.replaceAll(name, "dev").replace(/^account .* has no provider .*\nNext: .* then /m, "Next: ");
}

/** Runs bootstrap and sends SIGKILL when its output matches: to all of its processes, or to keyless alone. */
function killed(name: Name, at: RegExp, target: "all" | "keyless alone" = "all"): Promise<string> {
  const child = spawn(process.execPath, [join(project.folder, "keyless/cli/keyless.js"), "bootstrap", name], {
    cwd: project.folder,
    env: sandbox.environment as NodeJS.ProcessEnv,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
        if (at.test(output) && !child.killed) {
          if (target === "all") process.kill(-(child.pid as number), "SIGKILL");
          child.kill("SIGKILL");
        }
      });
    }
    child.on("exit", (_, signal) =>
      signal === "SIGKILL" ? resolve(output) : reject(new Error(`bootstrap was not killed:\n${output}`)),
    );
  });
}

/** Asserts the result of every bootstrap: one bucket, one table, and in the bucket the state with all resources. */
async function expectBackend(name: Name) {
  const env = sandbox.environment;
  const { Buckets } = await aws(env, "s3api", "list-buckets");
  const { TableNames } = await aws(env, "dynamodb", "list-tables");
  expect(Buckets.filter(({ Name }: { Name: string }) => Name.includes(name))).toHaveLength(1);
  expect(TableNames.filter((table: string) => table.includes(name))).toEqual([`acme-${name}-tfstate-lock`]);
  const { Contents } = await aws(env, "s3api", "list-objects-v2", "--bucket", `acme-${name}-tfstate`);
  expect(Contents.map(({ Key }: { Key: string }) => Key)).toEqual([`${name}-state/terraform.tfstate`]);
  const file = join(project.folder, "state.json");
  await aws(
    env,
    "s3api",
    "get-object",
    "--bucket",
    `acme-${name}-tfstate`,
    "--key",
    `${name}-state/terraform.tfstate`,
    file,
  );
  const { resources } = JSON.parse(readFileSync(file, "utf8"));
  expect(resources.map(({ type }: { type: string }) => type).sort()).toEqual([
    "aws_dynamodb_table",
    "aws_s3_bucket",
    "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_versioning",
  ]);
}

describe("bootstrap resumes after it was killed", () => {
  test.each<[when: string, name: Name, at: RegExp, target: "all" | "keyless alone"]>([
    ["while Terraform created the bucket", "bucket", /aws_s3_bucket\.state.*: Creating/, "all"],
    ["before it moved the state into the bucket", "local", /moving the state into the bucket/, "all"],
    [
      "while Terraform created the bucket and keeps running",
      "orphan",
      /aws_s3_bucket\.state.*: Creating/,
      "keyless alone",
    ],
  ])("%s", async (_, name, at, target) => {
    await killed(name, at, target);
    expect(await bootstrap(name)).toMatchObject({ status: 0 });
    await expectBackend(name);
  });

  test("while it held the lock to change the backend, which it releases", async () => {
    expect(await bootstrap("changed")).toMatchObject({ status: 0 });
    project.configure(config({ tag: "2" }));
    await killed("changed", /aws_dynamodb_table\.lock.*: Modifying/);
    const ran = await bootstrap("changed");
    expect(ran).toMatchObject({ status: 0, output: expect.stringContaining("released the lock") });
    await expectBackend("changed");
    const unchanged = await bootstrap("changed");
    expect(unchanged.status).toBe(0);
    expect(asDev(unchanged.output, "changed")).toMatch(
      sample("state", "$ npx keyless bootstrap dev\n❯ State backend dev-state\n› the state is in the bucket"),
    );
  });
});

describe("bootstrap rejects", () => {
  test("a bucket that has objects, unless --adopt is given", async () => {
    await aws(sandbox.environment, "s3api", "create-bucket", "--bucket", "acme-foreign-tfstate");
    await aws(sandbox.environment, "s3api", "put-object", "--bucket", "acme-foreign-tfstate", "--key", "theirs");
    const refused = await bootstrap("foreign");
    expect(refused.status).toBe(2);
    expect(asDev(refused.output, "foreign")).toMatch(
      sample("state", "$ npx keyless bootstrap dev\n❯ State backend dev-state\n✖"),
    );
    expect((await aws(sandbox.environment, "dynamodb", "list-tables")).TableNames).not.toContain(
      "acme-foreign-tfstate-lock",
    );

    const adopted = await bootstrap("foreign", "--adopt");
    expect(adopted).toMatchObject({ status: 0, output: expect.stringContaining("updated") });
    const { Contents } = await aws(sandbox.environment, "s3api", "list-objects-v2", "--bucket", "acme-foreign-tfstate");
    expect(Contents.map(({ Key }: { Key: string }) => Key)).toEqual(["foreign-state/terraform.tfstate", "theirs"]);
    const versioning = await aws(
      sandbox.environment,
      "s3api",
      "get-bucket-versioning",
      "--bucket",
      "acme-foreign-tfstate",
    );
    expect(versioning).toMatchObject({ Status: "Enabled" });
  });

  test("a bucket of another account", async () => {
    await aws(sandbox.accountEnvironment(FAR_ACCOUNT), "s3api", "create-bucket", "--bucket", "acme-far-tfstate");
    const ran = await bootstrap("far");
    expect(ran.status).toBe(2);
    expect(ran.output).toMatch(/acme-far-tfstate is not accessible to account 123456789012/);
  });

  test.each<[what: string, env: () => Env, message: RegExp]>([
    [
      "credentials of another account",
      () => sandbox.accountEnvironment(FAR_ACCOUNT),
      /belong to account 210987654321 .*the environment is in account 123456789012: sign in/,
    ],
    [
      "no credentials",
      () => ({ ...sandbox.environment, AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined }),
      /no valid AWS credentials.*aws sts get-caller-identity/,
    ],
  ])("%s", async (_, env, message) => {
    const ran = await project.keyless(env(), "bootstrap", "far");
    expect(ran.status).toBe(2);
    expect(ran.output).toMatch(message);
    expect(ran.output).not.toMatch(/^ {4}at /m);
  });

  test("an unknown environment", async () => {
    const ran = await project.keyless(sandbox.environment, "bootstrap", "prod");
    expect(ran.status).toBe(64);
    expect(ran.output).toContain('there is no environment "prod" in config.ts: bucket, local');
  });
});
