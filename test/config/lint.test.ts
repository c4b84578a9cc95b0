import { defineConfig } from "../../keyless/config/define";
import type { RoleInput } from "../../keyless/config/input";
import { enforceLint, lintConfig } from "../../keyless/config/lint";
import type { TrustRule } from "../../keyless/trust/circleci";

const project = "66666666-7777-4888-9999-000000000000";
const organizationId = "11111111-2222-4333-8444-555555555555";
const administrator = ["arn:aws:iam::aws:policy/AdministratorAccess"];
const anyRef: TrustRule = { project, refs: "any" };

function configWith(role: Partial<RoleInput>) {
  return defineConfig({
    circleci: { organizationId },
    environments: {
      dev: {
        accountId: "123456789012",
        region: "us-east-1",
        state: { bucket: "acme-dev-tfstate", lockTable: "acme-dev-tfstate-lock" },
        roles: { deploy: { trust: [anyRef], ...role } },
      },
    },
  });
}

function enforced(role: Partial<RoleInput>): string[] {
  const warnings: string[] = [];
  enforceLint(configWith(role), (line) => warnings.push(line));
  return warnings;
}

test("an administrator role that trusts any ref stops the synthesis; the message names the role and both fixes", () => {
  expect(() => enforced({ managedPolicyArns: administrator })).toThrow(
    /environments\.dev\.roles\["deploy"\]: administrator-any-ref(.|\n)*npx keyless lint(.|\n)*acceptedFindings: \{ "administrator-any-ref"/,
  );
});

test("an inline policy that grants administrator permissions stops the synthesis", () => {
  const all = { Version: "2012-10-17" as const, Statement: { Effect: "Allow" as const, Action: "*", Resource: "*" } };
  expect(() => enforced({ inlinePolicies: { all } })).toThrow("administrator-any-ref");
});

test("a custom subject pattern that a branch can forge stops the synthesis", () => {
  const subject = `org/${organizationId}/project/${project}/user/*/vcs-origin/github.com/acme/site/vcs-ref/refs/heads/main`;
  expect(() => enforced({ trust: [{ subject }] })).toThrow("forgeable-subject");
});

test("the message contains every error of every role", () => {
  const onMain = `org/${organizationId}/project/${project}/user/*/vcs-origin/github.com/acme/site/vcs-ref/refs/heads/main`;
  const v1 = `org/${organizationId}/project/${project}/user/${project}`;
  const trust = [{ subject: onMain }, { subject: v1 }];
  expect(() => enforced({ trust, managedPolicyArns: administrator })).toThrow(/2 errors/);
});

test("an accepted finding does not stop the synthesis and is reported with its reason", () => {
  const role = { managedPolicyArns: administrator, acceptedFindings: { "administrator-any-ref": "a sandbox" } };
  expect(enforced(role)).toEqual([]);
  expect(lintConfig(configWith(role))).toMatchObject([
    {
      subject: "dev/deploy",
      findings: [{ name: "administrator-any-ref", severity: "error", accepted: "a sandbox" }],
      fixed: undefined,
    },
  ]);
});

test("an acceptance of a finding that does not occur is a warning", () => {
  expect(enforced({ acceptedFindings: { "no-subject": "once" } })).toEqual([
    'warning: environments.dev.roles["deploy"]: unused-acceptance: no-subject is accepted and does not occur: remove the acceptance',
  ]);
});

test("a warning does not stop the synthesis", () => {
  const user = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
  const warnings = enforced({ trust: [{ subject: `org/${organizationId}/project/${project}/user/${user}` }] });
  expect(warnings).toEqual([expect.stringContaining("v1-subject")]);
});

test("ordinary roles have no findings", () => {
  const repository = "github.com/acme/site";
  const writer = ["arn:aws:iam::aws:policy/AmazonS3FullAccess"];
  const trust = [{ project, repository, branches: ["main", "release/*"], tags: ["v*"] }];
  expect(enforced({ trust, managedPolicyArns: writer })).toEqual([]);
  const exact = [{ project, repository, branches: ["main", "release/1"] }];
  expect(enforced({ trust: exact, managedPolicyArns: administrator })).toEqual([]);
  expect(enforced({ managedPolicyArns: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"] })).toEqual([]);
});

test("an administrator that trusts tags or a pattern of branches is a warning", () => {
  for (const refs of [{ tags: ["v1"] }, { branches: ["release/*"] }]) {
    const trust = [{ project, repository: "github.com/acme/site", ...refs }];
    expect(enforced({ trust, managedPolicyArns: administrator })).toEqual([
      expect.stringContaining("administrator-any-ref: tags or a pattern of branches are trusted"),
    ]);
  }
});

test("accepting an unknown finding, or one without a reason, is an error", () => {
  const acceptedFindings = (accepted: object) => () =>
    configWith({ acceptedFindings: accepted as RoleInput["acceptedFindings"] });
  expect(acceptedFindings({ "no-such-finding": "x" })).toThrow(
    /environments\.dev\.roles\.deploy\.acceptedFindings(.|\n)*must be one of "malformed-policy"/,
  );
  expect(acceptedFindings({ "no-subject": " " })).toThrow(/must be the reason/);
});
