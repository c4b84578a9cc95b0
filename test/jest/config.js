// The tests run what `node build.js` compiled: one compiler for the product and its tests, and no other machinery.
require("../../build").build();

const { availableParallelism } = require("node:os");
const { join } = require("node:path");

const shared = {
  rootDir: join(__dirname, "..", ".."),
  transform: { "\\.ts$": "<rootDir>/test/jest/transform.js" },
  setupFilesAfterEnv: ["<rootDir>/test/jest/setup.js"],
  testEnvironment: "node",
};

module.exports = {
  rootDir: shared.rootDir,
  reporters: ["default", "<rootDir>/test/jest/reporter.js"],
  testSequencer: "<rootDir>/test/jest/sequencer.js",
  // One more than the processors: an end-to-end test waits as much as it computes.
  maxWorkers: availableParallelism() + 1,
  projects: [
    {
      ...shared,
      displayName: "unit",
      testMatch: ["<rootDir>/test/**/*.test.ts"],
      testPathIgnorePatterns: ["/test/e2e/"],
    },
    { ...shared, displayName: "e2e", testMatch: ["<rootDir>/test/e2e/**/*.test.ts"] },
  ],
};
