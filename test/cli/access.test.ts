import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import config from "../../config";

function keyless(args: readonly string[], input = "") {
  const root = join(__dirname, "..", "..");
  return spawnSync(process.execPath, ["build.js", "keyless/cli/main.js", ...args], {
    cwd: root,
    input,
    encoding: "utf8",
  });
}

function tokenOf(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256" })}.${part(claims)}.c2lnbmF0dXJl`;
}

const roles = config.environments.flatMap((environment) => environment.roles.map((role) => role.name));

describe("keyless access", () => {
  test("shows every role of config.ts as JSON", () => {
    const { stdout, status } = keyless(["access", "--json"]);
    const { data }: { data: { roles: { name: string }[] }[] } = JSON.parse(stdout);
    expect(data.flatMap((environment) => environment.roles.map(({ name }) => name))).toEqual(roles);
    expect(status).toBe(0);
  });

  test("writes a picture to a file, and nothing else to standard output", () => {
    const folder = mkdtempSync(join(tmpdir(), "keyless-access-"));
    try {
      const file = join(folder, "access.svg");
      expect(keyless(["access", "--format", "svg", "--out", file]).stdout).toBe("");
      expect(readFileSync(file, "utf8")).toMatch(/^<svg /);
      const { stderr, status } = keyless(["access", "--out", join(file, "access.svg")]);
      expect(stderr).toMatch(/^cannot write --out /);
      expect(status).toBe(2);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("decides a token from standard input, says that it expired, and prints none of it", () => {
    const token = tokenOf({ iss: "https://oidc.circleci.com/org/none", aud: "none", sub: "org/none", exp: 1 });
    const { stdout, stderr, status } = keyless(["access", "--who", "-"], `${token}\n`);
    expect(stdout).toBe("no role lets it in\n");
    expect(stderr).toContain("the token expired at 1970-01-01T00:00:01.000Z");
    for (const part of token.split(".")) expect(stdout + stderr).not.toContain(part);
    expect(status).toBe(0);
  });

  test("does not repeat what it does not understand: it may be a token", () => {
    const token = tokenOf({ sub: "secret" });
    const { stdout, stderr, status } = keyless(["access", "--who", token]);
    expect(stderr).toMatch(/^--who takes a token's file/);
    for (const part of token.split(".")) expect(stdout + stderr).not.toContain(part);
    expect(status).toBe(64);
  });
});

test("keyless test passes every trust test of the configuration", () => {
  const { stdout, status } = keyless(["test"]);
  expect(stdout.match(/^pass /gm) ?? []).toHaveLength(config.trustTests.length);
  expect(status).toBe(0);
});
