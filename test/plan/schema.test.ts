import { readPlan } from "../../keyless/plan/schema";
import { change, plan } from "../review/plans";

const lambda = {
  address: "action.aws_lambda_invoke.warm",
  type: "aws_lambda_invoke",
  name: "warm",
  provider_name: "registry.terraform.io/hashicorp/aws",
  config_values: { function_name: "warm", payload: "hunter2" },
  config_sensitive: { payload: true },
  config_unknown: { qualifier: true },
};

describe("action invocations", () => {
  const trigger = { triggering_resource_address: "aws_lambda_function.f", action_trigger_event: "AfterCreate" };

  test("are read with their trigger and their concealed configuration", () => {
    const read = plan([], { action_invocations: [{ ...lambda, lifecycle_action_trigger: trigger }] });
    expect(read.actionInvocations).toMatchObject([
      {
        address: "action.aws_lambda_invoke.warm",
        type: "aws_lambda_invoke",
        providerName: "registry.terraform.io/hashicorp/aws",
        trigger: { resource: "aws_lambda_function.f", event: "AfterCreate" },
        config: { function_name: "warm", payload: { reason: "sensitive" }, qualifier: { reason: "unknown" } },
      },
    ]);
    expect(JSON.stringify(read)).not.toContain("hunter2");
  });

  test("have no trigger if the command line requested them", () => {
    const [invocation] = plan([], { action_invocations: [{ ...lambda, invoke_action_trigger: {} }] }).actionInvocations;
    expect(invocation).not.toHaveProperty("trigger");
  });

  test("are read with the reason if they are deferred", () => {
    const deferred = [{ reason: "deferred_prereq", action_invocation: lambda }];
    const read = plan([], { deferred_action_invocations: deferred });
    expect(read.actionInvocations).toMatchObject([
      { address: "action.aws_lambda_invoke.warm", deferredReason: "deferred_prereq" },
    ]);
  });
});

test("a change has the name of its provider", () => {
  const [read] = plan([change("aws_iam_role.r", null, {})]).changes;
  expect(read?.providerName).toBe("registry.terraform.io/hashicorp/aws");
});

test("a change has provisioners if the configuration of its module has them", () => {
  const resource = { address: "aws_instance.i", provisioners: [{ type: "local-exec" }] };
  const configuration = { root_module: { module_calls: { m: { module: { resources: [resource] } } } } };
  const changes = ['module.m["a"].aws_instance.i[0]', "aws_instance.i"].map((address) => change(address, null, {}));
  expect(plan(changes, { configuration }).changes.map(({ provisioners }) => provisioners)).toEqual([true, false]);
});

test("a plan of Terraform 1.8 and later says whether Terraform would apply it", () => {
  expect([plan([]), plan([], { applyable: false })].map(({ applyable }) => applyable)).toEqual([undefined, false]);
});

test("content that a later version adds at the top level is a warning, unless it is empty", () => {
  const added = {
    policy_invocations: [{}],
    other: {},
    variables: { a: { value: 1 } },
    timestamp: "2026-01-01T00:00:00Z",
  };
  expect(plan([], added).warnings).toEqual(['the plan has "policy_invocations", which this version does not evaluate']);
});

test("outputs with the names of properties of JavaScript objects are read", () => {
  const output_changes = Object.fromEntries(
    ["constructor", "__proto__"].map((name) => [name, { actions: ["create"] }]),
  );
  expect(plan([], { output_changes }).outputs.map(({ name }) => name)).toEqual(["constructor", "__proto__"]);
});

test.each([
  ["attributes that are no object", { before: "x" }],
  ["a resource whose attributes are all unknown", { after_unknown: true }],
])("%s are rejected", (_name, fields) => {
  const raw = change("a.b", null, null, { actions: ["create"] });
  const changes = [{ ...raw, change: { ...raw.change, ...fields } }];
  expect(() => plan(changes)).toThrow(/^cannot read the plan of dev: at resource_changes\.0\.change/);
});

test.each([
  [{ "@level": "info", type: "version" }, "the events that `terraform plan -json` prints"],
  [{ version: 4, lineage: "x", resources: [] }, "a state file"],
  [{ format_version: "1.0", values: {} }, "a state"],
])("%j is named, with the command that prints a plan", (json, name) => {
  expect(() => readPlan("dev", json)).toThrow(
    `cannot read the plan of dev: it is ${name}, not a plan: save a plan with \`terraform plan -out=<file>\``,
  );
});
