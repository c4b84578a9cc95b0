import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { defineConfig } from "../../keyless/config/define";
import { isPolicyText } from "../../keyless/config/schema";
import { isRefName, isRefNamePattern, refNameFault } from "../../keyless/trust/ref-name";
import { configurableRefName, refNameLike } from "./ref-names";
import { organization, project, repository } from "./tokens";

const cases = [
  ...["main", "feature/login", "-x", "@", "a@", "a.b", "a-b", "é", "日本", "refs/heads/main", "HEAD", "x{y}", "${a}"],
  ...["", "/", "/a", "a/", "a//b", ".", ".a", "a.", "a/.b", "a..b", "a.lock", "a.lock/b", "a/b.lock", "a.lock.b"],
  ...["a b", "a\tb", "a\x7fb", "a\x85b", "a~b", "a^b", "a:b", "a?b", "a*b", "a[b", "a]b", "a\\b", "@{", "a@{b", "{@"],
];

/** Whether git accepts a name. A name with a NUL character cannot be passed to a process. */
function gitAccepts(name: string): boolean {
  const { status } = spawnSync("git", ["check-ref-format", `refs/heads/${name}`]);
  expect([0, 1]).toContain(status);
  return status === 0;
}

test.each(cases)("%j is a ref name if and only if git accepts it", (name) => {
  expect(isRefName(name)).toBe(gitAccepts(name));
});

test("a random name is a ref name if and only if git accepts it", () => {
  fc.assert(
    fc.property(refNameLike, (name) => {
      expect(isRefName(name)).toBe(gitAccepts(name));
    }),
    { numRuns: 300 },
  );
});

test.each([
  ["*", true],
  ["release/*", true],
  ["v*", true],
  ["a.lock*", true],
  ["a.lock/*", false],
  ["*/a", false],
  ["a**", false],
  ["a?", false],
])("%s is a pattern for ref names: %s", (pattern, expected) => {
  expect(isRefNamePattern(pattern)).toBe(expected);
});

function configurationAccepts(branch: string): boolean {
  const config = {
    circleci: { organizationId: organization },
    environments: {
      dev: {
        accountId: "123456789012",
        region: "us-east-1",
        state: { bucket: "acme-dev-tfstate", lockTable: "lock" },
        roles: { reader: { trust: [{ project, repository, branches: [branch] }] } },
      },
    },
  };
  try {
    defineConfig(config);
    return true;
  } catch {
    return false;
  }
}

test.each([
  ["-x", true],
  ["@", true],
  ["refs/heads/main", false],
  ["refs", true],
  ["a${b", false],
  ["a&{b", false],
  ["a%{b", false],
  ["x".repeat(244), true],
  ["x".repeat(245), false],
  ["ветка", false],
])("the configuration accepts the branch %s, which git accepts: %s", (name, expected) => {
  expect(isRefName(name)).toBe(true);
  expect(configurationAccepts(name)).toBe(expected);
});

test("the configuration accepts a name if and only if both rules accept it and it is Latin-1", () => {
  fc.assert(
    fc.property(refNameLike, (name) => {
      const expected = isRefNamePattern(name) && refNameFault(name) === undefined && isPolicyText(name);
      expect(configurationAccepts(name)).toBe(expected);
    }),
    { numRuns: 1000 },
  );
  fc.assert(fc.property(configurableRefName, (name) => expect(configurationAccepts(name)).toBe(true)));
});
