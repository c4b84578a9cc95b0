// @duration 65
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Config, Role } from "../../keyless/config/resolved";
import type { Sandbox } from "../../keyless/sandbox";
import type { Env } from "../../keyless/terraform/executables";
import { trustPolicy } from "../../keyless/trust/policy";
import { CircleCi, type JobResult } from "./circleci-runner";
import { aws, commitAll, type Project, run } from "./project";
import { ORGANIZATION, setUp } from "./setup";

const SITE = { project: "66666666-7777-4888-9999-000000000000", repository: "site" };
const APP = { project: "77777777-8888-4999-8000-111111111111", repository: "app" };
const examples = join(__dirname, "..", "..", "examples");

let sandbox: Sandbox;
let project: Project;
let distribution: string;

beforeAll(async () => {
  ({ sandbox, project } = await setUp());
  distribution = await createResources();
  project.configure(config());
  for (const role of await roles()) await createRole(role);
});

/** The roles that the examples use: two of test/example/config.ts, two of examples/README.md. */
function config(): string {
  const [, readme] = /```ts\n(.*?)```/s.exec(readFileSync(join(examples, "README.md"), "utf8")) ?? [];
  return `
const site = { project: "${SITE.project}", repository: "github.com/acme/site" };
export default defineConfig({
  circleci: { organizationId: "${ORGANIZATION}" },
  environments: {
    dev: {
      accountId: "123456789012",
      region: "us-east-1",
      state: { bucket: "acme-dev-tfstate", lock: "lockfile" },
      roles: {
        "circleci-site-publisher": {
          trust: [{ ...site, branches: ["main"] }],
          inlinePolicies: {
            publish: publishStaticSite({
              bucket: "www.dev.example.com",
              distributionArn: "arn:aws:cloudfront::123456789012:distribution/${distribution}",
            }),
          },
        },
        "circleci-read-only": {
          trust: [{ project: site.project, refs: "any" }],
          managedPolicyArns: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
        },
        ${readme}
      },
    },
  },
});`;
}

/** Creates the provider and the resources that the examples use. Returns the ID of the distribution. */
async function createResources(): Promise<string> {
  const env = sandbox.environment;
  for (const bucket of ["www.dev.example.com", "acme-dev-app-tfstate"]) {
    await aws(env, "s3api", "create-bucket", "--bucket", bucket);
  }
  await aws(env, "s3", "cp", join(examples, "README.md"), "s3://www.dev.example.com/gone.html");
  const provider = ["--url", `https://oidc.circleci.com/org/${ORGANIZATION}`, "--client-id-list", ORGANIZATION];
  await aws(env, "iam", "create-open-id-connect-provider", ...provider, "--thumbprint-list", "0".repeat(40));
  const origin = ["--origin-domain-name", "www.dev.example.com.s3.amazonaws.com"];
  return (await aws(env, "cloudfront", "create-distribution", ...origin)).Distribution.Id;
}

async function roles(): Promise<readonly [Config["environments"][number], Role][]> {
  const printed = 'require("./build").build(); console.log(JSON.stringify(require("./dist/config").default))';
  const { output } = await project.run(sandbox.environment, process.execPath, "-e", printed);
  const { environments } = JSON.parse(output) as Config;
  return environments.flatMap((environment) => environment.roles.map((role) => [environment, role] as const));
}

async function createRole([environment, role]: readonly [Config["environments"][number], Role]): Promise<void> {
  const env = sandbox.environment;
  const named = ["--role-name", role.name];
  const trust = trustPolicy({
    ...environment.circleci,
    providerArn: environment.oidcProvider.arn,
    rules: role.trust,
  });
  await aws(env, "iam", "create-role", ...named, "--assume-role-policy-document", JSON.stringify(trust));
  for (const arn of role.managedPolicyArns) await aws(env, "iam", "attach-role-policy", ...named, "--policy-arn", arn);
  for (const [name, document] of Object.entries(role.inlinePolicies)) {
    const policy = ["--policy-name", name, "--policy-document", JSON.stringify(document)];
    await aws(env, "iam", "put-role-policy", ...named, ...policy);
  }
}

interface Push {
  readonly of: { readonly project: string; readonly repository: string };
  readonly branch?: string;
  /** Whether a later commit was pushed before the job started. Default: no. */
  readonly outdated?: boolean;
  /** Replaces or removes variables of the job. */
  readonly env?: Env;
  /** Changes the checked out files. */
  readonly change?: (folder: string) => void;
}

/** A pipeline of the repository of an example. */
function pipeline(
  example: string,
  text: string,
  { of, branch = "main", outdated, env = {}, change = () => {} }: Push,
): CircleCi {
  const runner = new CircleCi({
    config: text,
    values: {
      "pipeline.git.branch": branch,
      "pipeline.trigger.type": "github_app",
      "pipeline.project.slug": `github/acme/${of.repository}`,
    },
    checkout: (folder) => {
      cpSync(join(examples, example), folder, { recursive: true });
      change(folder);
      commitAll(folder, `${folder}-origin`);
      if (!outdated) return;
      commitAll(folder, `${folder}-origin`);
      execFileSync("git", ["reset", "-q", "--hard", "HEAD~1"], { cwd: folder });
    },
    environment: async () => ({ ...(await jobEnvironment({ of, branch })), ...env }),
  });
  return runner;
}

async function jobEnvironment({ of, branch }: Push): Promise<Env> {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_DEFAULT_REGION, HOME, ...env } =
    sandbox.environment;
  const token = { organization: ORGANIZATION, project: of.project };
  const origin = `github.com/acme/${of.repository}`;
  return {
    ...env,
    PATH: `${dirname(env.TERRAFORM_BINARY_NAME ?? "")}:${env.PATH}`,
    CIRCLE_PROJECT_REPONAME: of.repository,
    CIRCLE_OIDC_TOKEN_V2: await sandbox.issuer.token({ ...token, origin, ref: `refs/heads/${branch}` }),
  };
}

const read = (example: string) => readFileSync(join(examples, example, ".circleci/config.yml"), "utf8");
const site = () => read("static-site").replace("E2DEVEXAMPLE01", distribution);

async function only(results: Promise<ReadonlyMap<string, JobResult>>): Promise<JobResult | undefined> {
  return [...(await results).values()][0];
}

async function objects(): Promise<string> {
  return String(await aws(sandbox.environment, "s3", "ls", "s3://www.dev.example.com"));
}

test("the static site is uploaded, removed files are deleted, and the CloudFront cache is invalidated", async () => {
  const result = await only(pipeline("static-site", site(), { of: SITE }).run("publish"));
  expect(result?.output).toContain("circleci-site-publisher/site.publish.");
  expect(result?.status).toBe("success");
  expect(await objects()).toMatch(/index\.html/);
  expect(await objects()).not.toMatch(/gone\.html/);
  const invalidations = await aws(
    sandbox.environment,
    "cloudfront",
    "list-invalidations",
    "--distribution-id",
    distribution,
  );
  expect(invalidations.InvalidationList.Items).toHaveLength(1);
});

describe("a symbolic link in the repository", () => {
  const outside = mkdtempSync(join(tmpdir(), "keyless-outside-"));
  writeFileSync(join(outside, "secret.txt"), "secret");

  test("to a file or a folder outside of the site is not published", async () => {
    const change = (folder: string) => {
      symlinkSync(join(outside, "secret.txt"), join(folder, "site/linked.txt"));
      symlinkSync(outside, join(folder, "site/linked"));
      symlinkSync("../.circleci/config.yml", join(folder, "site/config.yml"));
    };
    const result = await only(pipeline("static-site", site(), { of: SITE, change }).run("publish"));
    expect(result?.status).toBe("success");
    expect((await objects()).trim().split(/\s+/).slice(3)).toEqual(["index.html"]);
  });

  test.each([
    ["a link to another folder", (path: string) => symlinkSync(outside, path)],
    ["no folder", () => {}],
    ["a folder without files", (path: string) => mkdirSync(join(path, "empty"), { recursive: true })],
  ])("in place of the site, or an empty site, publishes and deletes nothing: %s", async (_, create) => {
    const change = (folder: string) => {
      rmSync(join(folder, "site"), { recursive: true });
      create(join(folder, "site"));
    };
    const result = await only(pipeline("static-site", site(), { of: SITE, change }).run("publish"));
    expect(result).toMatchObject({ status: "failed", output: expect.stringContaining("nothing was published") });
    expect((await objects()).trim().split(/\s+/).slice(3)).toEqual(["index.html"]);
  });
});

test("the job that `keyless pipeline` prints publishes the site", async () => {
  const { output } = await project.keyless(sandbox.environment, "pipeline", "dev", "circleci-site-publisher");
  const result = await only(pipeline("static-site", output, { of: SITE }).run("publish"));
  expect(result).toMatchObject({ status: "success", output: expect.stringContaining("Completed") });
});

test("a job of another branch fails at the step that gets credentials, which prints the claims", async () => {
  const text = site().replace('pipeline.git.branch == "main" and', "");
  const result = await only(pipeline("static-site", text, { of: SITE, branch: "other" }).run("publish"));
  expect(result?.output).toContain("AWS refuses this token");
  expect(result?.output).toContain("vcs-ref/refs/heads/other");
  expect(result).toMatchObject({ status: "failed", output: expect.not.stringContaining("upload:") });
});

test("the smoke test of a role succeeds, although static keys are set in the project", async () => {
  const env = { AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE", AWS_SECRET_ACCESS_KEY: "stale", AWS_PROFILE: "none" };
  const result = await only(pipeline("static-site", site(), { of: SITE, branch: "any", env }).run("smoke-test"));
  expect(result).toMatchObject({ status: "success", output: expect.stringContaining("Denied, as expected.") });
});

test("the smoke test of an overly permissive role fails", async () => {
  const all = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };
  const policy = ["--role-name", "circleci-read-only", "--policy-name", "all"];
  const env = sandbox.environment;
  await aws(env, "iam", "put-role-policy", ...policy, "--policy-document", JSON.stringify(all));
  const result = await only(pipeline("static-site", site(), { of: SITE }).run("smoke-test"));
  expect(result).toMatchObject({
    status: "failed",
    output: expect.stringContaining("its permissions are broader than expected"),
  });
});

test.each([
  ["no token", async () => "", "is empty"],
  ["a string that is not a token", async () => "not.a.token", "is not a token"],
  [
    "a token that has expired",
    () => sandbox.issuer.token({ organization: ORGANIZATION, ...SITE, lifetime: -60 }),
    "has expired",
  ],
])("%s fails the step that gets credentials", async (_, token, message) => {
  const env = { CIRCLE_OIDC_TOKEN_V2: await token() };
  const result = await only(pipeline("static-site", site(), { of: SITE, env }).run("smoke-test"));
  expect(result).toMatchObject({ status: "failed", output: expect.stringContaining(message) });
});

describe("the Terraform repository", () => {
  test("plans on a branch and stores the plan as an artifact", async () => {
    const runner = pipeline("terraform", read("terraform"), { of: APP, branch: "feature" });
    expect(runner.workflows()).toEqual(["branch"]);
    const result = await only(runner.run("branch"));
    expect(result).toMatchObject({ status: "success", artifacts: ["plan.txt"] });
  });

  test("applies nothing if its commit is not the tip of main", async () => {
    const results = await pipeline("terraform", read("terraform"), { of: APP, outdated: true }).run("main");
    expect(results.get("apply")).toMatchObject({
      status: "failed",
      output: expect.stringMatching(
        /^Commit \w{40} is not the tip of main, which is \w{40}: .*\nNothing was applied\.$/m,
      ),
    });
    expect(await aws(sandbox.environment, "dynamodb", "list-tables")).toEqual({ TableNames: [] });
  });

  test("applies the plan of main after the approval", async () => {
    const results = await pipeline("terraform", read("terraform"), { of: APP }).run("main");
    expect(results.get("apply")).toMatchObject({ status: "success", output: expect.stringContaining("1 added") });
    const { TableNames } = await aws(sandbox.environment, "dynamodb", "list-tables");
    expect(TableNames).toEqual(["acme-dev-app-sessions"]);
  });
});

describe("keyless credentials", () => {
  const credentials = async (env: Env) => {
    const all = {
      ...(await jobEnvironment({ of: SITE, branch: "main" })),
      HOME: project.folder,
      CIRCLE_JOB: "job",
      ...env,
    };
    return project.keyless(all, "credentials", "dev", "circleci-site-publisher");
  };

  test("prints the variables for a shell, and no part of the token", async () => {
    const token = (await jobEnvironment({ of: SITE, branch: "main" })).CIRCLE_OIDC_TOKEN_V2;
    const { status, output } = await credentials({ CIRCLE_OIDC_TOKEN_V2: token });
    expect(output).toContain(
      "AWS accepted the token: arn:aws:sts::123456789012:assumed-role/circleci-site-publisher/site.job",
    );
    expect(output).not.toContain(token);
    const shell = `${output
      .split("\n")
      .filter((line) => /^(export|unset) /.test(line))
      .join("\n")}\naws sts get-caller-identity; find "$AWS_WEB_IDENTITY_TOKEN_FILE" -perm 600`;
    const used = await run("bash", ["-c", shell], { env: { ...sandbox.environment, HOME: project.folder } });
    expect({ status, used: used.output }).toEqual({ status: 0, used: expect.stringMatching(/site\.job.*\/token\n$/s) });
  });

  test("prints the claims of a refused token, and the command that explains the refusal", async () => {
    const token = { organization: ORGANIZATION, project: SITE.project, origin: "github.com/acme/site" };
    const env = { CIRCLE_OIDC_TOKEN_V2: await sandbox.issuer.token({ ...token, ref: "refs/heads/other" }) };
    const { status, output } = await credentials(env);
    expect({ status, output }).toEqual({
      status: 2,
      output: expect.stringMatching(/AWS refuses.*refs\/heads\/other.*keyless explain/s),
    });
  });

  test("replaces an expired token by a new one if the CircleCI CLI is present", async () => {
    const token = {
      organization: ORGANIZATION,
      project: SITE.project,
      origin: "github.com/acme/site",
      ref: "refs/heads/main",
    };
    const renewed = await sandbox.issuer.token(token);
    project.write(
      "circleci",
      `#!/bin/sh\ntest "$*" = 'run oidc get --claims {"aud":"${ORGANIZATION}"}' && echo ${renewed}\n`,
    );
    await run("chmod", ["+x", join(project.folder, "circleci")], { env: process.env });
    const expired = await sandbox.issuer.token({ ...token, lifetime: -60 });
    const withoutCli = await credentials({ CIRCLE_OIDC_TOKEN_V2: expired });
    expect(withoutCli).toMatchObject({ status: 2, output: expect.stringContaining("the token expired") });
    const { status } = await credentials({
      CIRCLE_OIDC_TOKEN_V2: expired,
      PATH: `${project.folder}:${sandbox.environment.PATH}`,
    });
    expect(status).toBe(0);
  });
});
