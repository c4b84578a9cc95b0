/** Ends the output with one line that counts the tests. */
module.exports = class {
  onRunComplete(_, { numPassedTests, numFailedTests, numPendingTests }) {
    const skipped = numPendingTests > 0 ? `, ${numPendingTests} skipped` : "";
    // After jest's own summary, which it writes on the other stream once every reporter has had its say.
    process.on("exit", () => process.stdout.write(`${numPassedTests} passed, ${numFailedTests} failed${skipped}\n`));
  }
};
