import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findTerraform } from "../../keyless/terraform/install";
import { readPlanFile, readSavedPlan } from "../../keyless/terraform/saved-plan";

let terraform: string;
let folder: string;

beforeAll(async () => {
  terraform = await findTerraform({ folder: ".keyless", env: process.env, progress: () => {} });
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keyless-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("is the JSON of the plan file that Terraform has saved in the folder", () => {
  writeFileSync(join(folder, "main.tf"), 'output "region" {\n  value = "us-east-1"\n}\n');
  execFileSync(terraform, ["plan", "-input=false", "-out=plan"], { cwd: folder, stdio: "ignore" });
  expect(readSavedPlan("dev", folder, terraform)).toMatchObject({
    output_changes: { region: { actions: ["create"], after: "us-east-1" } },
  });
});

it("names the command that saves a plan if there is none", () => {
  expect(() => readSavedPlan("dev", folder, terraform)).toThrow(
    `no saved plan of dev in ${folder}: run \`npx cdktf diff dev\` first`,
  );
});

it("reports Terraform's error for a file that is not a plan", () => {
  writeFileSync(join(folder, "plan"), "not a plan");
  expect(() => readSavedPlan("dev", folder, terraform)).toThrow(/^cannot read the plan of dev: .* show: .*plan/s);
});

it("reports a Terraform that cannot be started", () => {
  writeFileSync(join(folder, "plan"), "");
  const absent = join(folder, "absent");
  expect(() => readSavedPlan("dev", folder, absent)).toThrow(`cannot read the plan of dev: ${absent} show: spawnSync`);
});

describe("the file of a plan", () => {
  it("contains JSON", () => {
    writeFileSync(join(folder, "plan.json"), '{"format_version":"1.2"}');
    expect(readPlanFile(join(folder, "plan.json"), "the plan")).toEqual({ format_version: "1.2" });
  });

  it("is not quoted in the error if it is not JSON", () => {
    writeFileSync(join(folder, "plan.json"), "secret");
    expect(() => readPlanFile(join(folder, "plan.json"), "the plan")).toThrow(/^cannot read the plan: .* is not JSON$/);
  });

  it("cannot be absent", () => {
    expect(() => readPlanFile(join(folder, "absent"), "the plan")).toThrow(/^cannot read the plan: ENOENT/);
  });
});
