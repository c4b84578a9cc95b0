// The tests run the output of `node build.js`, so one compiler serves the product and its tests.
require("../../build").build();

const { availableParallelism } = require("node:os");
const { join } = require("node:path");

/** Packages that have only ES modules, and their dependencies. */
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
  globalSetup: "<rootDir>/test/jest/global-setup.js",
  reporters: ["default", "<rootDir>/test/jest/reporter.js"],
  testSequencer: "<rootDir>/test/jest/sequencer.js",
  // One more than there are processors, since the end-to-end tests wait half of their time.
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
