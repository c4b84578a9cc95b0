import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "../errors";
import { type Env, onPath, output } from "./executables";
import { pinnedTerraform, terraformConstraint, terraformServes } from "./version";

/** Where to look for Terraform, and where to put it. */
export interface TerraformOptions {
  /** The project's folder for downloads, `.keyless`. */
  readonly folder: string;
  readonly env: Env;
  /** Called with a line for people when something takes long. */
  readonly progress: (line: string) => void;
  /** Where releases are downloaded from. Default: HashiCorp's own site. */
  readonly releases?: string;
}

/**
 * The path of a Terraform that satisfies {@link terraformConstraint}: the one that `TERRAFORM_BINARY_NAME` or `PATH`
 * names if its version serves, else the pinned one, downloaded once and checked against its published checksum.
 */
export async function findTerraform(options: TerraformOptions): Promise<string> {
  const { folder, env } = options;
  const downloaded = join(folder, `terraform-${pinnedTerraform}`, "terraform");
  const named = env.TERRAFORM_BINARY_NAME ?? "terraform";
  for (const path of [named.includes("/") ? named : onPath(named, env), downloaded]) {
    if (path && terraformServes(await versionOf(path, env))) return path;
  }
  await download(downloaded, options);
  return downloaded;
}

/** The version of a Terraform, or an empty string where it cannot be run. */
async function versionOf(path: string, env: Env): Promise<string> {
  const printed = await output(path, ["version", "-json"], { ...env, CHECKPOINT_DISABLE: "1" });
  return /"terraform_version": "([^"]+)"/.exec(printed ?? "")?.[1] ?? "";
}

async function download(target: string, { env, progress, releases }: TerraformOptions): Promise<void> {
  const base = `${releases ?? "https://releases.hashicorp.com"}/terraform/${pinnedTerraform}`;
  const name = `terraform_${pinnedTerraform}_${platform()}.zip`;
  progress(`downloading Terraform ${pinnedTerraform}: none on PATH is ${terraformConstraint} (only this once)`);
  const [archive, checksums] = await Promise.all([
    fetchFile(`${base}/${name}`),
    fetchFile(`${base}/terraform_${pinnedTerraform}_SHA256SUMS`),
  ]);
  const published = checksums
    .toString()
    .split("\n")
    .find((line) => line.endsWith(`  ${name}`))
    ?.split(" ")[0];
  const actual = createHash("sha256").update(archive).digest("hex");
  if (actual !== published) {
    throw new UserError(
      `the Terraform downloaded from ${base}/${name} is not the published one: its SHA-256 is ${actual}, published is ` +
        `${published ?? "none"}; nothing was installed`,
    );
  }
  await unpack(archive, target, env);
}

/** Node has no reader of zip archives; Python, which the local AWS needs anyway, has one. */
async function unpack(archive: Buffer, target: string, env: Env): Promise<void> {
  mkdirSync(dirname(dirname(target)), { recursive: true });
  const work = mkdtempSync(`${dirname(target)}-`);
  try {
    writeFileSync(join(work, "terraform.zip"), archive);
    const script =
      "import os, sys, zipfile; os.chdir(sys.argv[1]); zipfile.ZipFile('terraform.zip').extract('terraform'); " +
      "os.chmod('terraform', 0o755); os.remove('terraform.zip'); print('unpacked')";
    const python = onPath("python3", env) ?? onPath("python", env);
    if (!python || !(await output(python, ["-c", script, work], env))) {
      throw new UserError("the downloaded Terraform could not be unpacked: Python 3 is needed for that, on PATH");
    }
    // Only a whole Terraform ever stands in its place, also when two runs download at once.
    rmSync(dirname(target), { recursive: true, force: true });
    renameSync(work, dirname(target));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function fetchFile(url: string): Promise<Buffer> {
  const answer = await fetch(url).catch((error: Error) => error);
  if (answer instanceof Error || !answer.ok) {
    const reason = answer instanceof Error ? String(answer.cause ?? answer.message) : `HTTP ${answer.status}`;
    throw new UserError(
      `${url} could not be downloaded (${reason}): install Terraform ${terraformConstraint} yourself, ` +
        "https://developer.hashicorp.com/terraform/install, so that it is on PATH",
    );
  }
  return Buffer.from(await answer.arrayBuffer());
}

/** This machine as HashiCorp names it, e.g. `linux_amd64`; for a provider's folder too. */
export function platform(os: string = process.platform, cpu: string = process.arch): string {
  const architectures: Record<string, string> = { x64: "amd64", ia32: "386" };
  return `${os}_${architectures[cpu] ?? cpu}`;
}
