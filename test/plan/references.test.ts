import { References } from "../../keyless/plan/references";
import { change, plan } from "../review/plans";

const role = (address: string) => change(address, null, { name: "deploy" });
const attachment = (address: string) => change(address, null, { policy_arn: "arn" });

/** The addresses that the attribute `role` of the last change refers to, and whether these are all. */
function resolveAll(changes: readonly unknown[], root_module: object) {
  const read = plan(changes, { configuration: { root_module } });
  const last = read.changes[read.changes.length - 1];
  if (last === undefined) throw new Error("there is no change");
  const { candidates, complete } = new References(read).resolve(last, "role");
  return { addresses: candidates.map(({ address }) => address), complete };
}

const resolve = (changes: readonly unknown[], root_module: object) => resolveAll(changes, root_module).addresses;
const isComplete = (changes: readonly unknown[], root_module: object) => resolveAll(changes, root_module).complete;

/** The configuration of an attachment whose role is computed from references. */
const resource = (references: readonly string[], more: object = {}) => ({
  address: "aws_iam_role_policy_attachment.a",
  expressions: { role: { references } },
  ...more,
});

test("an attribute refers to a resource of its module", () => {
  const changes = [role("aws_iam_role.r"), role("aws_iam_role.other"), attachment("aws_iam_role_policy_attachment.a")];
  const configuration = { resources: [resource(["aws_iam_role.r.name", "aws_iam_role.r"])] };
  expect(resolve(changes, configuration)).toEqual(["aws_iam_role.r"]);
});

test("an attribute refers to a data source", () => {
  const changes = [change("data.aws_iam_role.r", null, {}), attachment("aws_iam_role_policy_attachment.a")];
  expect(resolve(changes, { resources: [resource(["data.aws_iam_role.r.name"])] })).toEqual(["data.aws_iam_role.r"]);
});

test("a literal attribute refers to nothing", () => {
  const literal = { address: "aws_iam_role_policy_attachment.a", expressions: { role: { constant_value: "deploy" } } };
  const changes = [role("aws_iam_role.r"), attachment("aws_iam_role_policy_attachment.a")];
  expect(resolve(changes, { resources: [literal] })).toEqual([]);
});

describe("resources with several instances", () => {
  const roles = [role('aws_iam_role.r["a"]'), role('aws_iam_role.r["b"]')];

  test("an index selects the instance", () => {
    const changes = [...roles, attachment("aws_iam_role_policy_attachment.a")];
    const configuration = {
      resources: [resource(['aws_iam_role.r["b"].name', 'aws_iam_role.r["b"]', "aws_iam_role.r"])],
    };
    expect(resolve(changes, configuration)).toEqual(['aws_iam_role.r["b"]']);
  });

  test("a key that is computed selects any instance: the one with the same key is returned first", () => {
    const changes = [...roles, attachment('aws_iam_role_policy_attachment.a["b"]')];
    const configuration = { resources: [resource(["aws_iam_role.r", "each.key"])] };
    expect(resolveAll(changes, configuration)).toEqual({
      addresses: ['aws_iam_role.r["b"]', 'aws_iam_role.r["a"]'],
      complete: true,
    });
  });

  test("a key with dots, brackets and quotes selects its instance", () => {
    const key = JSON.stringify('x.y["z"]');
    const changes = [role(`aws_iam_role.r[${key}]`), ...roles, attachment("aws_iam_role_policy_attachment.a")];
    const references = [`aws_iam_role.r[${key}].name`, `aws_iam_role.r[${key}]`, "aws_iam_role.r"];
    expect(resolve(changes, { resources: [resource(references)] })).toEqual([`aws_iam_role.r[${key}]`]);
  });

  test("an instance that is not planned is not followed", () => {
    const changes = [...roles, attachment("aws_iam_role_policy_attachment.a")];
    const references = ['aws_iam_role.r["c"].name', 'aws_iam_role.r["c"]', "aws_iam_role.r"];
    expect(resolveAll(changes, { resources: [resource(references)] })).toEqual({ addresses: [], complete: false });
  });

  test("a deposed object is not meant", () => {
    const deposed = change('aws_iam_role.r["a"]', { name: "deploy" }, null, { deposed: "12345678" });
    const changes = [deposed, ...roles, attachment("aws_iam_role_policy_attachment.a")];
    expect(resolve(changes, { resources: [resource(["aws_iam_role.r"])] })).toHaveLength(2);
  });

  test("each.value refers to the resources of for_each", () => {
    const changes = [...roles, attachment('aws_iam_role_policy_attachment.a["a"]')];
    const for_each_expression = { references: ["aws_iam_role.r"] };
    const configuration = { resources: [resource(["each.value.name", "each.value"], { for_each_expression })] };
    expect(resolve(changes, configuration)).toEqual(['aws_iam_role.r["a"]', 'aws_iam_role.r["b"]']);
  });

  test("all instances are returned if the configuration does not select one", () => {
    const changes = [...roles, attachment("aws_iam_role_policy_attachment.a")];
    expect(resolve(changes, { resources: [resource(["aws_iam_role.r"])] })).toHaveLength(2);
  });
});

describe("modules", () => {
  const call = (module: object, expressions: object = {}) => ({ module_calls: { m: { expressions, module } } });

  test("an attribute refers to a resource outside through a variable", () => {
    const changes = [role("aws_iam_role.r"), attachment("module.m.aws_iam_role_policy_attachment.a")];
    const configuration = call(
      { resources: [resource(["var.role"])] },
      { role: { references: ["aws_iam_role.r.name"] } },
    );
    expect(resolve(changes, configuration)).toEqual(["aws_iam_role.r"]);
  });

  const outputs = { role: { expression: { references: ["aws_iam_role.r.name"] } } };

  test("an attribute refers to a resource in a module through an output", () => {
    const changes = [role("module.m.aws_iam_role.r"), attachment("aws_iam_role_policy_attachment.a")];
    const configuration = { resources: [resource(["module.m.role", "module.m"])], ...call({ outputs }) };
    expect(resolve(changes, configuration)).toEqual(["module.m.aws_iam_role.r"]);
  });

  test("an index selects the instance of a module", () => {
    const roles = ["x", "y"].map((key) => role(`module.m["${key}"].aws_iam_role.r`));
    const changes = [...roles, attachment("aws_iam_role_policy_attachment.a")];
    const configuration = { resources: [resource(['module.m["y"].role', 'module.m["y"]'])], ...call({ outputs }) };
    expect(resolve(changes, configuration)).toEqual(['module.m["y"].aws_iam_role.r']);
  });

  test("a module without a named output leads to all outputs", () => {
    const both = { ...outputs, other: { expression: { references: ["aws_iam_role.s.name"] } } };
    const changes = ["r", "s"].map((name) => role(`module.m["x"].aws_iam_role.${name}`));
    const configuration = { resources: [resource(["module.m", "each.key"])], ...call({ outputs: both }) };
    expect(resolve([...changes, attachment("aws_iam_role_policy_attachment.a")], configuration)).toEqual([
      'module.m["x"].aws_iam_role.r',
      'module.m["x"].aws_iam_role.s',
    ]);
  });

  test("a module without resources passes its variable through", () => {
    const passed = { role: { expression: { references: ["var.role"] } } };
    const changes = [role("aws_iam_role.r"), attachment("aws_iam_role_policy_attachment.a")];
    const configuration = {
      resources: [resource(["module.m.role", "module.m"])],
      ...call({ outputs: passed }, { role: { references: ["aws_iam_role.r.name"] } }),
    };
    expect(resolveAll(changes, configuration)).toEqual({ addresses: ["aws_iam_role.r"], complete: true });
  });

  test("each.value in the arguments of a call refers to the for_each of the call", () => {
    const m = {
      expressions: { role: { references: ["each.value.name", "each.value"] } },
      for_each_expression: { references: ["aws_iam_role.r"] },
      module: { resources: [resource(["var.role"])] },
    };
    const changes = [role('aws_iam_role.r["x"]'), attachment('module.m["x"].aws_iam_role_policy_attachment.a')];
    expect(resolve(changes, { module_calls: { m } })).toEqual(['aws_iam_role.r["x"]']);
  });

  test("a default of a variable is a constant", () => {
    const changes = [attachment("module.m.aws_iam_role_policy_attachment.a")];
    expect(resolveAll(changes, call({ resources: [resource(["var.role"])] }))).toEqual({
      addresses: [],
      complete: true,
    });
  });

  test("outputs and variables that refer to each other end", () => {
    const circle = { role: { expression: { references: ["var.role"] } } };
    const changes = [role("aws_iam_role.r"), attachment("module.m.aws_iam_role_policy_attachment.a")];
    const configuration = call(
      { outputs: circle, resources: [resource(["var.role"])] },
      { role: { references: ["module.m.role", "module.m", "aws_iam_role.r.name"] } },
    );
    expect(resolve(changes, configuration)).toEqual(["aws_iam_role.r"]);
  });

  test("names of properties of JavaScript objects are names like others", () => {
    const changes = [role("module.constructor.aws_iam_role.r"), attachment("aws_iam_role_policy_attachment.a")];
    const module_calls = { constructor: { module: { outputs: { ["__proto__"]: outputs.role } } } };
    const configuration = { resources: [resource(["module.constructor.__proto__"])], module_calls };
    expect(resolve(changes, configuration)).toEqual(["module.constructor.aws_iam_role.r"]);
  });

  test("references that fan out at every level are followed in linear time", () => {
    const nested = (depth: number): object => ({
      outputs: {
        role: { expression: { references: depth === 0 ? ["aws_iam_role.r"] : ["module.a.role", "module.b.role"] } },
      },
      ...(depth === 0 ? {} : { module_calls: { a: { module: nested(depth - 1) }, b: { module: nested(0) } } }),
    });
    const changes = [role("aws_iam_role.r"), attachment("aws_iam_role_policy_attachment.a")];
    const configuration = { resources: [resource(["module.a.role"])], module_calls: { a: { module: nested(200) } } };
    expect(isComplete(changes, configuration)).toBe(false);
  });

  test("a resource of the same name in another module is not meant", () => {
    const changes = [
      role("module.m.aws_iam_role.r"),
      role("aws_iam_role.r"),
      attachment("aws_iam_role_policy_attachment.a"),
    ];
    expect(resolve(changes, { resources: [resource(["aws_iam_role.r"])] })).toEqual(["aws_iam_role.r"]);
  });
});

describe("a reference of several", () => {
  const roles = [role("aws_iam_role.r"), role("aws_iam_role.s")];
  const changes = [...roles, attachment("aws_iam_role_policy_attachment.a")];
  const one = ["aws_iam_role.r.name", "aws_iam_role.r"];

  test("can be the result of a condition: all are returned", () => {
    const references = ["var.admin", ...one, "aws_iam_role.s.name", "aws_iam_role.s"];
    expect(resolveAll(changes, { resources: [resource(references)] })).toEqual({
      addresses: ["aws_iam_role.r", "aws_iam_role.s"],
      complete: true,
    });
  });

  test("to a resource of another type is returned too", () => {
    const assembled = [change("terraform_data.t", null, { output: null }), ...changes];
    const references = [...one, "terraform_data.t.output", "terraform_data.t"];
    expect(resolve(assembled, { resources: [resource(references)] })).toEqual(["aws_iam_role.r", "terraform_data.t"]);
  });

  test.each([
    ["a local value", "local.role"],
    ["a resource that is not planned", "aws_iam_role.missing.name"],
    ["a data source that was read while planning", "data.aws_iam_role.r.name"],
    ["each.value without for_each", "each.value"],
    ["a module that is not in the configuration", "module.m.role"],
    ["an ephemeral resource", "ephemeral.random_password.p.result"],
  ])("to %s makes the result incomplete", (_name, reference) => {
    expect(resolveAll(changes, { resources: [resource([...one, reference])] })).toEqual({
      addresses: ["aws_iam_role.r"],
      complete: false,
    });
  });

  test.each(["each.key", "count.index", "path.module", "terraform.workspace", "var.name"])(
    "to the constant %s is complete",
    (reference) => {
      expect(isComplete(changes, { resources: [resource([...one, reference])] })).toBe(true);
    },
  );
});

describe("an attribute is incomplete", () => {
  const changes = [role("aws_iam_role.r"), attachment("aws_iam_role_policy_attachment.a")];
  const address = "aws_iam_role_policy_attachment.a";

  test.each<[string, object]>([
    ["if it is not in the configuration, or in a dynamic block", { address, expressions: {} }],
    ["if the resource is not in the configuration", { address: "aws_iam_role_policy_attachment.b" }],
    ["if it is a function without references", { address, expressions: { role: {} } }],
  ])("%s", (_name, configured) => {
    expect(resolveAll(changes, { resources: [configured] })).toEqual({ addresses: [], complete: false });
  });

  test("unless it is a constant", () => {
    const literal = { address, expressions: { role: { constant_value: "deploy" } } };
    expect(resolveAll(changes, { resources: [literal] })).toEqual({ addresses: [], complete: true });
  });
});

test("the references in blocks are followed", () => {
  const blocks = [{ name: { constant_value: "x" }, policy: { references: ["aws_iam_role.r"] } }];
  const configured = { address: "aws_iam_role_policy_attachment.a", expressions: { role: blocks } };
  const changes = [role("aws_iam_role.r"), attachment("aws_iam_role_policy_attachment.a")];
  expect(resolveAll(changes, { resources: [configured] })).toEqual({ addresses: ["aws_iam_role.r"], complete: true });
});

test("the configuration sets an attribute or leaves it to the provider", () => {
  const read = plan([role("aws_iam_role.r")], {
    configuration: { root_module: { resources: [{ address: "aws_iam_role.r", expressions: { name: {} } }] } },
  });
  const references = new References(read);
  const [only] = read.changes;
  expect(only && ["name", "inline_policy"].map((attribute) => references.sets(only, attribute))).toEqual([true, false]);
});

test("the configuration of a called module can be absent", () => {
  const configuration = { root_module: { module_calls: { m: {} } } };
  expect(plan([], { configuration }).configuration.calls.get("m")?.module.resources.size).toBe(0);
});
