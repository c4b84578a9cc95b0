import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Env } from "./executables";
import { findTerraform, platform, type TerraformOptions } from "./install";

/** The AWS provider version of the bindings in package.json. */
export const awsProviderVersion = "5.100.0";

const awsProvider = "registry.terraform.io/hashicorp/aws";

/**
 * The variables for running Terraform or cdktf on this machine: the Terraform binary and the source of the AWS provider.
 * A variable that is `undefined` must be unset.
 *
 * @param options.work The folder for a generated CLI configuration, if the machine has a mirror of the provider.
 */
export async function terraformEnvironment(options: TerraformOptions & { readonly work: string }): Promise<Env> {
  const config = cliConfig(options.env);
  const env = { ...options.env, TF_CLI_CONFIG_FILE: config };
  const terraform = await findTerraform({ ...options, env });
  return {
    TERRAFORM_BINARY_NAME: terraform,
    TF_CLI_CONFIG_FILE: config ?? mirrorConfig(env, options.work),
    CHECKPOINT_DISABLE: "1",
    TF_IN_AUTOMATION: "1",
  };
}

/** Calls `run` with the environment of this process plus {@link terraformEnvironment}. */
export async function withTerraformEnvironment<T>(
  progress: (line: string) => void,
  run: (env: NodeJS.ProcessEnv) => Promise<T>,
): Promise<T> {
  const work = mkdtempSync(join(tmpdir(), "keyless-terraform-"));
  try {
    const terraform = await terraformEnvironment({ folder: resolve(".keyless"), env: process.env, progress, work });
    return await run({ ...process.env, ...terraform });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * The user's CLI configuration, if any: the file named by `TF_CLI_CONFIG_FILE` if it exists, else `~/.terraformrc`. It
 * can configure a mirror and credentials, so it is not replaced.
 */
function cliConfig(env: Env): string | undefined {
  const candidates = [env.TF_CLI_CONFIG_FILE, join(env.HOME ?? homedir(), ".terraformrc")];
  return candidates.find((file) => file && statSync(file, { throwIfNoEntry: false })?.isFile());
}

/** Writes a CLI configuration that installs the AWS provider from the machine's mirror, if it has one. */
function mirrorConfig(env: Env, work: string): string | undefined {
  const mirror = findMirror(env);
  if (mirror === undefined) return undefined;
  const file = join(work, "terraform.tfrc");
  writeFileSync(
    file,
    `provider_installation {
  filesystem_mirror {
    path    = ${JSON.stringify(mirror)}
    include = ["${awsProvider}"]
  }
  direct {
    exclude = ["${awsProvider}"]
  }
}
`,
  );
  return file;
}

/**
 * A filesystem mirror on this machine that contains the AWS provider: `TF_PLUGIN_MIRROR`,
 * `~/.terraform.d/plugins`, or a folder in `/opt`. Terraform itself searches the other implied mirror directories.
 *
 * @param system Replaces `/opt` in tests.
 * @see https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
 */
export function findMirror(env: Env, system = "/opt"): string | undefined {
  return [env.TF_PLUGIN_MIRROR, join(env.HOME ?? homedir(), ".terraform.d/plugins"), ...foldersIn(system)]
    .filter((folder) => folder !== undefined)
    .map((folder) => resolve(folder))
    .find(hasAwsProvider);
}

function foldersIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

/** Both layouts of `terraform providers mirror`: unpacked and packed. */
function hasAwsProvider(mirror: string): boolean {
  const packed = `terraform-provider-aws_${awsProviderVersion}_${platform()}.zip`;
  return [join(awsProviderVersion, platform()), packed].some((path) => existsSync(join(mirror, awsProvider, path)));
}
