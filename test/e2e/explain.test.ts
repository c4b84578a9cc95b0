// @duration 30
import type { PolicyDocument } from "../../keyless/policy/document";
import type { Sandbox } from "../../keyless/sandbox";
import type { TokenRequest } from "../../keyless/sandbox/issuer";
import type { Env } from "../../keyless/terraform/executables";
import { trustPolicy } from "../../keyless/trust/policy";
import { aws, type Project } from "./project";
import { setUp, webIdentityEnvironment } from "./setup";
import { configWith, onMain, organization, project, repository } from "./trust-config";

let sandbox: Sandbox;
let clone: Project;
const issuer = `oidc.circleci.com/org/${organization}`;
const v1Subject = `org/${organization}/project/${project}/user/00000000-0000-4000-8000-000000000001`;

beforeAll(async () => {
  ({ sandbox, project: clone } = await setUp(configWith(onMain)));
});

const main: TokenRequest = { organization, project, origin: repository, ref: "refs/heads/main" };

async function explain({ job = main, env = {}, args = [] }: { job?: TokenRequest; env?: Env; args?: string[] } = {}) {
  const token = await sandbox.issuer.token(job);
  const ran = await clone.keyless(
    { ...sandbox.environment, CIRCLE_OIDC_TOKEN_V2: token, ...env },
    "explain",
    "dev",
    "publisher",
    ...args,
  );
  expect(ran.output).not.toContain(token.slice(0, 20));
  return ran;
}

async function createRole(name: string, trust: string | PolicyDocument) {
  const policy: PolicyDocument =
    typeof trust !== "string"
      ? trust
      : {
          Version: "2012-10-17",
          Statement: [
            {
              Effect: "Allow",
              Principal: { Federated: `arn:aws:iam::123456789012:oidc-provider/${issuer}` },
              Action: "sts:AssumeRoleWithWebIdentity",
              Condition: {
                StringEquals: { [`${issuer}:aud`]: organization },
                StringLike: { [`${issuer}:sub`]: trust },
              },
            },
          ],
        };
  await aws(
    sandbox.environment,
    "iam",
    "create-role",
    "--role-name",
    name,
    "--assume-role-policy-document",
    JSON.stringify(policy),
  );
}

test("a token with a valid signature is allowed, with exit status 0", async () => {
  const { status, output } = await explain();
  expect(status).toBe(0);
  expect(output).toMatch(/^allowed: publisher in dev/);
  expect(output).toContain("✓ issuer, signature, audience, trust policy, lifetime");
});

test("a token that was changed after signing is refused", async () => {
  const [header, payload, signature] = (await sandbox.issuer.token(main)).split(".");
  const claims = JSON.parse(Buffer.from(payload ?? "", "base64url").toString());
  const changed = Buffer.from(JSON.stringify({ ...claims, exp: claims.exp + 86400 })).toString("base64url");
  const { status, output } = await explain({ env: { CIRCLE_OIDC_TOKEN_V2: `${header}.${changed}.${signature}` } });
  expect(status).toBe(1);
  expect(output).toContain("the token's signature is not valid");
});

test("if the keys of the issuer are unavailable, the signature is reported as unchecked and the other checks decide", async () => {
  const { status, output } = await explain({ env: { KEYLESS_ISSUER: "http://127.0.0.1:65533" } });
  expect(status).toBe(0);
  expect(output.replace(/\s+/g, " ")).toContain(
    "? signature not checked: cannot read the keys of http://127.0.0.1:65533 (ECONNREFUSED)",
  );
});

test("each cause of a refusal is explained in at most 24 lines, beginning with the cause", async () => {
  const refused: [job: TokenRequest, env: Env, cause: RegExp][] = [
    [{ organization, project }, {}, /custom webhook triggered this pipeline/],
    [{ ...main, ref: "refs/heads/feature/login" }, {}, /ran on branch feature\/login, the role trusts branch main/],
    [{ ...main, ref: "refs/tags/v1" }, {}, /ran on tag v1, the role trusts branch main/],
    [
      { ...main, origin: "github.com/stranger/site", ref: "refs/heads/pull/7" },
      {},
      /pull request 7 from the fork github.com\/stranger\/site/,
    ],
    [{ ...main, organization: "99999999-2222-4333-8444-555555555555" }, {}, /from CircleCI organization 99999999/],
    [{ ...main, project: "77777777-7777-4888-9999-000000000000" }, {}, /from project 77777777/],
    [{ ...main, claims: { aud: "sts.amazonaws.com" } }, {}, /has the audience sts.amazonaws.com/],
    [{ ...main, lifetime: -60 }, {}, /the token expired at/],
    [{ ...main, server: "ci.example.com" }, {}, /from the CircleCI server at ci.example.com/],
    [main, { CIRCLE_OIDC_TOKEN_V2: "$CIRCLE_OIDC_TOKEN_V2" }, /the name of the variable was written/],
    [main, { CIRCLE_OIDC_TOKEN_V2: "" }, /there is no token/],
  ];
  for (const [job, env, cause] of refused) {
    const { status, output } = await explain({ job, env });
    const text = output.replace(/\s+/g, " ");
    expect([status, text]).toEqual([1, expect.stringMatching(cause)]);
    const lines = output.split("\n");
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(lines[2]).toMatch(/^ {2}why/);
  }
});

test("a V1 token is distinguished from the token of a webhook by its variable", async () => {
  const token = await sandbox.issuer.token({ organization, project });
  const { output } = await explain({ env: { CIRCLE_OIDC_TOKEN: token }, args: ["--v1"] });
  expect(output).toContain("send CIRCLE_OIDC_TOKEN_V2 instead of CIRCLE_OIDC_TOKEN");
});

test("a role that the configuration does not have is read from the account", async () => {
  await createRole("hand-made", v1Subject);
  await aws(
    sandbox.environment,
    "iam",
    "create-open-id-connect-provider",
    "--url",
    `https://${issuer}`,
    "--client-id-list",
    organization,
  );
  const token = await sandbox.issuer.token(main);
  const env = { ...sandbox.environment, CIRCLE_OIDC_TOKEN_V2: token };
  const { status, output } = await clone.keyless(env, "explain", "dev", "hand-made", "--live", "--json");
  expect(status).toBe(1);
  const { decision, remedy, trust, mismatch, differences } = JSON.parse(output).data;
  expect([decision, remedy.cause, trust, differences]).toEqual(["refused", "v2-token", "account", undefined]);
  expect(mismatch).toMatchObject({ closest: v1Subject, firstDifference: v1Subject.length });
  expect(output).not.toContain(token.slice(0, 20));

  await createRole("publisher", `org/${organization}/project/${project}/user/*`);
  const drifted = await explain({ args: ["--live"] });
  expect(drifted.status).toBe(0);
  expect(drifted.output).toContain("the trust in the account differs from the configuration:");
  expect(drifted.output).toContain(
    `only in the account: StringLike ${issuer}:sub org/${organization}/project/${project}/user/*`,
  );
});

test("AWS and the explanation refuse a token of another project, whatever its subject", async () => {
  const pin = "oidc.circleci.com/project-id";
  const rule = { project, refs: "any" } as const;
  const providerArn = `arn:aws:iam::123456789012:oidc-provider/${issuer}`;
  const policy = trustPolicy({
    providerArn,
    issuer,
    organizationId: organization,
    audiences: [organization],
    rules: [rule],
  });
  await createRole("any-ref", policy);
  const other = "77777777-7777-4888-9999-000000000000";
  const cases: [job: TokenRequest, cause: string | undefined][] = [
    [{ ...main, ref: "refs/heads/feature" }, undefined],
    [{ organization, project }, undefined],
    [{ ...main, claims: { [pin]: other } }, "contradicting-project"],
    [{ ...main, claims: { [pin]: undefined } }, "no-project-id"],
    [{ ...main, project: other }, "wrong-project"],
  ];
  for (const [job, cause] of cases) {
    const token = await sandbox.issuer.token(job);
    const roleArn = "arn:aws:iam::123456789012:role/any-ref";
    const session = aws(webIdentityEnvironment(sandbox, roleArn, token), "sts", "get-caller-identity");
    if (cause === undefined) expect((await session).Arn).toContain("assumed-role/any-ref/");
    else await expect(session).rejects.toThrow("Not authorized to perform sts:AssumeRoleWithWebIdentity");
    const env = { ...sandbox.environment, CIRCLE_OIDC_TOKEN_V2: token };
    const { output } = await clone.keyless(env, "explain", "dev", "any-ref", "--live", "--json");
    expect(JSON.parse(output).data.remedy?.cause).toBe(cause);
  }
});

test("the wrong account or an unknown role exits with 2", async () => {
  const elsewhere = await explain({ env: sandbox.accountEnvironment("210987654321"), args: ["--live"] });
  expect([elsewhere.status, elsewhere.output]).toEqual([
    2,
    expect.stringMatching(/belong to account 210987654321 .*, the environment is in account 123456789012/),
  ]);
  const absent = await clone.keyless(
    { ...sandbox.environment, CIRCLE_OIDC_TOKEN_V2: await sandbox.issuer.token(main) },
    "explain",
    "dev",
    "absent",
    "--live",
  );
  expect([absent.status, absent.output]).toEqual([
    2,
    expect.stringContaining('there is no role "absent" in account 123456789012'),
  ]);
});

test("claims given as options need no token, and wrong usage exits with 64", async () => {
  const run = (...args: string[]) => clone.keyless(sandbox.environment, "explain", ...args);
  const source = ["--project", project, "--repository", repository];
  expect((await run("dev", "publisher", ...source, "--branch", "main")).status).toBe(0);
  expect((await run("dev", "publisher", ...source, "--tag", "main")).status).toBe(1);
  expect((await run("dev", "publisher", "--project", project)).status).toBe(64);
  expect((await run("dev", "publisher", "--brunch", "main")).status).toBe(64);
  expect((await run("nowhere", "publisher")).status).toBe(64);
  expect(
    (await run("dev", "publisher", ...source, "--branch", "main", "--organization", `https://${issuer}`)).output,
  ).toContain(`write ${organization} in the claims`);
});

test("a role can be given by its ARN, and the ARN of another account is wrong usage", async () => {
  const source = ["--project", project, "--repository", repository, "--branch", "main"];
  const run = (role: string) => clone.keyless(sandbox.environment, "explain", "dev", role, ...source);
  expect((await run("arn:aws:iam::123456789012:role/publisher")).status).toBe(0);
  const other = await run("arn:aws:iam::210987654321:role/publisher");
  expect([other.status, other.output]).toEqual([64, expect.stringContaining("the role is in account 210987654321")]);
});

test("--token-file - reads the token from standard input", async () => {
  const env = { ...sandbox.environment, TOKEN: await sandbox.issuer.token(main) };
  const { status } = await clone.run(
    env,
    "sh",
    "-c",
    'printf "%s\n" "$TOKEN" | node keyless/cli/keyless.js explain dev publisher --token-file -',
  );
  expect(status).toBe(0);
});

test("a token given as another argument is not printed", async () => {
  const token = await sandbox.issuer.token(main);
  const misuses = [
    ["dev", token],
    ["dev", "publisher", "--token-file", token],
    ["dev", "publisher", "--subject", token],
    [token, "publisher"],
  ];
  for (const args of misuses) {
    const { status, output } = await clone.keyless(sandbox.environment, "explain", ...args);
    expect(status).not.toBe(0);
    for (const part of token.split(".")) expect(output).not.toContain(part);
  }
});
