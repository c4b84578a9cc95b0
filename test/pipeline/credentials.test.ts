import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { claimsOf } from "../../keyless/sandbox/issuer";
import { keyless } from "../cli/keyless";

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const claims = claimsOf({
  organization: "11111111-2222-4333-8444-555555555555",
  project: "66666666-7777-4888-9999-000000000000",
  origin: "github.com/acme/site",
  ref: "refs/heads/main",
});
const token = `${part({ alg: "RS256" })}.${part(claims)}.c2lnbmF0dXJl`;

let sts: Server;
let answer: { status: number; code: string };

beforeAll(async () => {
  sts = createServer((_, response) => {
    response.writeHead(answer.status, { "content-type": "text/xml" });
    response.end(
      `<ErrorResponse><Error><Type>Sender</Type><Code>${answer.code}</Code><Message>reason</Message></Error></ErrorResponse>`,
    );
  });
  await new Promise<void>((resolve) => sts.listen(0, "127.0.0.1", resolve));
});
afterAll(() => sts.close());

const local = () => `http://127.0.0.1:${(sts.address() as AddressInfo).port}`;

function credentials(endpoint = local(), ...role: string[]) {
  const env = { CIRCLE_OIDC_TOKEN_V2: token, AWS_ENDPOINT_URL_STS: endpoint, AWS_MAX_ATTEMPTS: "1" };
  return keyless(["credentials", "dev", ...(role.length > 0 ? role : ["circleci-site-publisher"])], { env });
}

test.each([
  ["AccessDenied", 403],
  ["InvalidIdentityToken", 400],
])("the error %s of STS is a refusal of the token", async (code, status) => {
  answer = { status, code };
  const { status: exited, stderr } = await credentials();
  expect({ exited, stderr }).toEqual({ exited: 2, stderr: expect.stringMatching(/^AWS refuses the token for/) });
  expect(stderr).toContain(`sub: ${claims.sub}`);
  expect(stderr).not.toContain(token);
});

test("an error of STS itself, or of the network, is not a refusal", async () => {
  answer = { status: 503, code: "ServiceUnavailable" };
  for (const { status, stderr } of [await credentials(), await credentials("http://127.0.0.1:1")]) {
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(/^no answer from AWS STS for/) });
    expect(stderr).not.toContain("refuses");
  }
});

test.each([
  ["--plan", "circleci-access-plan"],
  ["--apply", "circleci-access-apply"],
])("%s assumes the role of the environment that has the policy", async (option, role) => {
  answer = { status: 403, code: "AccessDenied" };
  const { stderr } = await credentials(local(), option);
  expect(stderr).toContain(`AWS refuses the token for arn:aws:iam::123456789012:role/${role}: `);
});

test.each([
  [["circleci-read-only", "--plan"], "give either the role circleci-read-only or --plan\n"],
  [["--plan", "--apply"], expect.stringContaining("cannot be used with")],
])("%j is wrong usage", async (role, stderr) => {
  expect(await credentials(local(), ...role)).toMatchObject({ status: 64, stderr });
});

test("without a role, an option is required", async () => {
  const { status, stderr } = await keyless(["credentials", "dev"]);
  expect({ status, stderr }).toEqual({ status: 64, stderr: "name a role, or give --plan or --apply\n" });
});
