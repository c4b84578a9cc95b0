// @duration 150
import { join } from "node:path";
import { CreateRoleCommand, GetRoleCommand, IAMClient, ListRolesCommand } from "@aws-sdk/client-iam";
import type { Sandbox } from "../../keyless/sandbox";
import { sample } from "./documents";
import { type Project, run } from "./project";
import { ACCOUNT, accessProject, setUp, signIn } from "./setup";

let sandbox: Sandbox;
let project: Project;
let example: string;

/** The configuration with another environment in the account of dev, which uses dev's provider. */
function withSecond(config: string): string {
  const second = `
    second: {
      accountId: "${ACCOUNT}",
      region: "us-east-1",
      oidcProvider: "existing",
      state: { bucket: "acme-dev-tfstate", lockTable: "acme-dev-tfstate-lock" },
      roles: { "circleci-second": { trust: [{ project: "${accessProject.project}", refs: "any" }] } },
    },
`;
  return config.replace("\n    prod: {", `${second}    prod: {`);
}

const withAnotherBucket = (config: string) => config.replaceAll("acme-dev-tfstate", "acme-dev-tfstate-2");
const withoutDev = (config: string) =>
  config.replace(/ {4}dev: \{.*?(?= {4}prod: \{)/s, "").replace(/ {2}trustTests: \[.*?\n {2}\],\n/s, "");

const keyless = (...args: string[]) => project.keyless({ ...sandbox.environment, CI: "1" }, ...args);

function terraform(...args: string[]) {
  const { TERRAFORM_BINARY_NAME = "terraform", ...env } = sandbox.environment;
  const cwd = join(project.folder, "cdktf.out", "stacks", "dev");
  return run(TERRAFORM_BINARY_NAME, [...args, "-no-color"], { cwd, env });
}

beforeAll(async () => {
  ({ sandbox, project } = await setUp());
  example = project.read("config.ts");
  project.write("config.ts", withSecond(example));
});

test("bootstrap names the environment that creates the account's provider, and succeeds", async () => {
  const { status, output } = await keyless("bootstrap", "second");
  expect(output).toMatch(sample("changing-things", "$ npx keyless bootstrap second"));
  expect(status).toBe(0);
});

test("bootstrap of another bucket refuses an environment whose resources exist, since the bucket has no state of them", async () => {
  expect(await project.terraform(sandbox.environment, "dev", "apply", "-auto-approve")).toMatchObject({ status: 0 });
  expect((await keyless("access", "--live", "dev")).status).toBe(0);
  project.write("config.ts", withAnotherBucket(example));
  const { status, output } = await keyless("bootstrap", "dev");
  expect(output).toMatch(sample("changing-things", "$ npx keyless bootstrap dev"));
  expect(status).toBe(1);
});

test("after the state is moved, only the policies that name the bucket change", async () => {
  expect(await project.run(sandbox.environment, process.execPath, "build.js", "app.js")).toMatchObject({ status: 0 });
  const moved = await terraform("init", "-migrate-state", "-force-copy", "-input=false", "-lockfile=readonly");
  expect(moved).toMatchObject({ status: 0 });
  const { output } = await terraform("plan", "-input=false");
  expect(output).toMatch(/Plan: 0 to add, \d to change, 0 to destroy/);
  const changed = [...output.matchAll(/^ +# (aws_\S+) .*will be updated/gm)].map(([, address]) => address);
  expect(
    changed.filter(
      (address) => !/^aws_iam_role_policy\.circleci-access-|^aws_iam_policy\.boundary$/.test(`${address}`),
    ),
  ).toEqual([]);
});

test("access --live lists the roles of an environment that was removed from the configuration", async () => {
  project.write("config.ts", withoutDev(example));
  const { status, output } = await keyless("access", "--live");
  expect(output).toMatch(sample("changing-things", "$ npx keyless access --live"));
  expect(status).toBe(1);
});

test("access --live reads every page of the account's roles", async () => {
  signIn(sandbox.environment);
  const client = new IAMClient({ region: "us-east-1" });
  const { Role } = await client.send(new GetRoleCommand({ RoleName: "circleci-read-only" }));
  const AssumeRolePolicyDocument = decodeURIComponent(Role?.AssumeRolePolicyDocument ?? "");
  for (let number = 0; number < 110; number += 1)
    await client.send(new CreateRoleCommand({ RoleName: `left-over-${number}`, AssumeRolePolicyDocument }));
  expect((await client.send(new ListRolesCommand({}))).IsTruncated).toBe(true);
  const { output } = await keyless("access", "--live", "--json");
  const found = JSON.parse(output).data.roles.filter(({ status }: { status: string }) => status === "not-configured");
  expect(found).toHaveLength(114);
}, 120_000);
