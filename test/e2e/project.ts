import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { ConfigInput } from "../../keyless/config/input";
import { awsProviderVersion, findMirror } from "../../keyless/terraform/environment";
import type { Env } from "../../keyless/terraform/executables";
import { platform } from "../../keyless/terraform/install";
import { exampleProject } from "../example/project";
import { afterSuite } from "./after-suite";

const root = join(__dirname, "..", "..");

export interface Ran {
  readonly status: number | null;
  /** Standard output and standard error. */
  readonly output: string;
}

/** A copy of the example project in a temporary folder with another `config.ts`, as a team has it after cloning and editing. */
export class Project {
  readonly folder = mkdtempSync(join(tmpdir(), "keyless-project-"));

  /** Copies the example project. The copy is removed after the suite's tests. */
  constructor(config?: string | ConfigInput) {
    afterSuite(() => this.remove());
    execFileSync("cp", ["-a", `${exampleProject}/.`, this.folder]);
    if (config !== undefined) this.configure(config);
  }

  /** Replaces `config.ts` by a configuration or by source text. The imports of the example's are kept. */
  configure(config: string | ConfigInput): void {
    const text = typeof config === "string" ? config : `export default defineConfig(${sourceOf(config)});`;
    const imports = readFileSync(join(exampleProject, "config.ts"), "utf8").match(/^import .*;$/gm) ?? [];
    writeFileSync(join(this.folder, "config.ts"), `${imports.join("\n")}\n${text}`);
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), "utf8");
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.folder, path), text);
  }

  /** The parsed `cdk.tf.json` of a stack, from the last synthesis. */
  stack(name: string) {
    return JSON.parse(this.read(`cdktf.out/stacks/${name}/cdk.tf.json`));
  }

  /** Commits all files to `main`, and pushes them to the remote `origin`, a repository beside the folder. */
  commit(): void {
    commitAll(this.folder, `${this.folder}-origin`);
  }

  cdktf(env: Env, ...args: string[]): Promise<Ran> {
    return this.run({ ...env, CI: "1" }, join(root, "node_modules/.bin/cdktf"), ...args, "--no-color");
  }

  /** Synthesizes the app and runs Terraform on a stack. Faster than {@link cdktf} by several seconds. */
  async terraform(env: Env, stack: string, ...args: string[]): Promise<Ran> {
    const synthesized = await this.run(env, process.execPath, "build.js", "app.js");
    if (synthesized.status !== 0) return synthesized;
    const cwd = join(this.folder, "cdktf.out", "stacks", stack);
    const terraform = (...command: string[]) =>
      run(env.TERRAFORM_BINARY_NAME ?? "terraform", [...command, "-input=false", "-no-color"], { cwd, env });
    if (!existsSync(join(cwd, ".terraform", "terraform.tfstate"))) {
      const initialized = await terraform("init");
      if (initialized.status !== 0) return initialized;
    }
    return terraform(...args);
  }

  keyless(env: Env, ...args: string[]): Promise<Ran> {
    return this.run(env, process.execPath, join(this.folder, "keyless/cli/keyless.js"), ...args);
  }

  run(env: Env, file: string, ...args: string[]): Promise<Ran> {
    return run(file, args, { cwd: this.folder, env });
  }

  remove(): void {
    for (const folder of [this.folder, `${this.folder}-origin`]) rmSync(folder, { recursive: true, force: true });
  }
}

/** Commits all files of a folder to `main`, and pushes them to the remote `origin`. Creates both repositories if needed. */
export function commitAll(folder: string, origin: string): void {
  const git = (...args: string[]) => {
    const settings = ["user.name=a", "user.email=a@example.com", "core.hooksPath=/dev/null"].flatMap((each) => [
      "-c",
      each,
    ]);
    execFileSync("git", [...settings, ...args], { cwd: folder, stdio: "pipe" });
  };
  if (!existsSync(origin)) git("init", "-q", "--bare", "-b", "main", origin);
  if (!existsSync(join(folder, ".git"))) {
    git("init", "-q", "-b", "main");
    git("remote", "add", "origin", origin);
  }
  git("add", "-A");
  git("commit", "-q", "--allow-empty", "-m", "a change");
  git("push", "-q", "origin", "main");
}

/** The source text of a configuration. Functions that build a policy are written as their names. */
function sourceOf(config: ConfigInput): string {
  const named = (_: string, value: unknown) => (typeof value === "function" ? `<${value.name}>` : value);
  return JSON.stringify(config, named, 2).replace(/"<(\w+)>"/g, "$1");
}

/**
 * Halves the time of short Terraform commands: no garbage collection, and a development override of the provider, for
 * which Terraform does not compute the SHA-256 of the 700 MB provider in each command.
 */
function fast(env: Env): Env {
  return { ...env, ...developmentOverride(env), GOGC: "off", GOMEMLIMIT: "1GiB" };
}

/** Only if the sandbox wrote the CLI configuration, which means that the provider is in an unpacked mirror of this machine. */
function developmentOverride({ TF_CLI_CONFIG_FILE: file = "", ...env }: Env): Env {
  const provider = "registry.terraform.io/hashicorp/aws";
  const folder = join(findMirror(env) ?? "", provider, awsProviderVersion, platform());
  if (basename(file) !== "terraform.tfrc" || !existsSync(file) || !existsSync(folder)) return {};
  const overriding = file.replace(/\.tfrc$/, ".override.tfrc");
  const block = `provider_installation {\n  dev_overrides {\n    ${JSON.stringify(provider)} = ${JSON.stringify(folder)}\n  }\n`;
  writeFileSync(overriding, readFileSync(file, "utf8").replace("provider_installation {\n", block));
  return { TF_CLI_CONFIG_FILE: overriding };
}

/** Runs a program and waits until it exits. */
export function run(file: string, args: readonly string[], options: { cwd?: string; env: Env }): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      ...options,
      env: fast(options.env) as NodeJS.ProcessEnv,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text) => (output += text));
    child.on("error", reject).on("close", (status) => resolve({ status, output }));
  });
}

/** Runs the AWS CLI and returns its output, parsed if it is JSON. Rejects with the output if the command fails. */
export async function aws(env: Env, ...args: string[]) {
  const { status, output } = await run("aws", args, { env });
  if (status !== 0) throw new Error(output.trim());
  return output.trim() === "" ? undefined : output.trimStart().startsWith("{") ? JSON.parse(output) : output;
}
