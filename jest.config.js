// The tests run what `node build.js` compiled: one compiler for the product and its tests, and no other machinery.
require("./build").build();

const { availableParallelism } = require("node:os");

const shared = { transform: { "\\.ts$": "./jest.transform.js" }, testEnvironment: "node" };

module.exports = {
  reporters: ["default", "./jest.reporter.js"],
  testSequencer: "./jest.sequencer.js",
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
