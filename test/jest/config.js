// The tests run what `node build.js` compiled: one compiler for the product and its tests, and no other machinery.
require("../../build").build();

const { availableParallelism } = require("node:os");
const { join } = require("node:path");

/** Packages, and what they depend on, that have ES modules alone. */
const esModules = [
  ...["ansi-regex", "ansi-styles", "cli-truncate", "emoji-regex", "get-east-asian-width", "is-fullwidth-code-point"],
  ...["slice-ansi", "string-width", "strip-ansi", "wrap-ansi", "listr2", "@bomb.sh/tab"],
  ...["@octokit/.+", "before-after-hook", "universal-user-agent", "fast-content-type-parse", "json-with-bigint"],
];

const shared = {
  rootDir: join(__dirname, "..", ".."),
  transform: { "\\.ts$|/node_modules/.+\\.m?js$": "<rootDir>/test/jest/transform.js" },
  transformIgnorePatterns: [`/node_modules/(?!(.+/node_modules/)?(${esModules.join("|")})/)`],
  setupFilesAfterEnv: ["<rootDir>/test/jest/setup.js"],
  testEnvironment: "node",
};

module.exports = {
  rootDir: shared.rootDir,
  globalSetup: "<rootDir>/test/jest/temporary-folder.js",
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
