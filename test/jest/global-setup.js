const { execFileSync } = require("node:child_process");
const { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

const root = join(__dirname, "..", "..");
const notCopied = new Set(["node_modules", "docs", "cdktf.out", ".git", ".keyless"]);

/** Copies the project with the configuration and the workflows of `test/example/`, and compiles the copy. */
function createExample(folder) {
  mkdirSync(folder);
  // With dist/ and the modification times of the sources, so that only changed sources are compiled again.
  const copied = readdirSync(root).filter((name) => !notCopied.has(name) && !name.startsWith(".dist-"));
  execFileSync("cp", ["-a", ...copied.map((name) => join(root, name)), folder]);
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const read = (name) => readFileSync(join(__dirname, "..", "example", name), "utf8");
  writeFileSync(join(folder, "config.ts"), read("config.ts").replace('"../../keyless"', '"./keyless"'));
  const pipeline = join(folder, ".circleci", "config.yml");
  const [jobs] = readFileSync(pipeline, "utf8").split(/^workflows:\n/m);
  writeFileSync(pipeline, `${jobs}${read("workflows.yml")}`);
  execFileSync(process.execPath, ["build.js"], { cwd: folder, stdio: "inherit" });
}

/**
 * Creates one temporary folder for a test run, with the example project. The workers and all processes that they start
 * inherit it as `TMPDIR`. It is removed when the run ends or is interrupted.
 */
module.exports = () => {
  const folder = mkdtempSync(join(tmpdir(), "keyless-tests-"));
  process.env.TMPDIR = folder;
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));
  createExample(join(folder, "example"));
};
