import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const root = join(__dirname, "..");
const read = (name: string) => JSON.parse(readFileSync(join(root, name), "utf8"));

let folder: string;

/** A clone of this project without node_modules/. A program in place of npm records its arguments and fails. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keyless-build-"));
  for (const name of ["build.js", "package.json", "package-lock.json", "tsconfig.json"])
    cpSync(join(root, name), join(folder, name));
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin", "npm"), `#!/bin/sh\necho "$@" > "${folder}/npm-arguments"\nexit 1\n`);
  chmodSync(join(folder, "bin", "npm"), 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function build(...args: string[]) {
  const env = { ...process.env, PATH: `${join(folder, "bin")}:${process.env.PATH}` };
  const { status, stderr } = spawnSync(process.execPath, ["build.js", ...args], { cwd: folder, env, encoding: "utf8" });
  const calls = join(folder, "npm-arguments");
  return { status, stderr, npm: existsSync(calls) ? readFileSync(calls, "utf8").trim() : undefined };
}

it.each([[["app.js"]], [["keyless/cli/main.js", "review"]], [[]]])(
  "without --install, `node build.js %j` installs no package",
  (args) => {
    expect(build(...args)).toEqual({
      status: 2,
      stderr: "node_modules/ is missing or out of date: run npm ci\n",
      npm: undefined,
    });
  },
);

it("with --install, installs the locked packages, and fails if npm fails", () => {
  expect(build("--install", "app.js")).toEqual({
    status: 2,
    stderr: "node_modules/ is missing or out of date: running npm ci\n",
    npm: "ci --no-audit --no-fund",
  });
});

it("installs if a package has another version than package.json pins", () => {
  const { dependencies, devDependencies } = read("package.json");
  const names = Object.entries<string>({ ...dependencies, ...devDependencies });
  for (const [name, version] of names) {
    mkdirSync(join(folder, "node_modules", name), { recursive: true });
    writeFileSync(join(folder, "node_modules", name, "package.json"), JSON.stringify({ version }, null, 2));
  }
  const [name = ""] = names[0] ?? [];
  writeFileSync(join(folder, "node_modules", name, "package.json"), JSON.stringify({ version: "0.0.1" }, null, 2));
  expect(build("--install").npm).toBe("ci --no-audit --no-fund");
});

it("is run with --install only by `npm run demo` and `npm test`, so that cdktf and keyless never install", () => {
  const scripts = Object.entries<string>(read("package.json").scripts);
  expect(scripts.filter(([, command]) => command.includes("--install")).map(([name]) => name)).toEqual([
    "demo",
    "test",
  ]);
  expect(read("cdktf.json").app).toBe("node build.js app.js");
  expect(readFileSync(join(root, "keyless/cli/keyless.js"), "utf8")).not.toContain("--install");
});

describe("dist/", () => {
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const temporary = () => readdirSync(folder).filter((name) => name.startsWith(".dist"));

  /** A project of two files whose packages are installed. */
  beforeEach(() => {
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    write("main.ts", 'import { name } from "./name";\nconsole.log(name);\n');
    write("name.ts", 'export const name = "first";\n');
  });

  /** Files that a repository can contain and that Node would load in place of what is compiled. */
  const planted = ["dist/node_modules/evil/index.js", "dist/name/package.json", "dist/old.js", "dist/stamp.json"];

  it("has no file that was not compiled, if the repository contains it", () => {
    for (const path of planted) write(path, "{}");
    expect(build().status).toBe(0);
    expect(readdirSync(join(folder, "dist")).sort()).toEqual(
      expect.not.arrayContaining(["node_modules", "name", "old.js"]),
    );
    expect(spawnSync(process.execPath, ["build.js", "app.js"], { cwd: folder, encoding: "utf8" }).stdout).toBe(
      "first\n",
    );
  });

  it("loses a file that another program adds, although no source has changed", () => {
    build();
    for (const path of planted.slice(0, 3)) write(path, "{}");
    expect(build().status).toBe(0);
    expect(planted.slice(0, 3).filter((path) => existsSync(join(folder, path)))).toEqual([]);
  });

  it("is not changed by a project that does not compile, and is used again when it compiles", () => {
    build();
    const before = readFileSync(join(folder, "dist/name.js"), "utf8");
    write("name.ts", "export const name: string = 1;\n");
    expect(build()).toMatchObject({ status: 2, stderr: expect.stringContaining("does not compile") });
    expect(readFileSync(join(folder, "dist/name.js"), "utf8")).toBe(before);
    rmSync(join(folder, "name.ts"));
    expect(build()).toMatchObject({ status: 2 });
    write("main.ts", 'console.log("second");\n');
    expect(build().status).toBe(0);
    expect(existsSync(join(folder, "dist/name.js"))).toBe(false);
    expect(temporary()).toEqual([]);
  });

  it("is complete for each of several commands that compile it at once", async () => {
    const commands = Array.from({ length: 4 }, async () => {
      const child = spawn(process.execPath, ["build.js", "app.js"], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
      let output = "";
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding("utf8").on("data", (text) => (output += text));
      const [status] = await once(child, "close");
      return { status, output };
    });
    for (const result of await Promise.all(commands)) expect(result).toEqual({ status: 0, output: "first\n" });
    expect(temporary()).toEqual([]);
  });

  it("needs a config.ts: that it is missing is one sentence", () => {
    write("main.ts", 'import config from "./config";\nconsole.log(config);\n');
    expect(build()).toMatchObject({
      status: 64,
      stderr: expect.stringMatching(/^config\.ts is missing: restore it with git checkout -- config\.ts, [^\n]*\n$/),
    });
  });

  it("is not compiled with mistakes in config.ts, which are reported together, and not those of other files", () => {
    cpSync(join(root, "keyless"), join(folder, "keyless"), { recursive: true });
    write("main.ts", 'import config from "./config";\nconsole.log(config.environments);\n');
    write("test/a.test.ts", "export const wrong: string = 1;\n");
    write(
      "config.ts",
      readFileSync(join(root, "test/example/config.ts"), "utf8").replace(/(\.\.\/)+keyless/, "./keyless"),
    );
    const valid = readFileSync(join(folder, "config.ts"), "utf8");
    write(
      "config.ts",
      valid
        .replace(/organizationId: "[^"]*"/, 'organizationId: "acme"')
        .replace('accountId: "123456789012"', "accountId: 123456789012")
        .replace("description:", "desciption:"),
    );
    const { status, stderr } = build();
    expect(stderr.split("\n")).toEqual([
      "the configuration has 3 problems:",
      "",
      expect.stringContaining('circleci.organizationId: "acme" is not an organization ID'),
      expect.stringContaining("environments.dev.accountId: 123456789012 must be a string: write it in quotes"),
      expect.stringMatching(/desciption .*: is not a field of this object: .*did you mean description/),
      "",
    ]);
    expect(status).toBe(64);
  });
});
