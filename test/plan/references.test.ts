import { References } from "../../keyless/plan/references";
import { change, plan } from "../review/plans";

const role = (address: string) => change(address, null, { name: "deploy" });
const attachment = (address: string) => change(address, null, { policy_arn: "arn" });

/** The addresses that the attribute `role` of the last change refers to. */
function resolve(changes: readonly unknown[], root_module: object): readonly string[] {
  const read = plan(changes, { configuration: { root_module } });
  const last = read.changes[read.changes.length - 1];
  if (last === undefined) throw new Error("there is no change");
  return new References(read).resolve(last, "role").map(({ address }) => address);
}

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

  test("each.key selects the instance with the same key", () => {
    const changes = [...roles, attachment('aws_iam_role_policy_attachment.a["b"]')];
    const configuration = { resources: [resource(["aws_iam_role.r", "each.key"])] };
    expect(resolve(changes, configuration)).toEqual(['aws_iam_role.r["b"]']);
  });

  test("each.value refers to the resources of for_each", () => {
    const changes = [...roles, attachment('aws_iam_role_policy_attachment.a["a"]')];
    const for_each_expression = { references: ["aws_iam_role.r"] };
    const configuration = { resources: [resource(["each.value.name", "each.value"], { for_each_expression })] };
    expect(resolve(changes, configuration)).toEqual(['aws_iam_role.r["a"]']);
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

  test("a resource of the same name in another module is not meant", () => {
    const changes = [
      role("module.m.aws_iam_role.r"),
      role("aws_iam_role.r"),
      attachment("aws_iam_role_policy_attachment.a"),
    ];
    expect(resolve(changes, { resources: [resource(["aws_iam_role.r"])] })).toEqual(["aws_iam_role.r"]);
  });
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
  expect(plan([], { configuration }).configuration.module_calls.m?.module.resources).toEqual([]);
});
