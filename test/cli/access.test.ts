import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import config from "../example/config";
import { keyless } from "./keyless";

function tokenOf(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256" })}.${part(claims)}.c2lnbmF0dXJl`;
}

const roles = config.environments.flatMap((environment) => environment.roles.map((role) => role.name));

describe("keyless access", () => {
  test("--json lists every role of the configuration", async () => {
    const { stdout, status } = await keyless(["access", "--json"]);
    const { data }: { data: { roles: { name: string }[] }[] } = JSON.parse(stdout);
    expect(data.flatMap((environment) => environment.roles.map(({ name }) => name))).toEqual(roles);
    expect(status).toBe(0);
  });

  test("--out writes the image to the file and nothing to standard output", async () => {
    const folder = mkdtempSync(join(tmpdir(), "keyless-access-"));
    try {
      const file = join(folder, "access.svg");
      expect((await keyless(["access", "--format", "svg", "--out", file])).stdout).toBe("");
      expect(readFileSync(file, "utf8")).toMatch(/^<svg /);
      const { stderr, status } = await keyless(["access", "--out", join(folder, "x".repeat(300))]);
      expect(stderr).toMatch(/^cannot write --out \S+: it cannot be accessed: ENAMETOOLONG/);
      expect(status).toBe(2);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("--who - reads a token from standard input, warns that it expired, and does not print it", async () => {
    const token = tokenOf({ iss: "https://oidc.circleci.com/org/none", aud: "none", sub: "org/none", exp: 1 });
    const { stdout, stderr, status } = await keyless(["access", "--who", "-"], { input: `${token}\n` });
    expect(stdout).toBe("no role trusts it\n");
    expect(stderr).toContain("the token expired at 1970-01-01T00:00:01.000Z");
    for (const part of token.split(".")) expect(stdout + stderr).not.toContain(part);
    expect(status).toBe(0);
  });

  test("--who does not print an invalid value, which may be a token", async () => {
    const token = tokenOf({ sub: "secret" });
    const { stdout, stderr, status } = await keyless(["access", "--who", token]);
    expect(stderr).toMatch(/^--who requires a file with a token/);
    for (const part of token.split(".")) expect(stdout + stderr).not.toContain(part);
    expect(status).toBe(64);
  });
});

test("keyless test passes every trust test of the configuration", async () => {
  const { stdout, status } = await keyless(["test"]);
  expect(stdout.match(/^pass /gm) ?? []).toHaveLength(config.trustTests.length);
  expect(status).toBe(0);
});
