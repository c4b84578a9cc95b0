import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { close, endpointOf } from "../../keyless/sandbox/proxy/http";
import { findTerraform, platform } from "../../keyless/terraform/install";
import { pinnedTerraform } from "../../keyless/terraform/version";

const archiveName = `terraform_${pinnedTerraform}_${platform()}.zip`;
let work: string;
let releases: Server;
let files: Record<string, Buffer | string>;
let requests: number;

/** A program that says of itself which Terraform it is. */
function fakeTerraform(folder: string, version: string): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "terraform");
  writeFileSync(path, `#!/bin/sh\necho '{ "terraform_version": "${version}" }'\n`);
  chmodSync(path, 0o755);
  return path;
}

const find = (path: string) =>
  findTerraform({
    folder: join(work, "keyless"),
    env: { ...process.env, PATH: `${path}:${process.env.PATH}`, TERRAFORM_BINARY_NAME: undefined },
    progress: () => {},
    releases: endpointOf(releases),
  });

beforeEach(async () => {
  work = mkdtempSync(join(tmpdir(), "keyless-test-"));
  requests = 0;
  fakeTerraform(join(work, "release"), pinnedTerraform);
  const zip = "import sys, zipfile; zipfile.ZipFile('t.zip', 'w').write('terraform')";
  execFileSync("python3", ["-c", zip], { cwd: join(work, "release") });
  const archive = readFileSync(join(work, "release", "t.zip"));
  const sum = createHash("sha256").update(archive).digest("hex");
  files = {
    [archiveName]: archive,
    [`terraform_${pinnedTerraform}_SHA256SUMS`]: `${"0".repeat(64)}  terraform_other.zip\n${sum}  ${archiveName}\n`,
  };
  releases = createServer(({ url = "" }, response) => {
    requests += 1;
    const file = files[url.replace(`/terraform/${pinnedTerraform}/`, "")];
    response.writeHead(file === undefined ? 404 : 200).end(file);
  });
  await new Promise<void>((resolve) => releases.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  await close(releases);
  rmSync(work, { recursive: true, force: true });
});

it("takes the Terraform on PATH when its version serves", async () => {
  const own = fakeTerraform(join(work, "bin"), "1.12.2");
  await expect(find(join(work, "bin"))).resolves.toBe(own);
  expect(requests).toBe(0);
});

it("downloads the pinned one when the one on PATH is too old, and uses it again", async () => {
  fakeTerraform(join(work, "bin"), "1.5.7");
  const downloaded = await find(join(work, "bin"));
  expect(execFileSync(downloaded).toString()).toContain(pinnedTerraform);
  expect(requests).toBe(2);
  await expect(find(join(work, "bin"))).resolves.toBe(downloaded);
  expect(requests).toBe(2);
});

it("refuses an archive whose checksum is not the published one, and keeps nothing of it", async () => {
  fakeTerraform(join(work, "bin"), "1.5.7");
  files[archiveName] = Buffer.concat([files[archiveName] as Buffer, Buffer.from("!")]);
  await expect(find(join(work, "bin"))).rejects.toThrow(/is not the published one: its SHA-256 is/);
  expect(readdirSync(work).sort()).toEqual(["bin", "release"]);
});

it("refuses an archive of which no checksum is published", async () => {
  fakeTerraform(join(work, "bin"), "1.5.7");
  files[`terraform_${pinnedTerraform}_SHA256SUMS`] = "";
  await expect(find(join(work, "bin"))).rejects.toThrow("published is none");
});

it("says how to go on when it cannot be downloaded", async () => {
  fakeTerraform(join(work, "bin"), "1.5.7");
  files = {};
  await expect(find(join(work, "bin"))).rejects.toThrow(/HTTP 404.*install Terraform >= 1\.11\.0, < 2\.0\.0 yourself/);
});

test.each([
  ["linux", "x64", "linux_amd64"],
  ["darwin", "arm64", "darwin_arm64"],
])("names the platform %s %s as HashiCorp does: %s", (os, cpu, name) => {
  expect(platform(os, cpu)).toBe(name);
});
