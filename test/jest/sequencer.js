const { readFileSync } = require("node:fs");
const Sequencer = require("@jest/test-sequencer").default;

/**
 * Starts the longest tests first, so that none of them runs alone at the end. A test that takes long says so in its first
 * line: `// @duration 60`, in seconds. Tests without the mark follow in jest's own order.
 */
module.exports = class extends Sequencer {
  sort(tests) {
    const duration = ({ path }) => Number(/^\/\/ @duration (\d+)/.exec(readFileSync(path, "utf8"))?.[1] ?? 0);
    return super.sort(tests).sort((a, b) => duration(b) - duration(a));
  }
};
