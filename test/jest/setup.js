const { appendFileSync } = require("node:fs");

const { PROPERTY_CASES, PROPERTY_COUNTS } = process.env;

// A limit for tests that hang, not for slow tests on a busy machine. `npm run bench` measures speed.
jest.setTimeout(PROPERTY_COUNTS === undefined ? 300_000 : 24 * 60 * 60_000);

// `npm run test:properties` replaces the number of cases of every property, also where a test sets it.
if (PROPERTY_COUNTS !== undefined)
  jest.mock("fast-check", () => {
    const fc = jest.requireActual("fast-check");
    const assert = (property, parameters) => {
      const details = fc.check(property, { ...parameters, numRuns: Number(PROPERTY_CASES) });
      appendFileSync(PROPERTY_COUNTS, `${details.numRuns}\n`);
      if (details.failed) throw new Error(fc.defaultReportMessage(details), { cause: details.errorInstance });
    };
    return { ...fc, __esModule: true, assert, default: { ...fc.default, assert } };
  });
