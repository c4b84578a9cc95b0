import { readFileSync } from "node:fs";
import { join } from "node:path";

const file = join(__dirname, "../../keyless/sandbox/requirements.txt");
const requirements = readFileSync(file, "utf8")
  .trim()
  .split("\n")
  .filter((line) => !line.startsWith("#"));

test.each(requirements)("has a pinned version and SHA-256 hashes: %.60s", (requirement) => {
  expect(requirement).toMatch(
    /^[\w.-]+(\[[\w,-]+\])?==[\w.]+( ; python_version [<>]=? "3\.\d+")?( --hash=sha256:[\da-f]{64})+$/,
  );
});

it("installs moto's server", () => {
  expect(requirements[0]).toMatch(/^moto\[server\]==5\./);
});

it("names each package and version once", () => {
  const names = requirements.map((requirement) => requirement.split(" ")[0]?.toLowerCase());
  expect(new Set(names).size).toBe(names.length);
});
