import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

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
