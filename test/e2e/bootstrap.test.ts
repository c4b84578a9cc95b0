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

const environments = ["bucket", "unmoved", "orphan", "changed", "foreign", "far"] as const;
type Name = (typeof environments)[number];

/** Environments that have nothing but their state backend to be made. */
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

/** What a command would print about the environment `dev`, whose samples the guides show. */
function asDev(output: string, name: Name): string {
  return output.replaceAll(name, "dev");
}

/** Runs the bootstrap and kills it, as hard as can be, when it prints this; alone or with all that it has started. */
function killed(name: Name, at: RegExp, whom: "all" | "keyless alone" = "all"): Promise<string> {
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
          if (whom === "all") process.kill(-(child.pid as number), "SIGKILL");
          child.kill("SIGKILL");
        }
      });
    }
    child.on("exit", (_, signal) =>
      signal === "SIGKILL" ? resolve(output) : reject(new Error(`it ended by itself:\n${output}`)),
    );
  });
}

/** What every bootstrap must end in: one bucket, one table, and the state in the bucket, which knows all there is. */
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

describe("killed and run again, it ends in the same place:", () => {
  test.each<[what: string, name: Name, at: RegExp, whom: "all" | "keyless alone"]>([
    ["while it made the bucket", "bucket", /aws_s3_bucket\.state.*: Creating/, "all"],
    ["when all was made and the state not moved", "unmoved", /moving the state into the bucket/, "all"],
    ["with Terraform left alone, still at work", "orphan", /aws_s3_bucket\.state.*: Creating/, "keyless alone"],
  ])("%s", async (_, name, at, whom) => {
    await killed(name, at, whom);
    expect(await bootstrap(name)).toMatchObject({ status: 0 });
    await expectBackend(name);
  });

  test("in a later change, when it held the lock", async () => {
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

describe("what it does not take", () => {
  test("a bucket that holds something else, unless it is told to adopt it", async () => {
    await aws(sandbox.environment, "s3api", "create-bucket", "--bucket", "acme-foreign-tfstate");
    await aws(sandbox.environment, "s3api", "put-object", "--bucket", "acme-foreign-tfstate", "--key", "theirs");
    const refused = await bootstrap("foreign");
    expect(refused.status).not.toBe(0);
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
    expect(ran.status).not.toBe(0);
    expect(ran.output).toMatch(/acme-far-tfstate is not accessible to account 123456789012/);
  });

  test.each<[what: string, env: () => Env, said: RegExp]>([
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
  ])("%s", async (_, env, said) => {
    const ran = await project.keyless(env(), "bootstrap", "far");
    expect(ran.status).not.toBe(0);
    expect(ran.output).toMatch(said);
    expect(ran.output).not.toMatch(/^ {4}at /m);
  });

  test("an environment that there is not", async () => {
    const ran = await project.keyless(sandbox.environment, "bootstrap", "prod");
    expect(ran.status).not.toBe(0);
    expect(ran.output).toContain('there is no environment "prod" in config.ts: bucket, unmoved');
  });
});
