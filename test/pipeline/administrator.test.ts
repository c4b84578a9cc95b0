import { applyEnvironment, planEnvironment } from "../../keyless/permissions/environment";
import type { PolicyBuilder } from "../../keyless/permissions/scope";
import { administratorRoles } from "../../keyless/pipeline/administrator";
import { type Statement, statements } from "../../keyless/policy/document";
import { devOf } from "../config/configuration";

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
