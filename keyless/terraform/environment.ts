import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Env } from "./executables";
import { findTerraform, platform, type TerraformOptions } from "./install";

/** The version of the AWS provider that the bindings in package.json are made from. */
export const awsProviderVersion = "5.100.0";

const awsProvider = "registry.terraform.io/hashicorp/aws";

/**
 * The variables that a run of Terraform or cdktf needs on this machine: which Terraform, and where its AWS provider
 * comes from. `undefined` stands for a variable to be removed.
 *
 * @param work A folder for the CLI configuration that is made where the provider lies in a mirror.
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
    // `cdktf` would look up the provider's checksums for other machines too, in the registry and for minutes.
    CDKTF_SKIP_PROVIDER_LOCK: "true",
  };
}

/**
 * The user's own CLI configuration where there is one: the file that `TF_CLI_CONFIG_FILE` names if it exists, else
 * `~/.terraformrc`. It may hold a mirror and credentials of its own, so it is left alone.
 */
function cliConfig(env: Env): string | undefined {
  const candidates = [env.TF_CLI_CONFIG_FILE, join(env.HOME ?? homedir(), ".terraformrc")];
  return candidates.find((file) => file && statSync(file, { throwIfNoEntry: false })?.isFile());
}

/** Writes the CLI configuration that takes the AWS provider from the machine's mirror, where there is one. */
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
 * A folder of this machine that holds the AWS provider as a filesystem mirror: named by `TF_PLUGIN_MIRROR`, one of
 * Terraform's own implied places, or below the system's folder for add-on software.
 *
 * @param system Replaces `/opt` in tests.
 * @see https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
 */
export function findMirror(env: Env, system = "/opt"): string | undefined {
  return [env.TF_PLUGIN_MIRROR, ...impliedMirrors(env), ...foldersIn(system)]
    .filter((folder) => folder !== undefined)
    .map((folder) => resolve(folder))
    .find(holdsAwsProvider);
}

function impliedMirrors(env: Env): string[] {
  const home = env.HOME ?? homedir();
  const macos = ["Library/Application Support/io.terraform/plugins"];
  const dataFolders = [
    env.XDG_DATA_HOME || join(home, ".local/share"),
    ...(env.XDG_DATA_DIRS || "/usr/local/share:/usr/share").split(":"),
  ];
  return [
    join(home, ".terraform.d/plugins"),
    ...(process.platform === "darwin"
      ? macos.flatMap((folder) => [join(home, folder), join("/", folder)])
      : dataFolders.map((folder) => join(folder, "terraform/plugins"))),
  ];
}

function foldersIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

/** Unpacked or packed, as `terraform providers mirror` lays it out. */
function holdsAwsProvider(mirror: string): boolean {
  const packed = `terraform-provider-aws_${awsProviderVersion}_${platform()}.zip`;
  return [join(awsProviderVersion, platform()), packed].some((path) => existsSync(join(mirror, awsProvider, path)));
}
