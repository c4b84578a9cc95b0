// @duration 175
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sandbox } from "../../keyless/sandbox";
import { findMirror } from "../../keyless/terraform/environment";
import type { Env } from "../../keyless/terraform/executables";
import { platform } from "../../keyless/terraform/install";
import { CircleCi, type JobResult } from "./circleci-runner";
import { sample } from "./documents";
import { aws, Project } from "./project";
import { ACCESS, accessProject, ORGANIZATION, setUp, webIdentityEnvironment } from "./setup";

const ACCOUNTS = { dev: "123456789012", prod: "210987654321" };

let sandbox: Sandbox;
let project: Project;
let example: string;
let main: CircleCi;

beforeAll(async () => {
  ({ sandbox, project } = await setUp());
  example = project.read("config.ts");
  await Promise.all([deploy("dev"), deploy("prod")]);
});

/** The first deployment by an administrator. The settings of the bucket do not matter here. */
async function deploy(name: keyof typeof ACCOUNTS): Promise<void> {
  const env = sandbox.accountEnvironment(ACCOUNTS[name]);
  await aws(env, "s3api", "create-bucket", "--bucket", `acme-${name}-tfstate`);
  const lock = [
    "--attribute-definitions",
    "AttributeName=LockID,AttributeType=S",
    "--key-schema",
    "AttributeName=LockID,KeyType=HASH",
  ];
  await aws(
    env,
    "dynamodb",
    "create-table",
    "--table-name",
    `acme-${name}-tfstate-lock`,
    ...lock,
    "--billing-mode",
    "PAY_PER_REQUEST",
  );
  const own = new Project();
  const ran = await own.terraform(env, name, "apply", "-auto-approve");
  if (ran.status !== 0) throw new Error(ran.output);
}

/** The environment variables of a job: a token of the branch, the endpoints of the local AWS, and no access key. */
async function jobEnvironment(branch: string): Promise<Env> {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_DEFAULT_REGION, HOME, ...env } =
    sandbox.environment;
  const job = { organization: ORGANIZATION, project: ACCESS };
  return {
    ...env,
    CIRCLE_BRANCH: branch,
    CIRCLE_PROJECT_REPONAME: "aws-access",
    CIRCLE_OIDC_TOKEN: await sandbox.issuer.token(job),
    CIRCLE_OIDC_TOKEN_V2: await sandbox.issuer.token({
      ...job,
      origin: "github.com/acme/aws-access",
      ref: `refs/heads/${branch}`,
    }),
  };
}

function checkoutOf({ folder: from }: Project) {
  return (folder: string) => void execFileSync("cp", ["-a", `${from}/.`, folder]);
}

interface Started {
  readonly trigger?: string;
  readonly config?: string;
  /** Environment variables of every job. */
  readonly variables?: Env;
}

function pipeline(branch: string, { trigger = "github_app", config, variables }: Started = {}): CircleCi {
  return new CircleCi({
    config: config ?? project.read(".circleci/config.yml"),
    values: {
      "pipeline.git.branch": branch,
      "pipeline.trigger.type": trigger,
      "pipeline.project.slug": "github/acme/aws-access",
    },
    checkout: checkoutOf(project),
    environment: async () => ({ ...(await jobEnvironment(branch)), ...variables }),
    // The packages are linked, and the job `test` runs this suite.
    skip: ["test", "npm ci --ignore-scripts"],
  });
}

/** Commits the example with some texts replaced to `main`. */
function commit(repository: Project, ...replacements: [from: string, to: string][]): void {
  const text = replacements.reduce((config, [from, to]) => config.replace(from, to), example);
  expect(text).not.toBe(example);
  repository.write("config.ts", text);
  // Compiled once here instead of in each job.
  execFileSync(process.execPath, ["build.js"], { cwd: repository.folder });
  repository.commit();
}

function statuses(results: ReadonlyMap<string, JobResult>) {
  return Object.fromEntries([...results].map(([name, { status }]) => [name, status]));
}

function output(results: ReadonlyMap<string, JobResult>, job: string): string {
  return results.get(job)?.output ?? "";
}

async function description(name: keyof typeof ACCOUNTS, role: string): Promise<string> {
  const env = sandbox.accountEnvironment(ACCOUNTS[name]);
  return (await aws(env, "iam", "get-role", "--role-name", role)).Role.Description;
}

const PUBLISHERS: [string, string][] = [
  ["Publishes www.dev.example.com", "Publishes the site of dev"],
  ["Publishes www.example.com", "Publishes the site of prod"],
];

test("a pull request plans both environments in parallel and reviews them, including the roles of the pipeline", async () => {
  commit(project, ...PUBLISHERS, ["Plans changes of access on pull requests", "Plans"]);
  const branch = "it's $(a) `branch`";
  const runner = pipeline(branch);
  expect(runner.workflows()).toEqual(["pull-request"]);
  const results = await runner.run("pull-request");
  expect(output(results, "plan-dev")).toMatch(sample("pipelines", "$ npx keyless credentials dev --plan"));
  expect(statuses(results)).toEqual({
    "mark-outdated": "success",
    "plan-dev": "success",
    "plan-prod": "success",
    review: "success",
  });
  expect(output(results, "review").replace(/\s+/g, " ")).toContain(
    "role circleci-access-plan is managed by administrators; the pipeline cannot deploy this change",
  );
  expect(results.get("plan-dev")?.artifacts).toContain("plans/dev.json");
  expect(results.get("review")?.artifacts).toEqual(["review.md"]);
});

test("main deploys the reviewed and approved plans, and stores a state that cannot be saved as an artifact", async () => {
  commit(project, ...PUBLISHERS);
  main = pipeline("main");
  expect(main.workflows()).toEqual(["main"]);
  const results = await main.run("main", async (approval) => {
    if (approval === "approve-prod") await denyWriting("acme-prod-tfstate");
    return true;
  });
  expect(output(results, "deploy-dev")).toContain("0 added, 1 changed, 0 destroyed");
  expect(await description("dev", "circleci-site-publisher")).toBe("Publishes the site of dev");
  expect(output(results, "deploy-prod")).toContain("errored.tfstate");
  expect(statuses(results)).toMatchObject({ "deploy-dev": "success", "deploy-prod": "failed" });
  expect(results.get("deploy-prod")?.artifacts).toContain("cdktf.out/stacks/prod/errored.tfstate");
});

describe("if a role is changed outside Terraform after the approval", () => {
  const other = new Project();
  const outdated = new Project();
  let refused: JobResult;
  let stopped: JobResult;
  let old: JobResult;
  let drift: ReadonlyMap<string, JobResult>;

  // In parallel, since none of them changes anything.
  beforeAll(async () => {
    const role = ["--role-name", "circleci-site-publisher", "--description", "Changed by hand"];
    await aws(sandbox.environment, "iam", "update-role", ...role);
    commit(other, ...PUBLISHERS, ["Deploys changes of access from the main branch", "Deploys"]);
    commit(outdated, ...PUBLISHERS);
    // A revert that is merged after the checkout.
    outdated.commit();
    execFileSync("git", ["reset", "-q", "--hard", "HEAD~1"], { cwd: outdated.folder });
    const scheduled = pipeline("main", { trigger: "schedule" });
    expect(scheduled.workflows()).toEqual(["drift"]);
    [refused, stopped, old, drift] = await Promise.all([
      main.rerun("main", "deploy-dev"),
      main.rerun("main", "deploy-dev", checkoutOf(other)),
      main.rerun("main", "deploy-dev", checkoutOf(outdated)),
      scheduled.run("drift"),
    ]);
  });

  test("a plan that differs from the reviewed plan is refused", async () => {
    expect(refused.status).toBe("failed");
    expect(refused.output).toMatch(sample("pipelines", "dev: the saved plan differs from the reviewed plan"));
    expect(await description("dev", "circleci-site-publisher")).toBe("Changed by hand");
  });

  test("the deploy job stops unless its commit is the tip of main", async () => {
    expect(old.status).toBe("failed");
    expect(old.output).toMatch(
      /^commit [0-9a-f]{40} is not the tip of main, which is [0-9a-f]{40}: nothing is deployed/m,
    );
    expect(await description("dev", "circleci-site-publisher")).toBe("Changed by hand");
  });

  test("a change to the roles of the pipeline is refused", async () => {
    expect(stopped.status).toBe("failed");
    expect(stopped.output).toMatch(sample("pipelines", "dev: the plan changes circleci-access-apply"));
    expect(await description("dev", "circleci-access-apply")).toBe("Deploys changes of access from the main branch");
  });

  test("a scheduled pipeline reports the drift", () => {
    expect(output(drift, "review")).toContain("Changed by hand");
    expect(statuses(drift)).toEqual({ "plan-dev": "success", "plan-prod": "success", review: "failed" });
  });
});

test("the applied plan is the verified plan", async () => {
  commit(project, ...PUBLISHERS);
  // Plans another configuration between the verification and the deployment.
  const exchange = "sed -i 's/Publishes the site of dev/Exchanged/' config.ts && npx cdktf diff dev";
  const deployment = "      - run: npx cdktf deploy ";
  const config = project.read(".circleci/config.yml");
  expect(config.split(deployment)).toHaveLength(2);
  const attacked = pipeline("main", { config: config.replace(deployment, `      - run: ${exchange}\n${deployment}`) });
  await attacked.rerun("main", "plan-dev");
  const { status, output } = await attacked.rerun("main", "deploy-dev");
  expect(output).toMatch(/"Changed by hand".*"Exchanged"/);
  expect(status).toBe("success");
  expect(await description("dev", "circleci-site-publisher")).toBe("Publishes the site of dev");
});

test("a job installs no provider that only the state names", async () => {
  const folder = mkdtempSync(join(tmpdir(), "keyless-provider-"));
  const hasRun = join(folder, "has-run");
  const cliConfig = offerProvider("registry.terraform.io/stranger/tool", folder, hasRun);
  const runner = pipeline("main", { variables: { TF_CLI_CONFIG_FILE: cliConfig } });
  const state = await addToState({
    mode: "managed",
    type: "tool_thing",
    name: "x",
    provider: 'provider["registry.terraform.io/stranger/tool"]',
    instances: [{ schema_version: 0, attributes: { id: "x" } }],
  });
  const { status, output } = await runner.rerun("main", "plan-dev");
  expect(output).toContain("Provider dependency changes detected");
  expect(status).toBe("failed");
  expect(existsSync(hasRun)).toBe(false);
  await state.restore();
});

/** A CLI configuration that offers a provider, which creates a file when it runs. */
function offerProvider(source: string, folder: string, hasRun: string): string {
  const version = join(folder, source, "1.0.0", platform());
  mkdirSync(version, { recursive: true });
  writeFileSync(join(version, "terraform-provider-tool_v1.0.0"), `#!/bin/sh\ntouch ${hasRun}\n`, { mode: 0o755 });
  const mirror = findMirror(process.env);
  const aws = "registry.terraform.io/hashicorp/aws";
  const sources = { [source]: folder, ...(mirror !== undefined && { [aws]: mirror }) };
  const blocks = Object.entries(sources).map(
    ([name, path]) => `filesystem_mirror {\n path = ${JSON.stringify(path)}\n include = ["${name}"]\n}\n`,
  );
  const file = join(folder, "cli.tfrc");
  const direct = `direct {\n exclude = ${JSON.stringify(Object.keys(sources))}\n}\n`;
  writeFileSync(file, `provider_installation {\n${blocks.join("")}${direct}}\n`);
  return file;
}

/** Adds a resource to the state of dev, with the permissions of the apply role. */
async function addToState(resource: object) {
  const token = await sandbox.issuer.token({
    organization: ORGANIZATION,
    project: ACCESS,
    origin: accessProject.repository,
    ref: "refs/heads/main",
  });
  const apply = `arn:aws:iam::${ACCOUNTS.dev}:role/circleci-access-apply`;
  const env = webIdentityEnvironment(sandbox, apply, token);
  const file = join(mkdtempSync(join(tmpdir(), "keyless-state-")), "state");
  const object = ["--bucket", "acme-dev-tfstate", "--key", "dev/terraform.tfstate"];
  const write = async (text: string) => {
    writeFileSync(file, text);
    await aws(env, "s3api", "put-object", ...object, "--body", file);
    const digest = createHash("md5").update(text).digest("hex");
    const item = { LockID: { S: "acme-dev-tfstate/dev/terraform.tfstate-md5" }, Digest: { S: digest } };
    await aws(env, "dynamodb", "put-item", "--table-name", "acme-dev-tfstate-lock", "--item", JSON.stringify(item));
  };
  await aws(env, "s3api", "get-object", ...object, file);
  const before = readFileSync(file, "utf8");
  const state = JSON.parse(before);
  await write(JSON.stringify({ ...state, resources: [...state.resources, resource] }));
  return { restore: () => write(before) };
}

/** Denies writing the state for all principals. The lock remains writable. */
async function denyWriting(bucket: string): Promise<void> {
  const deny = { Effect: "Deny", Principal: "*", Action: "s3:PutObject", Resource: `arn:aws:s3:::${bucket}/*` };
  const policy = JSON.stringify({ Version: "2012-10-17", Statement: [deny] });
  await aws(
    sandbox.accountEnvironment(ACCOUNTS.prod),
    "s3api",
    "put-bucket-policy",
    "--bucket",
    bucket,
    "--policy",
    policy,
  );
}

test("a pull request from a fork is not planned, and its job prints the reason", async () => {
  const runner = pipeline("pull/7");
  expect(runner.workflows()).toEqual(["fork"]);
  const results = await runner.run("fork");
  expect(results.get("fork")).toMatchObject({
    status: "success",
    output: expect.stringContaining("comes from a fork"),
  });
});
