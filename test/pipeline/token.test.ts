import { type ConfigInput, defineConfig } from "../../keyless/config/define";
import type { Environment, Role } from "../../keyless/config/resolved";
import { findTokenProblem, readJobToken } from "../../keyless/pipeline/token";
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
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "RS256" })}.${part(claimsOf(job))}.c2lnbmF0dXJl`;
  return findTokenProblem(readJobToken(text, "CIRCLE_OIDC_TOKEN_V2"), "CIRCLE_OIDC_TOKEN_V2", environment, role);
}

test("a V2 token that is valid for an hour has no problem", async () => {
  expect(await problem(MAIN)).toBeUndefined();
});

test.each(["", "  ", undefined])("an empty token (%j) is an error that mentions pipelines of forks", (text) => {
  expect(() => readJobToken(text, "CIRCLE_OIDC_TOKEN_V2")).toThrow(/CIRCLE_OIDC_TOKEN_V2: there is no token.*fork/);
});

test("a text that is not a token is an error that does not contain the text", () => {
  expect(() => readJobToken("s3cret.text", "CIRCLE_OIDC_TOKEN_V2")).toThrow(
    /^(?!.*s3cret)CIRCLE_OIDC_TOKEN_V2: this is not a token/,
  );
});

test("a V1 token is refused for a role that trusts a branch", async () => {
  expect(await problem(V1)).toMatchObject({
    fatal: true,
    renewable: false,
    message: expect.stringContaining("webhook"),
  });
});

test("a V1 token has no problem for a role that trusts a whole project", async () => {
  expect(await problem(V1, byProject)).toBeUndefined();
});

test("an expired token is refused unless a new one can be requested", async () => {
  expect(await problem({ ...MAIN, lifetime: -600 })).toMatchObject({
    fatal: true,
    renewable: true,
    message: expect.stringMatching(/expired at .*, 10 minutes ago/),
  });
});

test("a token that expires soon is replaced if possible, with a warning otherwise", async () => {
  expect(await problem({ ...MAIN, lifetime: 300 })).toMatchObject({
    fatal: false,
    renewable: true,
    message: expect.stringContaining("expires in 5 minutes"),
  });
});

test("a token for another audience is refused unless a new one can be requested", async () => {
  expect(await problem({ ...MAIN, claims: { aud: "other" } })).toMatchObject({
    fatal: true,
    renewable: true,
    message: expect.stringContaining("the audience other"),
  });
});

test.each([
  ["another organization", { organization: PROJECT }, "CircleCI organization"],
  ["a CircleCI server", { server: "ci.example.com" }, "the CircleCI server at ci.example.com"],
])("a token of %s is refused", async (_, other, message) => {
  expect(await problem({ ...MAIN, ...other })).toMatchObject({
    fatal: true,
    renewable: false,
    message: expect.stringContaining(message),
  });
});

test.each([
  ["branch", { ref: "refs/heads/other" }, "ran on branch other"],
  ["repository", { origin: "github.com/acme/other" }, "from repository github.com/acme/other"],
  ["project", { project: ORGANIZATION }, "from project"],
])("a token of another %s is a warning: AWS decides", async (_, other, message) => {
  expect(await problem({ ...MAIN, ...other })).toMatchObject({
    fatal: false,
    renewable: false,
    message: expect.stringContaining(message),
  });
});
