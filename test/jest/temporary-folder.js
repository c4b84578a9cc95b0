const { mkdtempSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

/**
 * Creates one temporary folder for a test run. The workers and all processes that they start inherit it as `TMPDIR`. It is
 * removed when the run ends or is interrupted.
 */
module.exports = () => {
  const folder = mkdtempSync(join(tmpdir(), "keyless-tests-"));
  process.env.TMPDIR = folder;
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));
};
