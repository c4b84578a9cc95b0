import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { AssumeRoleWithWebIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import Table from "cli-table3";
import type { Command } from "commander";
import type { Environment, Role } from "../../config/types";
import { UserError } from "../../errors";
import { type Sandbox, startSandbox } from "../../sandbox";
import { bootstrap } from "../../state/bootstrap";
import { events } from "../../terraform/run";
import { environmentNamed, loadConfig, roleNamed } from "../lib/load-config";
import { runSteps, type Step } from "../lib/progress";
import { synthesizeBackend } from "./bootstrap";
import { stay } from "./sandbox";

export function register(program: Command): void {
  program
    .command("demo")
    .option("--keep", "leave the local AWS running at the end, until Ctrl-C, and say how to use it")
    .description("try it all on a local AWS: bootstrap, deploy, tokens let in and refused, no drift")
    .action(async ({ keep = false }: { keep?: boolean }) => {
      const demo = new Demo();
      const interrupted = () => demo.interrupt();
      process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
      try {
        await runSteps(demo.steps());
        console.log(demo.summary());
        if (keep) process.exitCode = await stay(demo.sandbox);
      } catch (error) {
        if (!demo.isInterrupted) throw error;
        console.error("interrupted: the local AWS and all that was in it is gone");
        process.exitCode = 130;
      } finally {
        await demo.stop();
      }
    });
}

/** The site that the shipped configuration's publisher publishes in `dev`. */
const SITE = "www.dev.example.com";

class Demo {
  readonly environment: Environment;
  readonly publisher: Role;
  private readonly project: { project: string; repository: string; branches: readonly string[] };
  private readonly folder = mkdtempSync(join(tmpdir(), "keyless-demo-"));
  private readonly proven: [what: string, answer: string][] = [];
  private readonly interruption = new AbortController();
  private made = "";
  private started?: Sandbox;

  constructor() {
    this.environment = environmentNamed(loadConfig(), "dev");
    this.publisher = roleNamed(this.environment, "circleci-site-publisher");
    const rule = this.publisher.trust.find(
      (candidate) => "repository" in candidate && candidate.branches !== undefined,
    );
    if (rule === undefined || !("branches" in rule) || rule.branches === undefined) {
      throw new UserError(
        "the demo publishes as circleci-site-publisher of dev from a branch: its trust in config.ts names none",
      );
    }
    this.project = { ...rule, branches: rule.branches };
  }

  get isInterrupted(): boolean {
    return this.interruption.signal.aborted;
  }

  /** Ends what runs; nothing of the local AWS need be saved. */
  interrupt(): void {
    this.interruption.abort();
  }

  get sandbox(): Sandbox {
    if (this.started === undefined) throw new Error("the local AWS is not running");
    return this.started;
  }

  steps(): Step[] {
    return [
      { title: "A local AWS, with a local CircleCI issuer", run: (progress) => this.start(progress) },
      {
        title:
          "keyless bootstrap dev: bucket and lock table for the state (its lifecycle rule takes a minute, as in AWS)",
        run: (progress) => this.bootstrap(progress),
      },
      { title: "cdktf deploy dev: provider, roles and policies", run: (progress) => this.deploy(progress) },
      { title: "A job's token of the main branch becomes credentials of the role", run: () => this.proveTrust() },
      { title: "The role can do its work, and nothing else", run: () => this.provePermissions() },
      { title: "cdktf diff dev: nothing to change", run: (progress) => this.proveNoDrift(progress) },
    ];
  }

  async stop(): Promise<void> {
    await this.started?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async start(progress: (line: string) => void): Promise<void> {
    const { accountId, region } = this.environment;
    this.started = await startSandbox({ accountId, region, progress });
    // From here on, this process is an administrator of the local account, and of no other.
    for (const name of Object.keys(process.env)) if (/^AWS_(?!SDK_)/.test(name)) delete process.env[name];
    Object.assign(process.env, defined(this.sandbox.environment));
  }

  private async bootstrap(progress: (line: string) => void): Promise<void> {
    const backend = loadConfig().stateBackends.find(({ state }) => state.bucket === this.environment.state.bucket);
    if (backend === undefined) throw new Error("every environment has a state backend");
    const stack = synthesizeBackend(backend);
    await bootstrap({
      backend,
      stack,
      folder: join(this.folder, "bootstrap"),
      adopt: false,
      env: process.env,
      progress,
      signal: this.interruption.signal,
    });
  }

  private async deploy(progress: (line: string) => void): Promise<void> {
    const output = await this.cdktf(["deploy", "dev", "--auto-approve"], progress);
    this.made = /(\d+) added/.exec(output)?.[1] ?? "";
  }

  private async proveTrust(): Promise<void> {
    const [branch = ""] = this.project.branches;
    await this.session(branch);
    this.proven.push([`a token of branch ${branch} of ${this.project.repository}`, `let in as ${this.publisher.name}`]);
    this.proven.push([`a token of branch evil of the same project`, await refusal(() => this.session("evil"))]);
    const forged = `evil/vcs-origin/${this.project.repository}/vcs-ref/refs/heads/${branch}`;
    this.proven.push([`a token of a branch named ${forged}`, await refusal(() => this.session(forged))]);
  }

  private async provePermissions(): Promise<void> {
    const admin = new S3Client({ forcePathStyle: true });
    await admin.send(new CreateBucketCommand({ Bucket: SITE }));
    const role = new S3Client({
      forcePathStyle: true,
      credentials: await this.session(this.project.branches[0] ?? ""),
    });
    await role.send(
      new PutObjectCommand({ Bucket: SITE, Key: "index.html", Body: "<h1>Published without a key</h1>" }),
    );
    this.proven.push([`the role publishes to ${SITE}`, "done"]);
    const { bucket, key } = this.environment.state;
    const readState = () => role.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    this.proven.push(["the role reads Terraform's state", await refusal(readState)]);
  }

  private async proveNoDrift(progress: (line: string) => void): Promise<void> {
    const output = await this.cdktf(["diff", "dev"], progress);
    if (!output.includes("No changes")) throw new UserError(`the second plan has changes:\n\n${output}`);
    this.proven.push(["a second cdktf diff dev", "nothing to change"]);
  }

  /** Credentials of the publisher for a job of this branch, as AWS STS gives them for its token. */
  private async session(branch: string) {
    const token = await this.sandbox.issuer.token({
      organization: this.environment.circleci.organizationId,
      project: this.project.project,
      origin: this.project.repository,
      ref: `refs/heads/${branch}`,
    });
    const { Credentials } = await new STSClient().send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: this.publisher.arn,
        RoleSessionName: "demo",
        WebIdentityToken: token,
      }),
    );
    return {
      accessKeyId: Credentials?.AccessKeyId ?? "",
      secretAccessKey: Credentials?.SecretAccessKey ?? "",
      sessionToken: Credentials?.SessionToken,
    };
  }

  private cdktf(args: string[], progress: (line: string) => void): Promise<string> {
    const file = resolve("node_modules", ".bin", "cdktf");
    const options = ["--no-color", "--output", join(this.folder, "cdktf.out")];
    const child = spawn(file, [...args, ...options], {
      env: { ...process.env, CI: "1" },
      stdio: ["ignore", "pipe", "pipe"],
      signal: this.interruption.signal,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        text.split("\n").forEach(events(progress));
      });
    }
    return new Promise((done, failed) => {
      child.on("error", failed).on("close", (status) => {
        if (status === 0) done(output);
        else failed(new UserError(`cdktf ${args.join(" ")} ended with status ${status}:\n\n${output}`));
      });
    });
  }

  summary(): string {
    const { accountId, roles, state } = this.environment;
    const table = new Table({
      colWidths: [66, 52],
      wordWrap: true,
      style: { head: [], border: [] },
    });
    table.push(
      [{ colSpan: 2, content: `Made in the local account ${accountId}` }],
      [
        `bucket ${state.bucket}${state.lockTable === undefined ? "" : `, table ${state.lockTable}`}`,
        "the state and its lock",
      ],
      [`roles ${roles.map(({ name }) => name).join(", ")}`, `${this.made} resources with provider and policies`],
      [{ colSpan: 2, content: "Proven" }],
      ...this.proven,
    );
    return `
${table}

What a local AWS does not prove: that AWS reaches your issuer and takes its certificate, that your ids are the right
ones, and that no quota or organization policy of yours stands in the way. The checks of tokens and permissions above
were made by this project's own reading of AWS's rules, not by AWS.

Next, for a real account, once config.ts names your ids, accounts and buckets, signed in as its administrator:

  npx keyless bootstrap dev
  npx cdktf diff dev
  npx cdktf deploy dev
`;
  }
}

/** What AWS says when it refuses; a demo in which it does not is a failed one. */
async function refusal(request: () => Promise<unknown>): Promise<string> {
  try {
    await request();
  } catch (error) {
    const { message } = error as Error;
    return `refused: ${/not authorized to perform:? \S+/i.exec(message)?.[0] ?? message}`;
  }
  throw new UserError("the local AWS let in what it must refuse");
}

function defined(env: { readonly [name: string]: string | undefined }): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
}
