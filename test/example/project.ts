import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * A copy of this project whose `config.ts` is `test/example/config.ts`: tests run the commands there, whatever this
 * project's own `config.ts` says. `test/jest/global-setup.js` creates it for each test run.
 */
export const exampleProject = join(tmpdir(), "example");
