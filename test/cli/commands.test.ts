// @duration 25
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import stringWidth from "string-width";
import { planJson } from "../review/plans";
import { keyless, type Run } from "./keyless";

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
  /** Whether the result is a text for people, wrapped and possibly with colors; otherwise it is a script or a file. */
  readonly text?: "plain" | "colors";
  /** Whether the result is offered as JSON. */
  readonly json?: true;
  /** Whether the command works without config.ts. */
  readonly withoutConfig?: true;
}

const ENVIRONMENT = "pord";
const ROLE = "circleci-read-onyl";
const unknown = { environment: [ENVIRONMENT, ROLE], role: ["prod", ROLE] };
const claims = ["--v1", "--project", "66666666-7777-4888-9999-000000000000"];
const reviewed = ["dev", "--plan-json", `dev=${plan}`];

const COMMANDS: { readonly [command: string]: Row } = {
  access: { unknown: { environment: [ENVIRONMENT] }, result: [], text: "plain", json: true },
  bootstrap: { unknown: { environment: [ENVIRONMENT] } },
  completion: { result: ["zsh"], withoutConfig: true },
  credentials: { unknown },
  demo: { withoutConfig: true },
  explain: { unknown, result: ["dev", "circleci-site-publisher", ...claims], text: "colors", json: true },
  lint: { unknown: { environment: ["--live", ENVIRONMENT] }, result: [], text: "plain", json: true },
  pipeline: { unknown, result: ["dev", "circleci-read-only"] },
  review: { unknown: { environment: [ENVIRONMENT] }, result: reviewed, text: "colors", json: true },
  sandbox: { withoutConfig: true },
  terraform: { withoutConfig: true },
  test: { result: [], text: "plain", json: true },
  verify: { unknown: { environment: [ENVIRONMENT, "--reviewed", plan] } },
};

const names = Object.keys(COMMANDS);
const rows = Object.entries(COMMANDS).map(([name, row]) => ({ name, ...row }));
const results = rows.flatMap(({ name, result, ...row }) =>
  result === undefined ? [] : [{ ...row, name, args: [name, ...result] }],
);
const texts = results.filter(({ text }) => text !== undefined);
const withEnvironment = rows.flatMap(({ name, unknown }) =>
  unknown === undefined ? [] : [{ name, args: [name, ...unknown.environment] }],
);
const withRole = rows.flatMap(({ name, unknown }) =>
  unknown?.role === undefined ? [] : [{ name, args: [name, ...unknown.role] }],
);
const withConfig = rows.filter(({ withoutConfig }) => !withoutConfig);

/** Results in a pipe, by command: several tests compare with them. */
const piped = new Map<string, Promise<Run>>();
function inPipe({ name, args }: (typeof results)[number]): Promise<Run> {
  const run = piped.get(name) ?? keyless(args, { env: { COLUMNS: "" } });
  piped.set(name, run);
  return run;
}

/** Makes a process take its standard output for a terminal. */
const terminal = join(folder, "terminal.js");
writeFileSync(terminal, "Object.assign(process.stdout, { isTTY: true, columns: 80 });");

function inTerminal(args: readonly string[], noColor: string): Promise<Run> {
  return keyless(args, { env: { NODE_OPTIONS: `--require ${terminal}`, NO_COLOR: noColor } });
}

function widest(text: string): number {
  return Math.max(...text.split("\n").map((line) => stringWidth(line)));
}

test("the table lists every command", async () => {
  const { stdout } = await keyless(["--help"]);
  const listed = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, name = ""]) => name);
  expect(listed.filter((name) => name !== "help").sort()).toEqual(names);
});

test("--help fits 80 columns", async () => {
  expect(widest((await keyless(["--help"])).stdout)).toBeLessThanOrEqual(80);
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

test.concurrent.each(texts)("$name fits 80 columns in a pipe, without escape codes", async (row) => {
  const { stdout } = await inPipe(row);
  expect(stdout).not.toContain("\u001b");
  expect(widest(stdout)).toBeLessThanOrEqual(80);
});

test.concurrent.each(texts)("$name fits a terminal, and uses no color with NO_COLOR", async ({ args, text }) => {
  const [colored, plain] = await Promise.all([inTerminal(args, ""), inTerminal(args, "1")]);
  expect(colored.stdout.includes("\u001b")).toBe(text === "colors");
  expect(plain.stdout).not.toContain("\u001b");
  for (const { stdout } of [colored, plain]) expect(widest(stdout)).toBeLessThanOrEqual(80);
});

test.concurrent.each(results.filter(({ json }) => json))("$name --json prints the envelope", async (row) => {
  const [{ status, stdout }, text] = await Promise.all([keyless([...row.args, "--json"]), inPipe(row)]);
  const envelope = JSON.parse(stdout);
  expect(Object.keys(envelope)).toEqual(["version", "command", "data"]);
  expect(envelope).toMatchObject({ version: 1, command: row.name, data: expect.any(Object) });
  expect(status).toBe(text.status);
});

test.concurrent.each(results)("$name ignores a closed pipe", async (row) => {
  const [{ status, stderr }, open] = await Promise.all([keyless(row.args, { closed: true }), inPipe(row)]);
  expect({ status, stderr }).toEqual({ status: open.status, stderr: open.stderr });
});

test.concurrent.each([
  ["access", "--out"],
  ["review", "dev", "--out"],
  ["sandbox", "--record"],
])("%s %s to a folder that does not exist is wrong usage, and creates nothing", async (...args) => {
  const missing = join(folder, "missing");
  const { status, stderr } = await keyless([...args, join(missing, "file")]);
  expect([status, stderr]).toEqual([64, expect.stringContaining(`The folder ${missing} does not exist`)]);
  expect(existsSync(missing)).toBe(false);
});

test.concurrent.each([
  ["lint"],
  ["explain", "dev", "circleci-site-publisher", "--token-file"],
  ["review", "dev", "--plan-json"],
])("a file that %s cannot find is named", async (...args) => {
  const file = args[0] === "review" ? "dev=none.json" : "none.json";
  const { stderr } = await keyless([...args, file]);
  expect(stderr).toMatch(/from none\.json: it is not found\n$/);
});

test("--out does not wrap the text", async () => {
  const file = join(folder, "access.txt");
  await keyless(["access", "--out", file]);
  expect(widest(readFileSync(file, "utf8"))).toBeGreaterThan(80);
});

/** The script of a copy of the command whose config.ts has an error. */
function copyWithConfig(name: string, source: string): string {
  const copy = join(folder, name);
  cpSync(join(root, "dist/keyless"), join(copy, "dist/keyless"), { recursive: true });
  cpSync(join(root, "package.json"), join(copy, "package.json"));
  // The rules for credentials are data beside the sources.
  symlinkSync(join(root, "keyless"), join(copy, "keyless"));
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  writeFileSync(join(copy, "dist/config.js"), source);
  return join(copy, "dist/keyless/cli/main.js");
}

describe("with an error in config.ts", () => {
  const script = copyWithConfig("unknown-field", 'require("./keyless").defineConfig({ nonsense: 1 });');

  test.concurrent.each(withConfig)("$name exits with 64", async ({ name, unknown, result }) => {
    const failed = await keyless([name, ...(unknown?.environment ?? result ?? [])], { script });
    expect(failed).toMatchObject({ status: 64, stdout: "", stderr: expect.stringMatching(/nonsense/) });
  });

  test("--help and completion work", async () => {
    expect(await keyless(["test", "--help"], { script })).toMatchObject({ status: 0, stderr: "" });
    const completed = await keyless(["complete", "--", "pipeline", ""], { script });
    expect(completed).toEqual({ status: 0, stdout: ":4\n", stderr: "" });
  });

  test("an exception is reported with its type", async () => {
    const failed = await keyless(["test"], { script: copyWithConfig("exception", "null.field;") });
    expect(failed).toMatchObject({
      status: 64,
      stderr: expect.stringMatching(/config\.ts cannot be loaded: TypeError/),
    });
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
