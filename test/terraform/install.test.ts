import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { close, endpointOf } from "../../keyless/sandbox/proxy/http";
import { findTerraform, platform } from "../../keyless/terraform/install";
import { pinnedTerraform } from "../../keyless/terraform/version";

const archiveName = `terraform_${pinnedTerraform}_${platform()}.zip`;
let work: string;
let releases: Server;
let files: Record<string, Uint8Array>;
let checksums: Record<string, string>;
let requests: number;
let lines: string[];

/** A program that prints this version, as `terraform version -json` does. */
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
    progress: (line) => lines.push(line),
    releases: endpointOf(releases),
    checksums,
  });

beforeEach(async () => {
  work = mkdtempSync(join(tmpdir(), "keyless-test-"));
  requests = 0;
  lines = [];
  const released = fakeTerraform(join(work, "release"), pinnedTerraform);
  const archive = zipSync({ "LICENSE.txt": Buffer.from("a license"), terraform: readFileSync(released) });
  files = { [archiveName]: archive };
  checksums = { [platform()]: createHash("sha256").update(archive).digest("hex") };
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

it("uses the Terraform on PATH if its version is supported", async () => {
  const own = fakeTerraform(join(work, "bin"), "1.12.2");
  await expect(find(join(work, "bin"))).resolves.toBe(own);
  expect(requests).toBe(0);
});

it("downloads the pinned version once if the one on PATH is too old", async () => {
  fakeTerraform(join(work, "bin"), "1.5.7");
  const downloaded = await find(join(work, "bin"));
  expect(execFileSync(downloaded).toString()).toContain(pinnedTerraform);
  expect(requests).toBe(1);
  expect(lines).toEqual([expect.stringContaining("Terraform 1.5.7 is not >= 1.11.0")]);
  await expect(find(join(work, "bin"))).resolves.toBe(downloaded);
  expect(requests).toBe(1);
});

it("downloads the pinned version instead of one whose output cdktf cannot parse, and gives the reason", async () => {
  fakeTerraform(join(work, "bin"), "1.15.1");
  await find(join(work, "bin"));
  expect(lines).toEqual([expect.stringContaining("github.com/hashicorp/terraform/issues/38479, fixed in 1.15.2")]);
});

it("installs nothing if the archive does not have the pinned checksum", async () => {
  fakeTerraform(join(work, "bin"), "1.5.7");
  files[archiveName] = Buffer.concat([files[archiveName] as Uint8Array, Buffer.from("!")]);
  await expect(find(join(work, "bin"))).rejects.toThrow(/has SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}/);
  expect(readdirSync(work).sort()).toEqual(["bin", "release"]);
});

it("downloads nothing for a platform without a pinned checksum", async () => {
  fakeTerraform(join(work, "bin"), "1.5.7");
  checksums = {};
  await expect(find(join(work, "bin"))).rejects.toThrow(/no checksum is pinned for .*: install Terraform/);
  expect(requests).toBe(0);
});

it("names the manual installation if the download fails", async () => {
  fakeTerraform(join(work, "bin"), "1.5.7");
  files = {};
  await expect(find(join(work, "bin"))).rejects.toThrow(/HTTP 404.*install Terraform >= 1\.11\.0, .*< 2\.0\.0 on PATH/);
});

test.each([
  ["linux", "x64", "linux_amd64"],
  ["darwin", "arm64", "darwin_arm64"],
])("maps the platform %s %s to the name %s in the archives of HashiCorp", (os, cpu, name) => {
  expect(platform(os, cpu)).toBe(name);
});
