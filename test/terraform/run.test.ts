import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cdktfProgress, runTerraform, terraformOrFail } from "../../keyless/terraform/run";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keyless-test-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a program in place of Terraform that executes this script. */
async function runScript(script: string, ...args: string[]) {
  const binary = join(folder, "terraform");
  writeFileSync(binary, `#!/usr/bin/env node\n${script}`);
  chmodSync(binary, 0o755);
  const lines: string[] = [];
  const env = { ...process.env, TERRAFORM_BINARY_NAME: binary };
  return { ...(await runTerraform({ folder, env, progress: (line) => lines.push(line) }, ...args)), lines };
}

const message = (type: string, text: string, rest = {}) => JSON.stringify({ "@message": text, type, ...rest });

it("reports the operations and the result of apply -json, also if a chunk ends within a line", async () => {
  const text = [
    message("version", "Terraform 1.11.4"),
    message("change_summary", "Plan: 1 to add, 0 to change, 0 to destroy.", { changes: { operation: "plan" } }),
    message("apply_start", "data.aws_region.here: Reading...", { hook: { action: "read" } }),
    message("apply_start", "aws_s3_bucket.state: Creating...", { hook: { action: "create" } }),
    message("apply_complete", "aws_s3_bucket.state: Creation complete after 1s", { hook: { action: "create" } }),
    message("change_summary", "Apply complete! Resources: 1 added", { changes: { operation: "apply" } }),
  ].join("\n");
  const at = text.indexOf("Creating");
  const script = `process.stdout.write(${JSON.stringify(text.slice(0, at))});
    setTimeout(() => process.stdout.write(${JSON.stringify(text.slice(at))}), 50);`;
  await expect(runScript(script, "apply", "-json")).resolves.toEqual({
    status: 0,
    output: "",
    lines: [
      "aws_s3_bucket.state: Creating...",
      "aws_s3_bucket.state: Creation complete after 1s",
      "Apply complete! Resources: 1 added",
    ],
  });
});

it("returns the diagnostics of apply -json, and lines that are not JSON", async () => {
  const diagnostic = { severity: "error", summary: "Error acquiring the state lock", detail: "Lock Info:\n  ID: 1" };
  const error = message("diagnostic", "Error: Error acquiring the state lock", { diagnostic });
  const ran = await runScript(`console.log(${JSON.stringify(`panic\n${error}`)}); process.exit(1)`, "apply", "-json");
  expect(ran).toEqual({
    status: 1,
    output: "panic\nError: Error acquiring the state lock\nLock Info:\n  ID: 1\n",
    lines: [],
  });
});

it("fails with the name of a binary that cannot be run", async () => {
  const env = { ...process.env, TERRAFORM_BINARY_NAME: join(folder, "absent") };
  await expect(terraformOrFail({ folder, env, progress: () => {} }, "init")).rejects.toThrow(
    /absent cannot be run: install Terraform, or set TERRAFORM_BINARY_NAME/,
  );
});

test.each([
  ["dev  aws_s3_bucket.state: Creating...", ["aws_s3_bucket.state: Creating..."]],
  ["     Apply complete! Resources: 1 added", ["Apply complete! Resources: 1 added"]],
  ["Apply complete! Resources: 1 added", ["Apply complete! Resources: 1 added"]],
  ["dev  Initializing the backend...", []],
])("of cdktf's line %j, reports %j", (line, expected) => {
  const lines: string[] = [];
  cdktfProgress((text) => lines.push(text))(line);
  expect(lines).toEqual(expected);
});
