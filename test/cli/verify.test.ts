import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commitAll } from "../e2e/project";
import { change, planJson } from "../review/plans";
import { keyless } from "./keyless";

let folder: string;
/** Of the environment dev; its plan is JSON, which the program instead of Terraform prints. */
let stack: string;
let terraform: string;

const renamed = planJson([change("null_resource.a", { name: "a" }, { name: "b" })]);
const unchanged = planJson([]);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keyless-verify-"));
  stack = join(folder, "cdktf.out/stacks/dev");
  mkdirSync(stack, { recursive: true });
  writeFileSync(join(folder, ".gitignore"), "*\n");
  terraform = join(folder, "terraform");
  // Exchanges the plan of the stack while it reads another file.
  writeFileSync(terraform, `#!/bin/sh\ncat "$4"\n[ "$4" = plan ] || echo exchanged > plan\n`);
  chmodSync(terraform, 0o755);
});
afterEach(() => {
  for (const each of [folder, `${folder}-origin`]) rmSync(each, { recursive: true, force: true });
});

function verify(reviewed: unknown, fresh: unknown, ...options: string[]) {
  writeFileSync(join(folder, "reviewed.json"), JSON.stringify(reviewed));
  writeFileSync(join(stack, "plan"), JSON.stringify(fresh));
  const env = { TERRAFORM_BINARY_NAME: terraform, KEYLESS_TERRAFORM: undefined, BASH_ENV: "", CIRCLECI: "" };
  return keyless(["verify", "dev", "--reviewed", "reviewed.json", ...options], { cwd: folder, env });
}

test("the variables for cdktf deploy name a copy of the plan, which was made before the plan was read", async () => {
  const { status, stdout, stderr } = await verify(renamed, renamed, "--any-commit");
  expect([status, stderr]).toEqual([0, "dev: the saved plan matches the reviewed plan; cdktf deploy applies it\n"]);
  const variables = Object.fromEntries([...stdout.matchAll(/^export (\w+)='(.*)'$/gm)].map(([, ...entry]) => entry));
  expect(variables).toMatchObject({
    KEYLESS_VERIFIED_STACK: stack,
    KEYLESS_VERIFIED_SHA256: expect.stringMatching(/^[0-9a-f]{64}$/),
    KEYLESS_TERRAFORM: terraform,
  });
  expect(readFileSync(join(stack, "plan"), "utf8")).toBe("exchanged\n");
  expect(JSON.parse(readFileSync(variables.KEYLESS_VERIFIED_PLAN ?? "", "utf8"))).toEqual(renamed);
  rmSync(join(variables.KEYLESS_VERIFIED_PLAN ?? "", ".."), { recursive: true });
});

test("without changes, the account matches config.ts, whatever was reviewed", async () => {
  for (const reviewed of [unchanged, renamed]) {
    expect(await verify(reviewed, unchanged, "--any-commit")).toMatchObject({
      status: 0,
      stderr: "dev: no changes: the account matches config.ts, and nothing is left to deploy\n",
    });
  }
});

test("a plan that differs from the reviewed plan is refused, and no variables are set", async () => {
  expect(await verify(unchanged, renamed, "--any-commit")).toMatchObject({
    status: 1,
    stdout: "",
    stderr: expect.stringMatching(/^dev: the saved plan differs from the reviewed plan.*\n\nnull_resource.a\n/),
  });
});

test("the commit must be the tip of main, also without changes", async () => {
  const origin = `${folder}-origin`;
  commitAll(folder, origin);
  expect((await verify(unchanged, unchanged)).status).toBe(0);
  commitAll(folder, origin);
  execFileSync("git", ["reset", "-q", "--hard", "HEAD~1"], { cwd: folder });
  for (const plan of [unchanged, renamed]) {
    expect(await verify(plan, plan)).toMatchObject({
      status: 1,
      stdout: "",
      stderr: expect.stringContaining("is not the tip of main"),
    });
  }
  rmSync(origin, { recursive: true });
  expect(await verify(unchanged, unchanged)).toMatchObject({ status: 2, stdout: "" });
});

test("--any-commit is not allowed in a CircleCI job", async () => {
  const args = ["verify", "dev", "--reviewed", "absent", "--any-commit"];
  const { status, stderr } = await keyless(args, { env: { CIRCLECI: "true" } });
  expect([status, stderr]).toEqual([64, "--any-commit is not allowed in a CircleCI job\n"]);
});
