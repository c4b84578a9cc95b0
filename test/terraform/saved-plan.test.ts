import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findTerraform } from "../../keyless/terraform/install";
import { copySavedPlan, readSavedPlan } from "../../keyless/terraform/saved-plan";

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

it("does not quote output of Terraform that is not JSON", () => {
  writeFileSync(join(folder, "plan"), "");
  const program = join(folder, "terraform");
  writeFileSync(program, "#!/bin/sh\necho secret\n", { mode: 0o755 });
  expect(() => readSavedPlan("dev", folder, program)).toThrow(
    /^cannot read the plan of dev: the output of \S+ show is not JSON: unexpected character at line 1, column 1$/,
  );
});

it("is copied to a file and a folder of the user alone, which does not change with the original", () => {
  writeFileSync(join(folder, "plan"), "first");
  const { file, sha256 } = copySavedPlan("dev", folder);
  writeFileSync(join(folder, "plan"), "second");
  expect(readFileSync(file, "utf8")).toBe("first");
  expect(sha256).toBe("a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e");
  expect([statSync(file).mode & 0o777, statSync(dirname(file)).mode & 0o777]).toEqual([0o400, 0o700]);
  expect(copySavedPlan("dev", folder).file).not.toBe(file);
  rmSync(dirname(file), { recursive: true });
});
