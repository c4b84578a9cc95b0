import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import stringWidth from "string-width";
import { planJson } from "../review/plans";
import { keyless } from "./keyless";

const root = join(__dirname, "..", "..");
const folder = mkdtempSync(join(tmpdir(), "keyless-commands-"));
const plan = join(folder, "plan.json");
writeFileSync(plan, JSON.stringify(planJson([])));
afterAll(() => rmSync(folder, { recursive: true }));

interface Row {
  /** Arguments that name an environment and a role that do not exist. */
  readonly unknown?: { readonly environment: readonly string[]; readonly role?: readonly string[] };
  /** Arguments that print a result. */
  readonly result?: readonly string[];
  /** Whether the result is offered as JSON. */
  readonly json?: true;
}

const ENVIRONMENT = "pord";
const ROLE = "circleci-read-onyl";
const unknown = { environment: [ENVIRONMENT, ROLE], role: ["prod", ROLE] };
const claims = ["--v1", "--project", "66666666-7777-4888-9999-000000000000"];

const COMMANDS: { readonly [command: string]: Row } = {
  access: { unknown: { environment: [ENVIRONMENT] }, result: [], json: true },
  bootstrap: { unknown: { environment: [ENVIRONMENT] } },
  completion: { result: ["zsh"] },
  credentials: { unknown },
  demo: {},
  explain: { unknown, result: ["dev", "circleci-site-publisher", ...claims], json: true },
  lint: { unknown: { environment: ["--live", ENVIRONMENT] }, result: [], json: true },
  pipeline: { unknown, result: ["dev", "circleci-read-only"] },
  review: { unknown: { environment: [ENVIRONMENT] }, result: ["dev", "--plan-json", `dev=${plan}`], json: true },
  sandbox: {},
  terraform: {},
  test: { result: [], json: true },
  verify: { unknown: { environment: [ENVIRONMENT, "--reviewed", plan] } },
};

const names = Object.keys(COMMANDS);
const rows = Object.entries(COMMANDS);
const results = rows.flatMap(([name, { result }]) => (result === undefined ? [] : [{ name, args: [name, ...result] }]));
/** Results that are tables or sentences. A script and a pipeline are not wrapped. */
const texts = results.filter(({ name }) => name !== "completion" && name !== "pipeline");
const withEnvironment = rows.flatMap(([name, row]) =>
  row.unknown === undefined ? [] : [{ name, args: [name, ...row.unknown.environment] }],
);
const withRole = rows.flatMap(([name, row]) =>
  row.unknown?.role === undefined ? [] : [{ name, args: [name, ...row.unknown.role] }],
);

function widest(text: string): number {
  return Math.max(...text.split("\n").map((line) => stringWidth(line)));
}

test("the table lists every command", async () => {
  const { stdout } = await keyless(["--help"]);
  const listed = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, name = ""]) => name);
  expect(listed.filter((name) => name !== "help").sort()).toEqual(names);
});

test("--version prints the version of package.json", async () => {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  expect(await keyless(["--version"])).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
});

test.concurrent.each(names)("%s --help fits 80 columns and lists the exit statuses", async (name) => {
  const { status, stdout } = await keyless([name, "--help"]);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^Exit status:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n {2}64 /m);
  expect(widest(stdout)).toBeLessThanOrEqual(80);
});

test.concurrent.each(names)("%s with an unknown option is wrong usage", async (name) => {
  const { status, stdout, stderr } = await keyless([name, "--nonsense"]);
  expect([status, stdout]).toEqual([64, ""]);
  expect(stderr).toMatch(/^error: .*\n\n?Run with --help for usage\n$/);
});

test.concurrent.each(withEnvironment)("$name suggests an environment with a similar name", async ({ args }) => {
  const { status, stdout, stderr } = await keyless(args);
  expect([status, stdout]).toEqual([64, ""]);
  expect(stderr).toContain("(did you mean prod?)");
});

test.concurrent.each(withRole)("$name suggests a role with a similar name", async ({ args }) => {
  const { status, stdout, stderr } = await keyless(args);
  expect([status, stdout]).toEqual([64, ""]);
  expect(stderr).toContain("(did you mean circleci-read-only?)");
});

test.concurrent.each(texts)("$name fits 80 columns, without escape codes", async ({ args }) => {
  const { stdout } = await keyless(args, { env: { COLUMNS: "" } });
  expect(stdout).not.toContain("\u001b");
  expect(widest(stdout)).toBeLessThanOrEqual(80);
});

test.concurrent.each(results.filter(({ name }) => COMMANDS[name]?.json))(
  "$name --json prints the envelope",
  async (row) => {
    const [{ status, stdout }, text] = await Promise.all([keyless([...row.args, "--json"]), keyless(row.args)]);
    const envelope = JSON.parse(stdout);
    expect(Object.keys(envelope)).toEqual(["version", "command", "data"]);
    expect(envelope).toMatchObject({ version: 1, command: row.name, data: expect.any(Object) });
    expect(status).toBe(text.status);
  },
);

test.concurrent.each(results)("$name ignores a closed pipe", async ({ args }) => {
  const [{ status, stderr }, open] = await Promise.all([keyless(args, { closed: true }), keyless(args)]);
  expect({ status, stderr }).toEqual({ status: open.status, stderr: open.stderr });
});

describe("with an error in config.ts", () => {
  const script = join(folder, "dist/keyless/cli/main.js");

  beforeAll(() => {
    mkdirSync(join(folder, "dist"));
    cpSync(join(root, "dist/keyless"), join(folder, "dist/keyless"), { recursive: true });
    cpSync(join(root, "package.json"), join(folder, "package.json"));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  });

  test.each([
    ["an unknown field", 'require("./keyless").defineConfig({ nonsense: 1 });', /nonsense/],
    ["an exception", "null.field;", /config\.ts cannot be loaded: TypeError/],
  ])("such as %s, commands exit with 64, and --help and completion work", async (_what, source, message) => {
    writeFileSync(join(folder, "dist/config.js"), source);
    const failed = await keyless(["test"], { script });
    expect(failed).toMatchObject({ status: 64, stdout: "", stderr: expect.stringMatching(message) });
    expect(await keyless(["test", "--help"], { script })).toMatchObject({ status: 0, stderr: "" });
    const completed = await keyless(["complete", "--", "pipeline", ""], { script });
    expect(completed).toEqual({ status: 0, stdout: ":4\n", stderr: "" });
  });
});

describe("completion", () => {
  test.each([
    [["li"], "lint"],
    [["explain", "p"], "prod"],
    [["explain", "prod", "circleci-r"], "circleci-read-only"],
    [["access", "dev", "p"], "prod"],
    [["lint", "--j"], "--json"],
    [["access", "--format", "me"], "mermaid"],
  ])("of %j offers %s", async (words, completion) => {
    const { stdout } = await keyless(["complete", "--", ...words]);
    expect(stdout.split("\n").map((line) => line.split("\t")[0])).toEqual([completion, ":4", ""]);
  });

  test.each(["bash", "zsh", "fish"])("prints a script for %s that calls `keyless complete`", async (shell) => {
    const { status, stdout } = await keyless(["completion", shell]);
    expect(status).toBe(0);
    expect(stdout).toContain("keyless complete --");
  });
});
