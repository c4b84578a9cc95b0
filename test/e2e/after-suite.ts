const cleanups: (() => unknown)[] = [];

afterAll(async () => {
  for (const cleanUp of cleanups.reverse()) await cleanUp();
});

/** Runs a function after all tests of the suite, also if one fails. The last registered function runs first. */
export function afterSuite(cleanUp: () => unknown): void {
  cleanups.push(cleanUp);
}
