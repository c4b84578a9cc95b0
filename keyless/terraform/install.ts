import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { unzipSync } from "fflate";
import { UserError } from "../errors";
import { type Env, findOnPath, outputOf } from "./executables";
import { pinnedTerraform, terraformChecksums, terraformConstraint, versionFault } from "./version";

/** Where to look for Terraform, and where to install it. */
export interface TerraformOptions {
  /** The project's folder for downloads, `.keyless`. */
  readonly folder: string;
  readonly env: Env;
  /** Called with a line of text before a download. */
  readonly progress: (line: string) => void;
  /** The site to download releases from. Default: `https://releases.hashicorp.com`. */
  readonly releases?: string;
  /** SHA-256 of the archive of each platform. Default: {@link terraformChecksums}. */
  readonly checksums?: Readonly<Record<string, string>>;
}

/**
 * The path of a Terraform that satisfies {@link terraformConstraint}: the one of `TERRAFORM_BINARY_NAME` or `PATH` if its
 * version is supported, else {@link pinnedTerraform}, which is downloaded once and verified by its pinned checksum.
 *
 * @throws {UserError} if the platform has no pinned checksum, the download fails, or the checksum differs
 */
export async function findTerraform(options: TerraformOptions): Promise<string> {
  const { folder, env } = options;
  const downloaded = join(folder, `terraform-${pinnedTerraform}`, "terraform");
  const named = env.TERRAFORM_BINARY_NAME ?? "terraform";
  const path = named.includes("/") ? named : findOnPath(named, env);
  const version = path ? await versionOf(path, env) : "";
  const fault = version === "" ? `PATH has no Terraform ${terraformConstraint}` : versionFault(version);
  if (path && fault === undefined) return path;
  if (versionFault(await versionOf(downloaded, env)) === undefined) return downloaded;
  await download(downloaded, fault ?? "", options);
  return downloaded;
}

/** The version of a Terraform, or an empty string if it cannot be run. */
async function versionOf(path: string, env: Env): Promise<string> {
  const printed = await outputOf(path, ["version", "-json"], { ...env, CHECKPOINT_DISABLE: "1" });
  return /"terraform_version": "([^"]+)"/.exec(printed ?? "")?.[1] ?? "";
}

/** @param reason why a download is necessary */
async function download(
  target: string,
  reason: string,
  { progress, releases, checksums }: TerraformOptions,
): Promise<void> {
  const url = `${releases ?? "https://releases.hashicorp.com"}/terraform/${pinnedTerraform}/terraform_${pinnedTerraform}_${platform()}.zip`;
  const pinned = (checksums ?? terraformChecksums)[platform()];
  if (pinned === undefined) throw new UserError(`no checksum is pinned for ${url}: ${installHint}`);
  progress(`downloading Terraform ${pinnedTerraform}, once: ${reason}`);
  const archive = await fetchFile(url);
  const actual = createHash("sha256").update(archive).digest("hex");
  if (actual !== pinned) {
    throw new UserError(`${url} has SHA-256 ${actual}, expected ${pinned}: the archive was not installed`);
  }
  const { terraform } = unzipSync(archive, { filter: ({ name }) => name === "terraform" });
  if (terraform === undefined) throw new UserError(`${url} contains no file named terraform: ${installHint}`);
  mkdirSync(dirname(dirname(target)), { recursive: true });
  const work = mkdtempSync(`${dirname(target)}-`);
  try {
    writeFileSync(join(work, "terraform"), terraform, { mode: 0o755 });
    // Renamed when complete, so that concurrent downloads never leave a partial file.
    rmSync(dirname(target), { recursive: true, force: true });
    renameSync(work, dirname(target));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const installHint = `install Terraform ${terraformConstraint} on PATH, https://developer.hashicorp.com/terraform/install`;

async function fetchFile(url: string): Promise<Buffer> {
  const answer = await fetch(url).catch((error: Error) => error);
  if (answer instanceof Error || !answer.ok) {
    const reason = answer instanceof Error ? String(answer.cause ?? answer.message) : `HTTP ${answer.status}`;
    throw new UserError(`${url} could not be downloaded (${reason}): ${installHint}`);
  }
  return Buffer.from(await answer.arrayBuffer());
}

/** The platform in HashiCorp's notation, for example `linux_amd64`. Provider folders use it too. */
export function platform(os: string = process.platform, cpu: string = process.arch): string {
  const architectures: Record<string, string> = { x64: "amd64", ia32: "386" };
  return `${os}_${architectures[cpu] ?? cpu}`;
}
