import { readFileSync } from "node:fs";
import { join } from "node:path";

const read = (path: string) =>
  readFileSync(join(__dirname, "../..", path), "utf8")
    .trim()
    .split("\n")
    .filter((line) => !line.startsWith("#"));

describe.each([
  ["keyless/sandbox/requirements.txt", /^moto\[server\]==5\./],
  [".circleci/requirements.txt", /^awscli==1\./],
])("%s", (path, installed) => {
  const requirements = read(path);

  test.each(requirements)("has a pinned version and SHA-256 hashes: %.60s", (requirement) => {
    expect(requirement).toMatch(
      /^[\w.-]+(\[[\w,-]+\])?==[\w.]+( ; python_version [<>]=? "3\.\d+")?( --hash=sha256:[\da-f]{64})+$/,
    );
  });

  it("installs its program", () => {
    expect(requirements[0]).toMatch(installed);
  });

  it("names each package and version once", () => {
    const names = requirements.map((requirement) => requirement.split(" ")[0]?.toLowerCase());
    expect(new Set(names).size).toBe(names.length);
  });
});
