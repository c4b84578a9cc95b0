const cleanups: (() => unknown)[] = [];

afterAll(async () => {
  for (const cleanUp of cleanups.reverse()) await cleanUp();
});

/** Runs after the suite's tests, also where one failed; what was registered last runs first. */
export function afterSuite(cleanUp: () => unknown): void {
  cleanups.push(cleanUp);
}
