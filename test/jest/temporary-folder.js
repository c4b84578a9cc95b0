const { mkdtempSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

/**
 * Gives a test run one temporary folder, which the workers and every process they start inherit, and removes it when the
 * run ends or is interrupted. A test that leaves a file there leaves nothing behind on the machine.
 */
module.exports = () => {
  const folder = mkdtempSync(join(tmpdir(), "keyless-tests-"));
  process.env.TMPDIR = folder;
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));
};
