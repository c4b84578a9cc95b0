import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { awsProviderVersion, findMirror, terraformEnvironment } from "../../keyless/terraform/environment";
import { platform } from "../../keyless/terraform/install";

const provider = "registry.terraform.io/hashicorp/aws";
let work: string;

beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), "keyless-test-"));
});
afterEach(() => rmSync(work, { recursive: true, force: true }));

function mirrorIn(folder: string, version = awsProviderVersion): string {
  mkdirSync(join(folder, provider, version, platform()), { recursive: true });
  return folder;
}

const environment = (env: Record<string, string>) =>
  terraformEnvironment({
    folder: join(work, "keyless"),
    work,
    env: { PATH: process.env.PATH, HOME: join(work, "home"), ...env },
    progress: () => {},
  });

describe("the mirror of the AWS provider", () => {
  it("is found in the implied mirror directory of the user", () => {
    const mirror = mirrorIn(join(work, "home/.terraform.d/plugins"));
    expect(findMirror({ HOME: join(work, "home") }, join(work, "none"))).toBe(mirror);
  });

  it("is found in a subfolder of the system folder", () => {
    const mirror = mirrorIn(join(work, "system", "mirror"));
    mkdirSync(join(work, "system", "another"));
    expect(findMirror({ HOME: work }, join(work, "system"))).toBe(mirror);
  });

  it("is found in the packed layout of `terraform providers mirror`", () => {
    const archive = join(work, "m", provider, `terraform-provider-aws_${awsProviderVersion}_${platform()}.zip`);
    mkdirSync(dirname(archive), { recursive: true });
    writeFileSync(archive, "");
    expect(findMirror({ HOME: work, TF_PLUGIN_MIRROR: join(work, "m") }, join(work, "none"))).toBe(join(work, "m"));
  });

  it("is not used if it has only another version", () => {
    const mirror = mirrorIn(join(work, "m"), "5.99.0");
    expect(findMirror({ HOME: work, TF_PLUGIN_MIRROR: mirror }, join(work, "none"))).toBeUndefined();
  });
});

describe("the environment of Terraform", () => {
  it("installs the AWS provider from the mirror, and other providers from the registry", async () => {
    const mirror = mirrorIn(join(work, "m"));
    const { TF_CLI_CONFIG_FILE = "" } = await environment({ TF_PLUGIN_MIRROR: mirror });
    const config = readFileSync(TF_CLI_CONFIG_FILE, "utf8");
    expect(config).toContain(`path    = "${mirror}"`);
    expect(config).toContain(`exclude = ["${provider}"]`);
  });

  it("keeps the CLI configuration that TF_CLI_CONFIG_FILE names", async () => {
    const own = join(work, "own.tfrc");
    writeFileSync(own, "");
    const { TF_CLI_CONFIG_FILE } = await environment({
      TF_CLI_CONFIG_FILE: own,
      TF_PLUGIN_MIRROR: mirrorIn(join(work, "m")),
    });
    expect(TF_CLI_CONFIG_FILE).toBe(own);
  });

  it("keeps the CLI configuration in the home folder", async () => {
    const own = join(work, "home", ".terraformrc");
    mkdirSync(dirname(own));
    writeFileSync(own, "");
    await expect(environment({})).resolves.toMatchObject({ TF_CLI_CONFIG_FILE: own });
  });

  it("replaces a TF_CLI_CONFIG_FILE that does not exist", async () => {
    const { TF_CLI_CONFIG_FILE } = await environment({ TF_CLI_CONFIG_FILE: join(work, "none.tfrc") });
    expect(TF_CLI_CONFIG_FILE).not.toBe(join(work, "none.tfrc"));
  });
});

it("pins the provider version of the CDKTF bindings", () => {
  const bindings = readFileSync(require.resolve("@cdktf/provider-aws/lib/provider/index.js"), "utf8");
  expect(bindings).toContain(`providerVersion: '${awsProviderVersion}'`);
});
