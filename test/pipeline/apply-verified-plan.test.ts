import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const script = join(__dirname, "../../keyless/pipeline/apply-verified-plan.sh");
let folder: string;
let dev: string;
let prod: string;
/** The private copy of the plan of dev. */
let verified: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keyless-verified-"));
  [dev, prod, verified] = [join(folder, "dev"), join(folder, "prod"), join(folder, "copy")];
  for (const stack of [dev, prod]) {
    mkdirSync(stack);
    writeFileSync(join(stack, "plan"), "another plan");
  }
  writeFileSync(verified, "the verified plan");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What Terraform, here `echo`, is called with after the plan of dev was verified. */
function calledWith(cwd: string, args: string[], variables: NodeJS.ProcessEnv = {}) {
  const env = {
    ...process.env,
    KEYLESS_TERRAFORM: "echo",
    KEYLESS_VERIFIED_STACK: dev,
    KEYLESS_VERIFIED_PLAN: verified,
    KEYLESS_VERIFIED_SHA256: createHash("sha256").update("the verified plan").digest("hex"),
    ...variables,
  };
  const { status, stdout, stderr } = spawnSync(script, args, { cwd, env, encoding: "utf8" });
  return { status, stdout: stdout.trim(), stderr };
}

const refusal = { status: 1, stdout: "", stderr: expect.stringContaining("nothing was applied") };

test("apply applies the verified copy, not the plan in the folder of the stack", () => {
  expect(calledWith(dev, ["apply", "-auto-approve"])).toMatchObject({
    status: 0,
    stdout: `apply -auto-approve ${verified}`,
  });
});

test.each([["init"], ["plan"], ["show"], ["output", "-json"], ["version", "-json"], ["-v"]])(
  "another command is passed on unchanged: %s",
  (...args) => {
    expect(calledWith(dev, args)).toMatchObject({ status: 0, stdout: args.join(" ") });
  },
);

test("apply in the folder of another stack is refused", () => {
  expect(calledWith(prod, ["apply"])).toMatchObject(refusal);
});

test("apply is refused if the copy has changed or does not exist", () => {
  writeFileSync(verified, "a changed plan");
  expect(calledWith(dev, ["apply"])).toMatchObject(refusal);
  rmSync(verified);
  expect(calledWith(dev, ["apply"])).toMatchObject(refusal);
});

test.each(["KEYLESS_VERIFIED_STACK", "KEYLESS_VERIFIED_PLAN", "KEYLESS_VERIFIED_SHA256"])(
  "apply is refused without %s",
  (name) => {
    expect(calledWith(dev, ["apply"], { [name]: undefined })).toMatchObject(refusal);
  },
);

test.each([
  ["destroy", "-auto-approve"],
  ["-chdir=../prod", "apply"],
])("%s %s is refused", (...args) => {
  expect(calledWith(dev, args)).toMatchObject(refusal);
});
