// @duration 22
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import type { Environment, Role } from "../../keyless/config/resolved";
import { trustPolicy } from "../../keyless/trust/policy";
import config from "../example/config";

const root = join(__dirname, "../..");
const start = (...args: string[]) =>
  spawn(process.execPath, [join(root, "keyless/cli/keyless.js"), "sandbox", ...args]);

async function keyless(...args: string[]) {
  const child = start(...args);
  const [printed, [status]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  return { printed: printed.trim(), status };
}

describe("keyless sandbox", () => {
  it("runs a command as an administrator of the account, and exits with its status", async () => {
    const command = "aws sts get-caller-identity --query Account --output text; exit 3";
    await expect(keyless("--account", "210987654321", "--", "sh", "-c", command)).resolves.toEqual({
      printed: "210987654321",
      status: 3,
    });
  });

  it("prints the variables for another shell, and runs until it is stopped", async () => {
    const child = start();
    const printed: string[] = [];
    for await (const line of createInterface(child.stdout)) {
      printed.push(line);
      if (line.startsWith("# Ctrl-C stops")) break;
    }
    expect(printed).toContainEqual(expect.stringMatching(/^export AWS_ENDPOINT_URL='http:\/\/127\.0\.0\.1:\d+'$/));
    child.kill("SIGINT");
    await expect(once(child, "exit")).resolves.toEqual([0, null]);
  });

  it("prints the least-privilege policy of a session, and records its permissions", async () => {
    const work = mkdtempSync(join(tmpdir(), "keyless-test-"));
    const script = `
      trust='{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/oidc.circleci.com/org/o"},"Condition":{"StringEquals":{"oidc.circleci.com/org/o:aud":"o"}}}}'
      {
        aws iam create-open-id-connect-provider --url https://oidc.circleci.com/org/o --client-id-list o
        aws iam create-role --role-name r --assume-role-policy-document "$trust"
        unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
        curl -s "$KEYLESS_ISSUER/token?organization=o&project=p" > "${work}/token"
        export HOME="${work}" AWS_WEB_IDENTITY_TOKEN_FILE="${work}/token" AWS_ROLE_SESSION_NAME=job
        export AWS_ROLE_ARN=arn:aws:iam::123456789012:role/r
        aws s3 ls s3://site
      } > "${work}/log" 2>&1`;
    const record = join(work, "record.json");
    const { printed } = await keyless("--least-policy", "--record", record, "--", "sh", "-c", script);
    expect(printed).toMatch(/^arn:aws:sts::123456789012:assumed-role\/r\/job\n\{/);
    expect(JSON.parse(printed.slice(printed.indexOf("{"))).Statement).toEqual([
      { Effect: "Allow", Action: ["s3:ListBucket"], Resource: ["arn:aws:s3:::site"] },
    ]);
    expect(JSON.parse(readFileSync(record, "utf8"))).toEqual([
      expect.objectContaining({ action: "s3:ListBucket", decision: "refused" }),
    ]);
    rmSync(work, { recursive: true, force: true });
  });
});

test("docs/sandbox.md shows what the commands print", async () => {
  const work = mkdtempSync(join(tmpdir(), "keyless-docs-"));
  const page = readFileSync(join(root, "docs/sandbox.md"), "utf8");
  const [, script = ""] = /```sh\n(.*?)```/s.exec(page) ?? [];
  const deploy = "npx keyless bootstrap dev\nnpx cdktf deploy dev --auto-approve\n";
  expect(script).toContain(deploy);
  writeFileSync(join(work, "index.html"), "<h1>Hello</h1>");
  // The commands of the script that deploy take a minute: this creates the one role that it uses.
  writeFileSync(join(work, "try.sh"), script.replace(deploy, createPublisher()));
  const shown = [...page.matchAll(/```console\n\$ npx keyless sandbox (.*?)\n(?:…\n)?(.*?)```/gs)];
  expect(shown).toHaveLength(2);
  for (const [, args = "", output] of shown) {
    const command = `node "${join(root, "keyless/cli/keyless.js")}" sandbox ${args} 2>&1`;
    const child = spawn("bash", ["-c", command], { cwd: work, env: { ...process.env, HOME: work } });
    await expect(text(child.stdout)).resolves.toBe(output);
  }
  rmSync(work, { recursive: true, force: true });
});

/** Commands that create the provider and the publisher role of the example. */
function createPublisher(): string {
  const environment = config.environments.find(({ name }) => name === "dev") as Environment;
  const role = environment.roles.find(({ name }) => name === "circleci-site-publisher") as Role;
  const { organizationId } = environment.circleci;
  const trust = trustPolicy({
    ...environment.circleci,
    providerArn: environment.oidcProvider.arn,
    rules: role.trust,
  });
  const quoted = (document: unknown) => `'${JSON.stringify(document)}'`;
  return `{
    aws iam create-open-id-connect-provider --url https://oidc.circleci.com/org/${organizationId} --client-id-list ${organizationId}
    aws iam create-role --role-name ${role.name} --assume-role-policy-document ${quoted(trust)}
    aws iam put-role-policy --role-name ${role.name} --policy-name publish --policy-document ${quoted(role.inlinePolicies.publish)}
  } > "$HOME/log"\n`;
}
