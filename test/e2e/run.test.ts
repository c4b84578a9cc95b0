// @duration 130
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Sandbox } from "../../keyless/sandbox";
import { sample } from "./documents";
import { aws, Project, type Ran } from "./project";
import { setUp } from "./setup";

let sandbox: Sandbox;
let project: Project;
let example: string;

/** A second copy, for commands without an account and for mistakes in the configuration. */
let other: Project;

/** The only bootstrap that creates the lifecycle rule of the bucket, for which the provider polls for a minute. */
let bootstrapped: Promise<Ran>;

beforeAll(async () => {
  ({ sandbox, project } = await setUp());
  other = new Project();
  bootstrapped = project.keyless(sandbox.environment, "bootstrap", "dev");
  example = project.read("config.ts").replace(/^import .*;$/gm, "");
});

function cdktf(...args: string[]) {
  return project.cdktf(sandbox.environment, ...args);
}

async function roleNames(): Promise<string[]> {
  const { Roles } = await aws(sandbox.environment, "iam", "list-roles");
  return Roles.map(({ RoleName }: { RoleName: string }) => RoleName);
}

const roles = ["circleci-access-apply", "circleci-access-plan", "circleci-read-only", "circleci-site-publisher"];

describe("without an account", () => {
  test("cdktf list prints the stacks", async () => {
    const { status, output } = await other.cdktf(sandbox.environment, "list");
    expect(status).toBe(0);
    for (const stack of ["dev", "prod", "dev-state", "prod-state"])
      expect(output).toMatch(new RegExp(`^${stack} `, "m"));
  });

  test("cdktf synth synthesizes every stack", async () => {
    const { status, output } = await other.cdktf(sandbox.environment, "synth");
    expect({ status, output }).toEqual({
      status: 0,
      output: expect.stringContaining("dev, dev-state, prod, prod-state"),
    });
    expect(Object.keys(other.stack("prod").resource)).toContain("aws_iam_role");
  });
});

describe("an error fails the command and changes nothing:", () => {
  afterEach(async () => {
    expect(await roleNames()).toEqual([]);
  });

  test("an unknown stack", async () => {
    const ran = await other.cdktf(sandbox.environment, "diff", "staging");
    expect(ran.status).not.toBe(0);
    expect(ran.output).toContain("staging");
  });

  test("a type error in config.ts, reported by cdktf diff with file and line", async () => {
    other.configure(`${example}\nconst days: number = "90";\n`);
    const ran = await other.cdktf(sandbox.environment, "diff", "dev");
    expect(ran.status).not.toBe(0);
    expect(ran.output).toMatch(/config\.ts:\d+:\d+: type 'string' is not assignable to type 'number'/);
    expect(await other.keyless(sandbox.environment, "test")).toMatchObject({ status: 64 });
  });

  test("invalid values in config.ts, reported by cdktf deploy without a stack trace", async () => {
    other.configure(
      example.replaceAll('"us-east-1"', '"mars-1"').replace('accountId: "123456789012"', 'accountId: "12345678901"'),
    );
    const ran = await other.cdktf(sandbox.environment, "deploy", "dev", "--auto-approve");
    expect(ran.status).not.toBe(0);
    expect(ran.output).toContain(
      'environments.dev.accountId: "12345678901" is not an AWS account ID: write its 12 digits',
    );
    expect(ran.output).toContain(
      'environments.dev.region (also environments.prod.region): "mars-1" is not an AWS region',
    );
    expect(ran.output).not.toMatch(/^\s+at /m);
  });
});

describe("with the example", () => {
  test("keyless bootstrap creates the state backend, whose old versions expire after 90 days", async () => {
    expect(await bootstrapped).toMatchObject({
      status: 0,
      output: expect.stringMatching(
        sample("state", "$ npx keyless bootstrap dev\n❯ State backend dev-state\n› creating"),
      ),
    });
    const bucket = ["--bucket", "acme-dev-tfstate"];
    const { Rules } = await aws(sandbox.environment, "s3api", "get-bucket-lifecycle-configuration", ...bucket);
    expect(Rules).toMatchObject([{ Status: "Enabled", NoncurrentVersionExpiration: { NoncurrentDays: 90 } }]);
  });

  test("cdktf diff prints the planned changes and saves the plan", async () => {
    const ran = await cdktf("diff", "dev");
    expect(ran).toMatchObject({ status: 0, output: expect.stringContaining("18 to add, 0 to change, 0 to destroy") });
    expect(existsSync(join(project.folder, "cdktf.out/stacks/dev/plan"))).toBe(true);
    expect(await roleNames()).toEqual([]);
  });

  test("cdktf deploy creates the roles and prints the outputs", async () => {
    const ran = await cdktf("deploy", "dev", "--auto-approve");
    expect(ran).toMatchObject({ status: 0, output: expect.stringContaining("18 added, 0 changed, 0 destroyed") });
    expect(ran.output).toContain("arn:aws:iam::123456789012:role/circleci-site-publisher");
    expect((await roleNames()).sort()).toEqual(roles);
  });

  test("cdktf output prints the outputs", async () => {
    const ran = await cdktf("output", "dev");
    expect(ran.status).toBe(0);
    for (const role of roles) expect(ran.output).toContain(`arn:aws:iam::123456789012:role/${role}`);
    expect(ran.output).toContain("oidc_provider_arn");
  });

  test("a second cdktf diff of the environment and of its state backend finds no changes", async () => {
    for (const stack of ["dev", "dev-state"]) {
      expect(await cdktf("diff", stack)).toMatchObject({ status: 0, output: expect.stringContaining("No changes") });
    }
  });
});

test("cdktf destroy deletes the resources of the environment, and refuses to delete its state backend", async () => {
  expect(await cdktf("destroy", "dev", "--auto-approve")).toMatchObject({ status: 0 });
  expect(await roleNames()).toEqual([]);
  const refused = await cdktf("destroy", "dev-state", "--auto-approve");
  expect(refused.status).not.toBe(0);
  // cdktf does not always print the last lines of a failed Terraform, which have the reason.
  expect(refused.output).toContain("encountered a problem");
  const { Contents } = await aws(sandbox.environment, "s3api", "list-objects-v2", "--bucket", "acme-dev-tfstate");
  expect(Contents.map(({ Key }: { Key: string }) => Key)).toContain("dev-state/terraform.tfstate");
  const { TableNames } = await aws(sandbox.environment, "dynamodb", "list-tables");
  expect(TableNames).toEqual(["acme-dev-tfstate-lock"]);
});
