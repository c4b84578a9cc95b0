import { type Config, defineConfig } from "../../../keyless/config/define";
import type { RoleInput } from "../../../keyless/config/input";
import type { Environment, Role } from "../../../keyless/config/resolved";
import { trustPolicyOf } from "../../../keyless/config/trust";
import { allowServices } from "../../../keyless/permissions/boundary";
import { applyEnvironment, planEnvironment } from "../../../keyless/permissions/environment";
import { derivedPolicies } from "../../../keyless/pipeline/administrator";
import type { PolicyDocument } from "../../../keyless/policy/document";
import { toJsonData } from "../../../keyless/review/render/json";
import { toMarkdown } from "../../../keyless/review/render/markdown";
import { toText } from "../../../keyless/review/render/text";
import { review } from "../../../keyless/review/review";
import { change, ORG, PROJECT, plan } from "../plans";

const repository = "github.com/acme/site";
const onMain: RoleInput = {
  trust: [{ project: PROJECT, repository, branches: ["main"] }],
  inlinePolicies: {
    read: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }] },
  },
};
const pipeline: { [name: string]: RoleInput } = {
  plan: { ...onMain, inlinePolicies: { plan: planEnvironment }, deployedBy: "administrator" },
  apply: { ...onMain, inlinePolicies: { apply: applyEnvironment }, deployedBy: "administrator" },
};

function configWith(roles: { [name: string]: RoleInput }, boundary = true): Environment {
  const config: Config = defineConfig({
    circleci: { organizationId: ORG },
    environments: {
      dev: {
        accountId: "123456789012",
        region: "us-east-1",
        state: { bucket: "acme-tfstate", lockTable: "acme-lock" },
        ...(boundary && { permissionsBoundary: allowServices(["s3"]) }),
        roles: { ...roles, ...pipeline },
      },
    },
  });
  return config.environments[0] as Environment;
}

const before = configWith({ old: onMain });
const after = configWith({ new: onMain });

type Resources = { [address: string]: Record<string, unknown> };

function resourcesOf(environment: Environment): Resources {
  const entries = environment.roles.flatMap((role: Role) => [
    [`aws_iam_role.${role.name}`, roleResource(environment, role)] as const,
    ...Object.entries(role.inlinePolicies).map(
      ([name, document]) => [`aws_iam_role_policy.${role.name}_${name}`, inline(role.name, name, document)] as const,
    ),
  ]);
  return Object.fromEntries(entries);
}

function roleResource(environment: Environment, { name, path, trust, permissionsBoundaryArn }: Role) {
  const assume_role_policy = JSON.stringify(trustPolicyOf(environment, trust));
  return { name, path, assume_role_policy, permissions_boundary: permissionsBoundaryArn ?? null };
}

function inline(role: string, name: string, document: PolicyDocument) {
  return { role, name, policy: JSON.stringify(document) };
}

/** The review of the plan from some resources to others. */
function reviewOf(was: Resources, is: Resources, environment = after, derived = derivedPolicies(environment)) {
  const addresses = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  const changes = addresses.map((address) => {
    const [old, now] = [was[address] ?? null, is[address] ?? null];
    return change(address, old, JSON.stringify(old) === JSON.stringify(now) ? old : now);
  });
  return review([plan(changes)], { derivedPolicies: { dev: derived } });
}

const findingsOf = (result: ReturnType<typeof review>) => result.environments[0]?.access ?? [];

/** The subjects of the findings that are consequences. */
function folded(result: ReturnType<typeof review>): string[] {
  return [...new Set(findingsOf(result).flatMap(({ subject, consequence }) => (consequence ? subject : [])))].sort();
}

test("a renamed role: what the pipeline's policies grant and revoke for it follows", () => {
  const result = reviewOf(resourcesOf(before), resourcesOf(after));
  expect(folded(result)).toEqual(["role apply", "role plan"]);
  const others = findingsOf(result).filter(({ consequence }) => !consequence);
  expect(new Set(others.map(({ subject }) => subject))).toEqual(new Set(["role old", "role new"]));
});

test("the verdict and the JSON contain what follows", () => {
  const [was, is] = [resourcesOf(before), resourcesOf(after)];
  const [marked, unmarked] = [toJsonData(reviewOf(was, is)), toJsonData(reviewOf(was, is, after, []))].map((data) =>
    JSON.parse(JSON.stringify(data, (key, value) => (key === "consequence" ? undefined : value))),
  );
  expect(marked).toEqual(unmarked);
  expect(marked.environments[0].access.length).toBeGreaterThan(4);
});

test("Markdown has what follows in a fold below the other access, the text in a section below it", () => {
  const result = reviewOf(resourcesOf(before), resourcesOf(after));
  const number = findingsOf(result).filter(({ consequence }) => consequence).length;
  const [access = "", fold = ""] = toMarkdown(result).split("<details>");
  expect(access).not.toMatch(/role (plan|apply)/);
  expect(fold).toContain(`the pipeline's policies, which list the roles by name (${number})`);
  expect(fold.match(/^- .*`role (plan|apply)`/gm)).toHaveLength(number);
  const text = toText(result);
  expect(text.indexOf("role new")).toBeLessThan(text.indexOf("the pipeline's policies"));
  expect(text.indexOf("the pipeline's policies")).toBeLessThan(text.indexOf("role plan"));
});

const added = { Effect: "Allow", Action: "iam:UpdateAssumeRolePolicy", Resource: "arn:aws:iam::123456789012:role/new" };

test.each<[string, Resources]>([
  [
    "another statement",
    {
      "aws_iam_role_policy.plan_plan": inline("plan", "plan", {
        Version: "2012-10-17",
        Statement: [...(planEnvironment(after).Statement as object[]), added] as never,
      }),
    },
  ],
  [
    "another inline policy",
    { "aws_iam_role_policy.plan_more": inline("plan", "more", { Version: "2012-10-17", Statement: [added] as never }) },
  ],
  [
    "another managed policy",
    { "aws_iam_role_policy_attachment.plan": { role: "plan", policy_arn: "arn:aws:iam::aws:policy/IAMFullAccess" } },
  ],
  [
    "another trust policy",
    {
      "aws_iam_role.plan": roleResource(after, {
        ...(after.roles.find(({ name }) => name === "plan") as Role),
        trust: [{ project: PROJECT, refs: "any" }],
      }),
    },
  ],
])("nothing about a role follows if it gets %s too", (_, more) => {
  const result = reviewOf(resourcesOf(before), { ...resourcesOf(after), ...more });
  expect(folded(result)).toEqual(["role apply"]);
  expect(findingsOf(result).some(({ subject, effect }) => subject === "role plan" && effect === "gain")).toBe(true);
});

test("nothing follows from a policy of the configuration that adds statements to applyEnvironment", () => {
  const own = (scope: Environment, self: string) => {
    const { Version, Statement } = applyEnvironment(scope, self);
    return { Version, Statement: [...(Statement as object[]), added] } as PolicyDocument;
  };
  const apply: RoleInput = { ...onMain, inlinePolicies: { apply: own as never }, deployedBy: "administrator" };
  const changed = configWith({ new: onMain, apply2: apply });
  expect(derivedPolicies(changed).map(({ role }) => role)).toEqual(["plan", "apply"]);
});

test("permissions on a role that the plan does not add do not follow", () => {
  const [was, is] = [resourcesOf(before), resourcesOf(after)];
  const roleUnchanged = { ...was, "aws_iam_role.new": is["aws_iam_role.new"] as Record<string, unknown> };
  expect(folded(reviewOf(roleUnchanged, { ...is, "aws_iam_role.old": was["aws_iam_role.old"] as never }))).toEqual([]);
});

test("an administrator's permission does not follow", () => {
  const unlimited: RoleInput = { ...onMain, deployedBy: "pipeline-as-administrator" };
  const [was, is] = [configWith({ old: unlimited }, false), configWith({ new: unlimited }, false)];
  const result = reviewOf(resourcesOf(was), resourcesOf(is), is);
  const found = findingsOf(result).filter(({ administrator }) => administrator);
  expect(found.map(({ subject }) => subject)).toContain("role apply");
  expect(found.filter(({ consequence }) => consequence)).toEqual([]);
});
