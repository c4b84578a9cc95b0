import { SignJWT } from "jose";
import { type ConfigInput, defineConfig } from "../../keyless/config/define";
import type { Environment, Role } from "../../keyless/config/resolved";
import { readToken, tokenProblem } from "../../keyless/pipeline/token";
import { claimsOf, type TokenRequest } from "../../keyless/sandbox/issuer";

const ORGANIZATION = "11111111-2222-4333-8444-555555555555";
const PROJECT = "66666666-7777-4888-9999-000000000000";
const MAIN: TokenRequest = {
  organization: ORGANIZATION,
  project: PROJECT,
  origin: "github.com/acme/site",
  ref: "refs/heads/main",
};
const V1: TokenRequest = { organization: ORGANIZATION, project: PROJECT };

function roleOf(trust: ConfigInput["environments"][string]["roles"][string]["trust"]): [Environment, Role] {
  const { environments } = defineConfig({
    circleci: { organizationId: ORGANIZATION },
    environments: {
      dev: {
        accountId: "123456789012",
        region: "us-east-1",
        state: { bucket: "acme-state", lockTable: "acme-lock" },
        roles: { site: { trust } },
      },
    },
  });
  const [environment] = environments as [Environment];
  return [environment, environment.roles[0] as Role];
}

const byBranch = roleOf([{ project: PROJECT, repository: "github.com/acme/site", branches: ["main"] }]);
const byProject = roleOf([{ project: PROJECT, refs: "any" }]);

async function problem(job: TokenRequest, [environment, role] = byBranch) {
  const text = await new SignJWT(claimsOf(job)).setProtectedHeader({ alg: "HS256" }).sign(Buffer.alloc(32));
  return tokenProblem(readToken(text, "CIRCLE_OIDC_TOKEN_V2"), environment, role, new Date());
}

test("a V2 token of an hour is good", async () => {
  expect(await problem(MAIN)).toBeUndefined();
});

test.each(["", "  ", undefined])("an empty token (%j) is said to be missing, and that a fork gets none", (text) => {
  expect(() => readToken(text, "CIRCLE_OIDC_TOKEN_V2")).toThrow(/CIRCLE_OIDC_TOKEN_V2 is empty.*fork/);
});

test("a text that is no token is refused without being repeated", () => {
  expect(() => readToken("s3cret.text", "CIRCLE_OIDC_TOKEN_V2")).toThrow(/^(?!.*s3cret).*is no OpenID Connect token/);
});

test("a V1 token is refused for a role that is given by branch", async () => {
  expect(await problem(V1)).toMatchObject({ fatal: true, message: expect.stringContaining("CIRCLE_OIDC_TOKEN_V2") });
});

test("a V1 token serves for a role that is given to a whole project", async () => {
  expect(await problem(V1, byProject)).toBeUndefined();
});

test("an expired token may be replaced by a new one", async () => {
  expect(await problem({ ...MAIN, lifetime: -600 })).toMatchObject({
    fatal: true,
    renewable: true,
    message: expect.stringContaining("expired 10 minutes ago"),
  });
});

test("a token that is about to expire is good, with a warning", async () => {
  expect(await problem({ ...MAIN, lifetime: 300 })).toMatchObject({
    fatal: false,
    renewable: true,
    message: expect.stringContaining("expires in 5 minutes"),
  });
});

test("a token for another audience may be replaced by one for the right audience", async () => {
  expect(await problem({ ...MAIN, claims: { aud: "other" } })).toMatchObject({ fatal: true, renewable: true });
});

test("a token of another organization is said to be of another issuer", async () => {
  expect(await problem({ ...MAIN, organization: PROJECT })).toMatchObject({
    fatal: true,
    renewable: false,
    message: expect.stringContaining("another issuer"),
  });
});
