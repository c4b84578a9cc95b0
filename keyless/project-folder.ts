import { existsSync } from "node:fs";
import { join } from "node:path";

/** The project's folder. Compiled, this file is in `dist/`, one folder deeper than its source. */
export const projectFolder = [join(__dirname, ".."), join(__dirname, "..", "..")].find((folder) =>
  existsSync(join(folder, "package.json")),
) as string;
