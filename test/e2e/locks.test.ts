// @duration 90
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ConfigInput, StateInput } from "../../keyless/config/input";
import { applyEnvironment, planEnvironment } from "../../keyless/permissions/environment";
import type { Sandbox } from "../../keyless/sandbox";
import { readSavedPlan } from "../../keyless/terraform/saved-plan";
import { aws, type Project } from "./project";
import { ACCOUNT, accessProject, ORGANIZATION, setUp, webIdentityEnvironment } from "./setup";

let sandbox: Sandbox;
let project: Project;
let kmsKeyArn: string;

/** Two environments of one account with the kinds of locks that lifecycle.test.ts does not use. */
function config(version: string): ConfigInput {
  const environment = (name: string, state: Omit<StateInput, "bucket" | "keepOldVersionsDays">) => ({
    accountId: ACCOUNT,
    region: "us-east-1",
    oidcProvider: name === "file" ? ("create" as const) : ("existing" as const),
    state: { bucket: `acme-${name}`, keepOldVersionsDays: "forever" as const, ...state },
    roles: {
      [`${name}-site`]: {
        trust: [{ project: accessProject.project, refs: "any" as const }],
        tags: { Version: version },
        deployedBy: "pipeline-as-administrator" as const,
      },
      [`${name}-plan`]: {
        trust: [{ ...accessProject, branches: ["*"] }],
        inlinePolicies: { it: planEnvironment },
        deployedBy: "administrator" as const,
      },
      [`${name}-apply`]: {
        trust: [{ ...accessProject, branches: ["main"] }],
        inlinePolicies: { it: applyEnvironment },
        deployedBy: "administrator" as const,
      },
    },
  });
  return {
    circleci: { organizationId: ORGANIZATION },
    environments: {
      file: environment("file", { lock: "lockfile" }),
      both: environment("both", { lock: "both", lockTable: "acme-both-lock", kmsKeyArn, keyPrefix: "team/" }),
    },
  };
}

beforeAll(async () => {
  ({ sandbox, project } = await setUp());
  kmsKeyArn = (await aws(sandbox.environment, "kms", "create-key")).KeyMetadata.Arn;
  project.configure(config("1"));
});

/** The environment variables of a job on main that assumes a role with its token. */
async function job(role: string) {
  const token = await sandbox.issuer.token({
    organization: ORGANIZATION,
    project: accessProject.project,
    origin: accessProject.repository,
    ref: "refs/heads/main",
  });
  return webIdentityEnvironment(sandbox, `arn:aws:iam::${ACCOUNT}:role/${role}`, token);
}

async function objects(bucket: string): Promise<string[]> {
  const { Contents = [] } = await aws(sandbox.environment, "s3api", "list-objects-v2", "--bucket", bucket);
  return Contents.map(({ Key }: { Key: string }) => Key);
}

const lockInfo = JSON.stringify({
  ID: "5d9a6b1c-0000-4000-8000-000000000001",
  Operation: "OperationTypeApply",
  Info: "",
  Who: "ada@laptop",
  Version: "1.11.4",
  Created: "2026-01-01T00:00:00Z",
  Path: "held",
});

describe.each([
  ["a lock file", "file", "file"],
  ["both locks, a KMS key and a key prefix", "both", "team/both"],
])("with %s", (_, name, prefix) => {
  const deploy = (env = sandbox.environment) => project.terraform(env, name, "apply", "-auto-approve");

  test("bootstrap and the first deployment succeed", async () => {
    expect(await project.keyless(sandbox.environment, "bootstrap", name)).toMatchObject({ status: 0 });
    expect(await deploy()).toMatchObject({ status: 0, output: expect.stringContaining("0 changed, 0 destroyed") });
  });

  test("the plan role initializes, plans without the lock, finds no changes and shows the plan", async () => {
    const folder = join(project.folder, "cdktf.out", "stacks", name);
    rmSync(folder, { recursive: true });
    const env = await job(`${name}-plan`);
    const ran = await project.terraform(env, name, "plan", "-lock=false", "-out=plan");
    expect(ran).toMatchObject({ status: 0, output: expect.stringContaining("No changes") });
    expect(() => readSavedPlan(name, folder, env.TERRAFORM_BINARY_NAME ?? "")).not.toThrow();
  });

  test("the plan role cannot take the lock", async () => {
    const ran = await project.terraform(await job(`${name}-plan`), name, "plan");
    expect(ran).toMatchObject({
      status: 1,
      output: expect.stringMatching(/Error acquiring the state lock.*AccessDenied/s),
    });
  });

  test("the apply role deploys a change and releases the lock", async () => {
    project.configure(config(`2 ${name}`));
    const ran = await deploy(await job(`${name}-apply`));
    expect(ran).toMatchObject({ status: 0, output: expect.stringContaining("0 added, 1 changed, 0 destroyed") });
    expect(await objects(`acme-${name}`)).toEqual([`${prefix}-state/terraform.tfstate`, `${prefix}/terraform.tfstate`]);
  });

  test("a held lock file stops a deployment, whose error names the owner", async () => {
    const held = ["--bucket", `acme-${name}`, "--key", `${prefix}/terraform.tfstate.tflock`];
    const file = join(project.folder, "held.tflock");
    writeFileSync(file, lockInfo);
    await aws(sandbox.environment, "s3api", "put-object", ...held, "--body", file);
    const ran = await deploy();
    expect(ran.status).not.toBe(0);
    expect(ran.output).toMatch(/Error acquiring the state lock/);
    expect(ran.output).toContain("ada@laptop");
    await aws(sandbox.environment, "s3api", "delete-object", ...held);
  });
});

test("a held lock in the table stops a deployment, whose error names the owner", async () => {
  const LockID = { S: "acme-both/team/both/terraform.tfstate" };
  const table = ["--table-name", "acme-both-lock"];
  const item = JSON.stringify({ LockID, Info: { S: lockInfo } });
  await aws(sandbox.environment, "dynamodb", "put-item", ...table, "--item", item);
  const ran = await project.terraform(sandbox.environment, "both", "apply", "-auto-approve");
  expect(ran.status).not.toBe(0);
  expect(ran.output).toMatch(/Error acquiring the state lock[\s\S]*ada@laptop/);
  const kept = await aws(sandbox.environment, "dynamodb", "get-item", ...table, "--key", JSON.stringify({ LockID }));
  expect(kept.Item.Info.S).toBe(lockInfo);
  expect(await objects("acme-both")).not.toContain("team/both/terraform.tfstate.tflock");
});

describe("Terraform's provider is installed only with the checksums of this repository", () => {
  const stackFolder = () => join(project.folder, "cdktf.out", "stacks", "file");
  const diff = () => project.cdktf(sandbox.environment, "diff", "file");

  test("the lock file is accepted and not changed by cdktf", async () => {
    rmSync(stackFolder(), { recursive: true });
    expect(await diff()).toMatchObject({ status: 0 });
    expect(readFileSync(join(stackFolder(), ".terraform.lock.hcl"), "utf8")).toBe(project.read(".terraform.lock.hcl"));
  });

  test.each(["with the provider installed", "without it"])(
    "stops cdktf if it has other checksums, %s",
    async (which) => {
      const shipped = project.read(".terraform.lock.hcl");
      if (which === "without it") rmSync(stackFolder(), { recursive: true });
      project.write(".terraform.lock.hcl", shipped.replace(/(h1:|zh:)[^"]{5}/g, "$1AAAAA"));
      const { status, output } = await diff();
      project.write(".terraform.lock.hcl", shipped);
      expect({ status, output }).toEqual({ status: 1, output: expect.stringContaining("checksums") });
    },
  );
});
