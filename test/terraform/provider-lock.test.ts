import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { awsProviderVersion } from "../../keyless/terraform/environment";
import { lockProviders } from "../../keyless/terraform/provider-lock";
import { terraformChecksums } from "../../keyless/terraform/version";

const root = join(__dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const hashes = (text: string, scheme: string) => text.match(new RegExp(`"${scheme}:[^"]+"`, "g")) ?? [];

test("the lock file has the AWS provider of the bindings, and its checksums for every platform", () => {
  const text = read(".terraform.lock.hcl");
  expect(text.match(/^provider .*/gm)).toEqual(['provider "registry.terraform.io/hashicorp/aws" {']);
  expect(text).toContain(`version     = "${awsProviderVersion}"\n  constraints = "${awsProviderVersion}"`);
  // The archives also have a manifest.
  const platforms = Object.keys(terraformChecksums).length;
  expect(hashes(text, "h1").length).toBeGreaterThanOrEqual(platforms);
  expect(hashes(text, "zh").length).toBeGreaterThanOrEqual(platforms + 1);
});

test("is copied to a folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "keyless-lock-"));
  lockProviders(folder);
  expect(readFileSync(join(folder, ".terraform.lock.hcl"), "utf8")).toBe(read(".terraform.lock.hcl"));
  rmSync(folder, { recursive: true });
});

test("the example of a Terraform repository has a lock file with checksums of archives", () => {
  const text = read("examples/terraform/.terraform.lock.hcl");
  expect(text).toContain('provider "registry.terraform.io/hashicorp/aws" {');
  expect(hashes(text, "zh")).not.toHaveLength(0);
});
