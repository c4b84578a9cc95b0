import { applyEnvironment, planEnvironment } from "../../keyless/permissions/environment";
import type { PolicyBuilder } from "../../keyless/permissions/scope";
import { administratorRoles, pipelineRole } from "../../keyless/pipeline/administrator";
import { type Statement, statements } from "../../keyless/policy/document";
import { devOf, project } from "../config/configuration";

const extra: Statement = { Effect: "Allow", Action: "s3:ListAllMyBuckets", Resource: "*" };

const builders: readonly (readonly [name: string, builder: PolicyBuilder, expected: string[]])[] = [
  ["applyEnvironment", applyEnvironment, ["reader"]],
  [
    "applyEnvironment and one more statement",
    (scope, role) => ({ Statement: [extra, ...statements(applyEnvironment(scope, role))] }),
    ["reader"],
  ],
  [
    "applyEnvironment without one of its statements",
    (scope, role) => ({ Statement: statements(applyEnvironment(scope, role)).slice(0, -1) }),
    [],
  ],
  ["planEnvironment", planEnvironment, []],
];

test.each(builders)("a role with %s is, or is not, managed by administrators", (_, builder, expected) => {
  const environment = devOf(
    ["environments.dev.roles.reader.inlinePolicies", { deploy: builder }],
    ["environments.dev.roles.reader.deployedBy", "pipeline-as-administrator"],
  );
  expect(administratorRoles(environment)).toEqual(expected);
});

test("the resolved configuration names the function that built each policy", () => {
  const inlinePolicies = { deploy: applyEnvironment, plan: planEnvironment, own: { Statement: [extra] } };
  const { roles } = devOf(["environments.dev.roles.reader.inlinePolicies", inlinePolicies]);
  expect(roles[0]?.policyBuilders).toEqual({ deploy: "applyEnvironment", plan: "planEnvironment", own: "other" });
});

describe("the role with which the pipeline plans or applies an environment", () => {
  const reader = { trust: [{ project, refs: "any" as const }] };
  const planner = { ...reader, inlinePolicies: { any: planEnvironment } };
  const applier = { ...reader, inlinePolicies: { any: applyEnvironment } };
  const devWith = (roles: object) => devOf(["environments.dev.roles", { reader, ...roles }]);

  test("is found by its policy, whatever its name", () => {
    const dev = devWith({ apply: planner, plan: applier });
    expect([pipelineRole(dev, "plan").name, pipelineRole(dev, "apply").name]).toEqual(["apply", "plan"]);
  });

  test.each([
    ["is missing", {}, /^no role of environment dev has planEnvironment in its inlinePolicies: .* --plan$/],
    ["is not unique", { a: planner, b: planner }, /^several roles of environment dev have planEnvironment: a, b; /],
  ])("%s", (_, roles, message) => {
    expect(() => pipelineRole(devWith(roles), "plan")).toThrow(
      expect.objectContaining({ message: expect.stringMatching(message) }),
    );
  });
});
