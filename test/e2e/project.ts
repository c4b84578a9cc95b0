import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { ConfigInput } from "../../keyless/config/input";
import { awsProviderVersion, findMirror } from "../../keyless/terraform/environment";
import type { Env } from "../../keyless/terraform/executables";
import { platform } from "../../keyless/terraform/install";
import { afterSuite } from "./after-suite";

const root = join(__dirname, "..", "..");
const left = new Set(["node_modules", "docs", "cdktf.out", ".git", ".keyless"]);

export interface Ran {
  readonly status: number | null;
  /** What it printed on both streams. */
  readonly output: string;
}

/** A copy of this project in a folder of its own, with another `config.ts`: what a team has after cloning and editing. */
export class Project {
  readonly folder = mkdtempSync(join(tmpdir(), "keyless-project-"));

  /** It is removed after the suite's tests. */
  constructor(config?: string | ConfigInput) {
    afterSuite(() => this.remove());
    // With dist/ and the exact times of the sources, by which nothing need be compiled again that is not changed.
    const copied = readdirSync(root).filter((name) => !left.has(name));
    execFileSync("cp", ["-a", ...copied.map((name) => join(root, name)), this.folder]);
    symlinkSync(join(root, "node_modules"), join(this.folder, "node_modules"));
    if (config !== undefined) this.configure(config);
  }

  /**
   * Replaces `config.ts`: by a configuration, or by its text below the imports, which are those of the shipped one.
   */
  configure(config: string | ConfigInput): void {
    const text = typeof config === "string" ? config : `export default defineConfig(${sourceOf(config)});`;
    const imports = readFileSync(join(root, "config.ts"), "utf8").match(/^import .*;$/gm) ?? [];
    writeFileSync(join(this.folder, "config.ts"), `${imports.join("\n")}\n${text}`);
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), "utf8");
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.folder, path), text);
  }

  /** The stack's Terraform, as the last synthesis left it. */
  stack(name: string) {
    return JSON.parse(this.read(`cdktf.out/stacks/${name}/cdk.tf.json`));
  }

  cdktf(env: Env, ...args: string[]): Promise<Ran> {
    const offline = ["diff", "deploy", "destroy", "output"].includes(args[0] ?? "") ? ["--skip-provider-lock"] : [];
    return this.run({ ...env, CI: "1" }, join(root, "node_modules/.bin/cdktf"), ...args, ...offline, "--no-color");
  }

  /** Terraform on a stack as the app makes it, without the seconds that cdktf takes around it. */
  async terraform(env: Env, stack: string, ...args: string[]): Promise<Ran> {
    const made = await this.run(env, process.execPath, "build.js", "app.js");
    if (made.status !== 0) return made;
    const cwd = join(this.folder, "cdktf.out", "stacks", stack);
    const terraform = (...words: string[]) =>
      run(env.TERRAFORM_BINARY_NAME ?? "terraform", [...words, "-input=false", "-no-color"], { cwd, env });
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
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A configuration as a person would write it: a policy that a function makes is that function, by its name. */
function sourceOf(config: ConfigInput): string {
  const named = (_: string, value: unknown) => (typeof value === "function" ? `<${value.name}>` : value);
  return JSON.stringify(config, named, 2).replace(/"<(\w+)>"/g, "$1");
}

/**
 * An environment in which Terraform's short commands take half of the time: without garbage collection, and without a
 * SHA-256 of the 700 MB provider at each, which a development override of the provider leaves out.
 */
function fast(env: Env): Env {
  return { ...env, ...developmentOverride(env), GOGC: "off", GOMEMLIMIT: "1GiB" };
}

/** Where the sandbox has made the CLI configuration, since the provider is in an unpacked mirror of this machine. */
function developmentOverride({ TF_CLI_CONFIG_FILE: file = "", ...env }: Env): Env {
  const provider = "registry.terraform.io/hashicorp/aws";
  const folder = join(findMirror(env) ?? "", provider, awsProviderVersion, platform());
  if (basename(file) !== "terraform.tfrc" || !existsSync(file) || !existsSync(folder)) return {};
  const overriding = file.replace(/\.tfrc$/, ".override.tfrc");
  const block = `provider_installation {\n  dev_overrides {\n    ${JSON.stringify(provider)} = ${JSON.stringify(folder)}\n  }\n`;
  writeFileSync(overriding, readFileSync(file, "utf8").replace("provider_installation {\n", block));
  return { TF_CLI_CONFIG_FILE: overriding };
}

/** Runs a program to its end. */
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

/** The AWS CLI; what it prints as JSON, or its refusal as an error. */
export async function aws(env: Env, ...args: string[]) {
  const { status, output } = await run("aws", args, { env });
  if (status !== 0) throw new Error(output.trim());
  return output.trim() === "" ? undefined : output.trimStart().startsWith("{") ? JSON.parse(output) : output;
}
