import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const script = join(__dirname, "../../keyless/pipeline/apply-verified-plan.sh");
const folder = mkdtempSync(join(tmpdir(), "keyless-verified-"));
const [dev, prod] = [join(folder, "dev"), join(folder, "prod")];

beforeAll(() => {
  for (const stack of [dev, prod]) {
    mkdirSync(stack);
    writeFileSync(join(stack, "plan"), "");
  }
});

afterAll(() => rmSync(folder, { recursive: true }));

/** What Terraform, here `echo`, is called with where the plan of dev was verified. */
function calledWith(cwd: string, ...args: string[]) {
  const env = { ...process.env, KEYLESS_TERRAFORM: "echo", KEYLESS_VERIFIED_PLAN: join(dev, "plan") };
  const { status, stdout, stderr } = spawnSync(script, args, { cwd, env, encoding: "utf8" });
  return { status, stdout: stdout.trim(), stderr };
}

test("apply applies the verified plan", () => {
  expect(calledWith(dev, "apply", "-auto-approve")).toMatchObject({ status: 0, stdout: "apply -auto-approve plan" });
});

test("another command is passed on unchanged", () => {
  expect(calledWith(dev, "output", "-json")).toMatchObject({ status: 0, stdout: "output -json" });
});

test("apply in the folder of another stack is refused", () => {
  expect(calledWith(prod, "apply")).toMatchObject({
    status: 1,
    stdout: "",
    stderr: expect.stringContaining("nothing was applied"),
  });
});
