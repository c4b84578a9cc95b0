// @duration 44
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RoleInput } from "../../keyless/config/input";
import type { Sandbox } from "../../keyless/sandbox";
import { synthesize } from "../stacks/synthesis";
import { afterSuite } from "./after-suite";
import { run } from "./project";
import { ORGANIZATION, SITE, setUp } from "./setup";

const cloud = `oidc.circleci.com/org/${ORGANIZATION}`;
const server = "circleci.example.com";
const thumbprint = "9e99a48a9960b14926bb7f3b02e22da2b0ab7280";
const aws = "arn:aws:iam::aws:policy";

/** Variables of the documented module, and the equivalent configuration of this project. */
interface Case {
  readonly variables: Readonly<Record<string, unknown>> & { readonly role_name: string };
  readonly circleci?: { readonly audiences?: readonly string[]; readonly server?: string };
  readonly tags?: Readonly<Record<string, string>>;
  readonly role: RoleInput;
}

const cases: Readonly<Record<string, Case>> = {
  "the example of the module": {
    variables: {
      role_name: "circleci-oidc-tf",
      oidc_url: cloud,
      oidc_client_id: ORGANIZATION,
      project_repository_condition: `org/${ORGANIZATION}/project/${SITE}/user/*`,
    },
    role: {
      trust: [{ subject: `org/${ORGANIZATION}/project/${SITE}/user/*` }],
      managedPolicyArns: [`${aws}/AmazonS3ReadOnlyAccess`],
    },
  },
  "an audience, tags, several policies, one branch": {
    variables: {
      role_name: "site.publisher@acme",
      oidc_url: cloud,
      oidc_client_id: "https://sts.example.com",
      project_repository_condition: `org/${ORGANIZATION}/project/${SITE}/user/????????-????-????-????-????????????/vcs-origin/github.com/acme/site/vcs-ref/refs/heads/main`,
      policy_arns: [
        `${aws}/ReadOnlyAccess`,
        `${aws}/AmazonS3ReadOnlyAccess`,
        `${aws}/service-role/AWSLambdaBasicExecutionRole`,
      ],
      default_tags: { Team: "web", "Cost Center": "42" },
    },
    circleci: { audiences: ["https://sts.example.com"] },
    tags: { Team: "web", "Cost Center": "42" },
    role: {
      trust: [{ project: SITE, repository: "github.com/acme/site", branches: ["main"] }],
      managedPolicyArns: [
        `${aws}/ReadOnlyAccess`,
        `${aws}/AmazonS3ReadOnlyAccess`,
        `${aws}/service-role/AWSLambdaBasicExecutionRole`,
      ],
    },
  },
  "a CircleCI server, a subject pattern, no policy": {
    variables: {
      role_name: "0-server",
      oidc_url: `${server}/org/${ORGANIZATION}`,
      oidc_client_id: ORGANIZATION,
      project_repository_condition: `org/${ORGANIZATION}/project/${SITE}/user/*/vcs-origin/github.com/acme/*`,
      policy_arns: [],
    },
    circleci: { server },
    role: { trust: [{ subject: `org/${ORGANIZATION}/project/${SITE}/user/*/vcs-origin/github.com/acme/*` }] },
  },
};

let sandbox: Sandbox;
const folder = mkdtempSync(join(tmpdir(), "keyless-module-"));
afterSuite(() => rmSync(folder, { recursive: true, force: true }));
const ours = join(folder, "ours");
const theirs = join(folder, "theirs");

beforeAll(async () => {
  ({ sandbox } = await setUp());
});

async function terraform(cwd: string, account: string, ...args: string[]): Promise<string> {
  const env = sandbox.accountEnvironment(account);
  const { status, output } = await run(env.TERRAFORM_BINARY_NAME ?? "terraform", args, { cwd, env });
  if (status !== 0) throw new Error(output);
  return output;
}

/** Writes the stack of the environment with a local state. */
function writeOurs({ variables, circleci, tags, role }: Case, accountId: string): void {
  const state = { bucket: "acme-state", lockTable: "acme-lock" };
  const { dev } = synthesize({
    circleci: { organizationId: ORGANIZATION, thumbprints: [thumbprint], ...circleci },
    tags,
    environments: { dev: { accountId, region: "us-east-1", state, roles: { [variables.role_name]: role } } },
  });
  const { backend: _, ...settings } = dev?.terraform ?? {};
  writeFileSync(join(ours, "cdk.tf.json"), JSON.stringify({ ...dev, terraform: settings }));
}

function writeTheirs({ variables }: Case): void {
  writeFileSync(join(theirs, "terraform.tfvars.json"), JSON.stringify({ oidc_thumbprint: thumbprint, ...variables }));
}

interface Resource {
  readonly type: string;
  readonly values: unknown;
}

interface PlannedChange {
  readonly mode: "managed" | "data";
  readonly type: string;
  readonly change: { readonly actions: unknown; readonly after: unknown; readonly after_unknown: unknown };
}

// Attributes that AWS generates, and the default tags of the provider. The module has no arguments for them.
const computed = ["id", "create_date", "unique_id", "tags_all"];

// Unknown in the plan of the module, known in the plan of this project. The states after the apply are compared.
const unknownInPlan = ["assume_role_policy"];

// The stacks also own the whole set of a role's policies. The module has no such resources.
const additional = ["aws_iam_role_policies_exclusive", "aws_iam_role_policy_attachments_exclusive"];

/** Resources without the values that always differ: addresses, the account, and computed attributes. */
function comparable(resources: readonly Resource[], account: string, without: readonly string[] = computed): string[] {
  const omit = (key: string, value: unknown) => (without.includes(key) ? undefined : value);
  return resources
    .filter(({ type }) => !additional.includes(type))
    .map(({ type, values }) => `${type} ${JSON.stringify(values, omit, 1)}`.replaceAll(account, "<account>"))
    .sort();
}

async function planned(cwd: string, account: string): Promise<string[]> {
  await terraform(cwd, account, "plan", "-out=plan", "-input=false");
  const { resource_changes: changes } = JSON.parse(await terraform(cwd, account, "show", "-json", "plan"));
  const managed = (changes as PlannedChange[]).filter(({ mode }) => mode === "managed");
  const resources = managed.map(({ type, change: { actions, after, after_unknown } }) => ({
    type,
    values: { actions, after, after_unknown },
  }));
  return comparable(resources, account, [...computed, ...unknownInPlan]);
}

async function applied(cwd: string, account: string): Promise<string[]> {
  rmSync(join(cwd, "terraform.tfstate"), { force: true });
  await terraform(cwd, account, "apply", "-auto-approve", "-input=false");
  const { resources } = JSON.parse(readFileSync(join(cwd, "terraform.tfstate"), "utf8"));
  return comparable(
    resources.flatMap(({ type, instances }: { type: string; instances: { attributes: unknown }[] }) =>
      instances.map(({ attributes }) => ({ type, values: attributes })),
    ),
    account,
  );
}

test("the plan has the same resources as the plan of the documented module", async () => {
  const [first] = Object.values(cases) as [Case];
  for (const cwd of [ours, theirs]) mkdirSync(cwd);
  copyFileSync(join(__dirname, "module", "main.tf"), join(theirs, "main.tf"));
  writeOurs(first, "111111111111");
  writeTheirs(first);
  await terraform(ours, "111111111111", "init", "-input=false");
  await terraform(theirs, "222222222222", "init", "-input=false");
  const plan = await planned(theirs, "222222222222");
  expect(plan.map((resource) => resource.split(" ")[0])).toEqual([
    "aws_iam_openid_connect_provider",
    "aws_iam_role",
    "aws_iam_role_policy_attachment",
  ]);
  expect(await planned(ours, "111111111111")).toEqual(plan);
});

test("a rule for any ref adds to the module's trust policy only the condition on the project's id", async () => {
  const [first] = Object.values(cases) as [Case];
  const [ourAccount, theirAccount] = ["911111111111", "922222222222"];
  writeOurs({ ...first, role: { ...first.role, trust: [{ project: SITE, refs: "any" }] } }, ourAccount);
  writeTheirs(first);
  const isRole = (resource: string) => resource.startsWith("aws_iam_role ");
  const trustIn = (resources: readonly string[]) => {
    const role = JSON.parse(resources.find(isRole)?.slice("aws_iam_role ".length) ?? "");
    return JSON.parse(role.assume_role_policy);
  };
  const [module, own] = [await applied(theirs, theirAccount), await applied(ours, ourAccount)];
  const expected = trustIn(module);
  expected.Statement[0].Condition.StringEquals[`${cloud}:oidc.circleci.com/project-id`] = SITE;
  expect(trustIn(own)).toEqual(expected);
});

describe("the deployed resources equal those of the documented module for", () => {
  test.each(Object.keys(cases).map((name, index) => [name, index + 3] as const))("%s", async (name, index) => {
    const given = cases[name] as Case;
    const [ourAccount, theirAccount] = [`${index}11111111111`, `${index}22222222222`];
    writeOurs(given, ourAccount);
    writeTheirs(given);
    const module = await applied(theirs, theirAccount);
    expect(await applied(ours, ourAccount)).toEqual(module);
    const trust = module.find((resource) => resource.startsWith("aws_iam_policy_document"));
    expect(trust).toContain(given.variables.project_repository_condition);
  });
});
