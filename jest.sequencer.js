const Sequencer = require("@jest/test-sequencer").default;

/** Starts what takes longest first, so that nothing long is left for the end when all else is done. */
module.exports = class extends Sequencer {
  sort(tests) {
    const longest = ["run", "pipeline", "bootstrap", "lifecycle", "features", "pipeline-examples"];
    const rank = ({ path }) => {
      const place = longest.findIndex((name) => path.endsWith(`/e2e/${name}.test.ts`));
      return place === -1 ? longest.length : place;
    };
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
};
