// @duration 20
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sandbox } from "../../keyless/sandbox";
import { afterSuite } from "./after-suite";
import { aws, type Project } from "./project";
import { setUp } from "./setup";
import { configWith, onMain, organization, project, repository } from "./trust-config";

let sandbox: Sandbox;
let clone: Project;
const folder = mkdtempSync(join(tmpdir(), "keyless-lint-"));
afterSuite(() => rmSync(folder, { recursive: true, force: true }));
const issuer = `oidc.circleci.com/org/${organization}`;

beforeAll(async () => {
  ({ sandbox, project: clone } = await setUp(configWith(onMain)));
});

function policy(subject: string, federated = issuer) {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Federated: `arn:aws:iam::123456789012:oidc-provider/${federated}` },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: {
          StringEquals: { [`${federated}:aud`]: organization },
          StringLike: { [`${federated}:sub`]: subject },
        },
      },
    ],
  };
}

const documented = policy(
  `org/${organization}/project/${project}/user/*/vcs-origin/${repository}/vcs-ref/refs/heads/main`,
);

function lint(...args: string[]) {
  return clone.keyless(sandbox.environment, "lint", ...args);
}

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

test("CircleCI's documented pattern is an error, with the name of a forging branch and a fixed statement", async () => {
  const { status, output } = await lint(file("trust.json", documented));
  expect(status).toBe(1);
  expect(output).toContain("error forgeable-subject");
  expect(output.replace(/\s+/g, " ")).toContain(
    `from a branch named e/vcs-origin/${repository}/vcs-ref/refs/heads/main`,
  );
  expect(output).toContain("/user/????????-????-????-????-????????????/vcs-origin/");
});

test("the output of the AWS CLI is accepted, percent-encoded or not", async () => {
  const role = file("role.json", { Role: { RoleName: "x", AssumeRolePolicyDocument: documented } });
  const encoded = file("roles.json", {
    Roles: [
      { RoleName: "a", AssumeRolePolicyDocument: encodeURIComponent(JSON.stringify(documented)) },
      { RoleName: "b", AssumeRolePolicyDocument: policy("x", "token.actions.githubusercontent.com") },
    ],
  });
  const { status, output } = await lint(role, encoded, "--json");
  expect(status).toBe(1);
  const found = JSON.parse(output).data.map(
    ({ subject, findings }: { subject: string; findings: { name: string }[] }) => [
      subject,
      findings.map(({ name }) => name),
    ],
  );
  expect(found).toEqual([
    [role, ["forgeable-subject"]],
    [`${encoded}: a`, ["forgeable-subject"]],
  ]);
});

test("wrong usage exits with 64, an unreadable file with 2", async () => {
  expect((await lint("--nope")).status).toBe(64);
  expect((await lint(join(folder, "absent.json"))).status).toBe(2);
  expect((await lint(file("bad.json", "{"))).output).toContain("is truncated JSON");
});

test("--live checks every role of the account that trusts CircleCI, with its permissions", async () => {
  const create = async (name: string, document: object) =>
    aws(
      sandbox.environment,
      "iam",
      "create-role",
      "--role-name",
      name,
      "--assume-role-policy-document",
      JSON.stringify(document),
    );
  await create("forgeable", documented);
  await create("github", policy("x", "token.actions.githubusercontent.com"));
  await create("owner", policy(`org/${organization}/project/${project}/user/*`));
  const all = { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "*", Resource: "*" } };
  await aws(
    sandbox.environment,
    "iam",
    "put-role-policy",
    "--role-name",
    "owner",
    "--policy-name",
    "all",
    "--policy-document",
    JSON.stringify(all),
  );
  await aws(
    sandbox.environment,
    "iam",
    "attach-role-policy",
    "--role-name",
    "forgeable",
    "--policy-arn",
    "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
  );
  const { status, output } = await lint("--live", "dev", "--json");
  expect(status).toBe(1);
  const found = JSON.parse(output).data.map(
    ({ subject, findings }: { subject: string; findings: { name: string }[] }) => [
      subject,
      findings.map(({ name }) => name),
    ],
  );
  expect(Object.fromEntries(found)).toEqual({
    "dev/forgeable": ["forgeable-subject"],
    "dev/owner": ["administrator-any-ref"],
  });
});

test("credentials of another account are an error", async () => {
  const { status, output } = await clone.keyless(sandbox.accountEnvironment("210987654321"), "lint", "--live", "dev");
  expect([status, output]).toEqual([2, expect.stringMatching(/the environment\s+is in account\s+123456789012/)]);
});

test("an error in the configuration stops the synthesis until it is accepted", async () => {
  const synth = () => clone.run(sandbox.environment, process.execPath, "build.js", "main.js");
  const administrator = `trust: [{ project: "${project}", refs: "any" }], managedPolicyArns: ["arn:aws:iam::aws:policy/AdministratorAccess"]`;
  clone.configure(configWith(administrator));
  const stopped = await synth();
  expect(stopped.status).not.toBe(0);
  expect(stopped.output).toContain('environments.dev.roles["publisher"]: administrator-any-ref');
  expect((await lint()).status).toBe(1);

  clone.configure(
    configWith(`${administrator}, acceptedFindings: { "administrator-any-ref": "a sandbox, reset every night" }`),
  );
  expect((await synth()).status).toBe(0);
  const accepted = await lint();
  expect(accepted.status).toBe(0);
  expect(accepted.output).toContain("a sandbox, reset every night");
});
