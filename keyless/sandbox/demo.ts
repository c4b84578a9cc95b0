import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { AssumeRoleWithWebIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import Table from "cli-table3";
import type { Environment, Role, StateBackend } from "../config/resolved";
import { UserError } from "../errors";
import { readPlan } from "../plan/schema";
import { projectFolder } from "../project-folder";
import { bootstrap } from "../state/bootstrap";
import { cdktfProgress } from "../terraform/run";
import { readSavedPlan } from "../terraform/saved-plan";
import { synthesizeStack } from "../terraform/synthesize";
import { formatRef, imitatingBranch } from "../trust/circleci";
import demoConfig, { demoSite } from "./demo-config";
import { type Sandbox, startSandbox } from "./index";

type Progress = (line: string) => void;

/**
 * Bootstraps and deploys the environment of {@link demoConfig} in a sandbox, then verifies which tokens its publisher role trusts, what the
 * role's permissions allow, and that a second plan has no changes.
 *
 * The steps run Terraform and the AWS SDK with the environment of this process, which {@link Demo.steps} points to the
 * sandbox.
 */
export class Demo {
  private readonly environment: Environment;
  private readonly backend: StateBackend;
  /** The role that the demo assumes. */
  private readonly publisher: Role;
  private readonly folder = mkdtempSync(join(tmpdir(), "keyless-demo-"));
  private readonly verified: [request: string, result: string][] = [];
  /** Kills the running processes when it is aborted; the sandbox's state is temporary. */
  readonly interruption = new AbortController();
  private resources = 0;
  private started?: Sandbox;

  constructor() {
    [this.environment] = demoConfig.environments as [Environment];
    [this.backend] = demoConfig.stateBackends as [StateBackend];
    [this.publisher] = this.environment.roles as [Role];
  }

  /** The running sandbox. */
  get sandbox(): Sandbox {
    if (this.started === undefined) throw new Error("the sandbox is not running");
    return this.started;
  }

  /** What to run, in this order. */
  steps() {
    const { name } = this.environment;
    const step = (title: string, run: (progress: Progress) => Promise<void>) => ({ title, run });
    const bootstrapTitle = `keyless bootstrap ${name}: bucket and lock table (the lifecycle rule takes a minute)`;
    const deploy = ["deploy", name, "--auto-approve"];
    return [
      step("Start the sandbox: a local AWS and a local CircleCI issuer", (progress) => this.start(progress)),
      step(bootstrapTitle, (progress) => this.bootstrap(progress)),
      step(`cdktf deploy ${name}: provider, roles and policies`, (progress) => this.cdktf(deploy, progress)),
      step("Verify which tokens the role trusts", () => this.verifyTrust()),
      step("Verify what the role's permissions allow", () => this.verifyPermissions()),
      step(`cdktf diff ${name}: no changes`, (progress) => this.verifyPlan(progress)),
    ];
  }

  /** Stops the sandbox and removes the demo's files. */
  async stop(): Promise<void> {
    await this.started?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async start(progress: Progress): Promise<void> {
    const { accountId, region } = this.environment;
    this.started = await startSandbox({ accountId, region, progress });
    // From here on, this process has credentials of the sandbox's administrator and no others.
    for (const name of Object.keys(process.env)) if (/^AWS_(?!SDK_)/.test(name)) delete process.env[name];
    for (const [name, value] of Object.entries(this.sandbox.environment)) {
      if (value !== undefined) process.env[name] = value;
    }
  }

  private async bootstrap(progress: Progress): Promise<void> {
    const { backend, interruption } = this;
    const stack = synthesizeStack(backend.name);
    const folder = join(this.folder, "bootstrap");
    await bootstrap({ backend, stack, folder, adopt: false, env: process.env, progress, signal: interruption.signal });
  }

  private async verifyTrust(): Promise<void> {
    const { repository, branch } = demoSite;
    await this.assumePublisher(branch);
    this.verified.push([`token of branch ${branch} of ${repository}`, `trusted by ${this.publisher.name}`]);
    const forged = imitatingBranch(repository, { kind: "branch", name: branch });
    for (const other of ["evil", forged]) {
      const result = await denied("sts:AssumeRoleWithWebIdentity", () => this.assumePublisher(other));
      this.verified.push([`token of branch ${other} of ${repository}`, result]);
    }
  }

  private async verifyPermissions(): Promise<void> {
    const admin = new S3Client({ forcePathStyle: true });
    await admin.send(new CreateBucketCommand({ Bucket: demoSite.bucket }));
    const role = new S3Client({ forcePathStyle: true, credentials: await this.assumePublisher(demoSite.branch) });
    const page = { Bucket: demoSite.bucket, Key: "index.html", Body: "<h1>Published without a key</h1>" };
    await role.send(new PutObjectCommand(page));
    this.verified.push([`the role publishes to ${demoSite.bucket}`, "allowed"]);
    const { bucket, key } = this.environment.state;
    const readState = () => role.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    this.verified.push(["the role reads Terraform's state", await denied("s3:GetObject", readState)]);
  }

  private async verifyPlan(progress: Progress): Promise<void> {
    const { name } = this.environment;
    await this.cdktf(["diff", name], progress);
    const terraform = process.env.TERRAFORM_BINARY_NAME ?? "terraform";
    const json = readSavedPlan(name, join(this.folder, "cdktf.out", "stacks", name), terraform);
    const { changes, outputs } = readPlan(name, json);
    const planned = [...changes, ...outputs.map((output) => ({ ...output, address: `output.${output.name}` }))]
      .filter(({ action }) => action !== "no-op")
      .map(({ address, action }) => `\n  ${action} ${address}`);
    if (planned.length > 0)
      throw new UserError(`the plan after the deployment of ${name} has changes:${planned.join("")}`);
    this.resources = changes.filter(({ mode }) => mode === "managed").length;
    this.verified.push([`second cdktf diff ${name}`, "no changes"]);
  }

  /** Credentials of the publisher role for a job on a branch, which STS issues for the job's token. */
  private async assumePublisher(branch: string) {
    const { environment, publisher } = this;
    const token = await this.sandbox.issuer.token({
      organization: environment.circleci.organizationId,
      project: demoSite.project,
      origin: demoSite.repository,
      ref: formatRef({ kind: "branch", name: branch }),
    });
    const request = { RoleArn: publisher.arn, RoleSessionName: "demo", WebIdentityToken: token };
    const { Credentials } = await new STSClient().send(new AssumeRoleWithWebIdentityCommand(request));
    return {
      accessKeyId: Credentials?.AccessKeyId ?? "",
      secretAccessKey: Credentials?.SecretAccessKey ?? "",
      sessionToken: Credentials?.SessionToken,
    };
  }

  private async cdktf(args: readonly string[], progress: Progress): Promise<void> {
    const options = ["--no-color", "--output", join(this.folder, "cdktf.out")];
    const child = spawn(join(projectFolder, "node_modules", ".bin", "cdktf"), [...args, ...options], {
      cwd: projectFolder,
      env: { ...process.env, CI: "1" },
      stdio: ["ignore", "pipe", "pipe"],
      signal: this.interruption.signal,
    });
    const lines: string[] = [];
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input })
        .on("line", (line) => lines.push(line))
        .on("line", cdktfProgress(progress));
    }
    const [status] = await once(child, "close");
    if (status === 0) return;
    throw new UserError(`cdktf ${args.join(" ")} failed with status ${status}:\n\n${lines.join("\n")}`);
  }

  /**
   * What was created and verified, what a sandbox cannot verify, and the commands for a real account.
   *
   * @param columns the width of the terminal
   */
  summary(columns: number): string {
    const { accountId, roles, state } = this.environment;
    // The borders take three columns. Results need fewer columns than requests.
    const width = Math.min(columns, 120) - 3;
    const colWidths = [Math.ceil(width * 0.56), Math.floor(width * 0.44)];
    const table = new Table({ colWidths, wordWrap: true, style: { head: [], border: [] } });
    table.push(
      [{ colSpan: 2, content: `Created in account ${accountId} of the sandbox` }],
      [
        `bucket ${state.bucket}${state.lockTable === undefined ? "" : `, table ${state.lockTable}`}`,
        "Terraform's state and its lock",
      ],
      [`roles ${roles.map((role) => role.name).join(", ")}`, `${this.resources} resources, with provider and policies`],
      [{ colSpan: 2, content: "Verified" }],
      ...this.verified,
    );
    return `
${table}

The sandbox cannot verify that AWS reaches your issuer and accepts its
certificate, that the ids in config.ts are yours, and that no quota or
organization policy denies these requests. Tokens and permissions were evaluated
by this project's implementation of AWS's documented rules, not by AWS.

To deploy to a real account, enter your ids, accounts and buckets in config.ts,
sign in as an administrator, and run:

  npx keyless bootstrap <environment>
  npx cdktf diff <environment>
  npx cdktf deploy <environment>
`;
  }
}

/** Sends a request that AWS must deny; any other result fails the demo. */
async function denied(action: string, request: () => Promise<unknown>): Promise<string> {
  const error = await request().catch((reason: Error) => reason);
  if (!(error instanceof Error)) throw new UserError(`the sandbox allowed ${action}, which it must deny`);
  if (error.name !== "AccessDenied") throw error;
  return `denied: ${action}`;
}
