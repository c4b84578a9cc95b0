/** Prints the numbers of passed and failed tests as the last line of the output. */
module.exports = class {
  onRunComplete(_, { numPassedTests, numFailedTests, numPendingTests }) {
    const skipped = numPendingTests > 0 ? `, ${numPendingTests} skipped` : "";
    // After jest's summary, which it writes to the other stream when all reporters have finished.
    process.on("exit", () => process.stdout.write(`${numPassedTests} passed, ${numFailedTests} failed${skipped}\n`));
  }
};
