const { readFileSync } = require("node:fs");
const Sequencer = require("@jest/test-sequencer").default;

/**
 * Starts the longest tests first, so that the run does not end with one of them alone. The first line of a long test has
 * its duration in seconds: `// @duration 60`. Tests without the mark follow in jest's order.
 */
module.exports = class extends Sequencer {
  sort(tests) {
    const duration = ({ path }) => Number(/^\/\/ @duration (\d+)/.exec(readFileSync(path, "utf8"))?.[1] ?? 0);
    return super.sort(tests).sort((a, b) => duration(b) - duration(a));
  }
};
