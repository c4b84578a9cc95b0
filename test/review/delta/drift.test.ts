import { driftOf } from "../../../keyless/review/delta/drift";
import { change, plan, policy, role } from "../plans";

const READ = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const trust = policy();

/** The drift of a plan whose resources attach policies to the role `deploy`, as attributes before and after. */
function drift(drifted: unknown, changes: readonly unknown[] = []) {
  return driftOf(plan(changes, { resource_drift: [drifted] })).map(({ before, after }) => [before, after]);
}

const attachment = { role: "deploy", policy_arn: READ };
const inline = { role: "deploy", name: "publish", policy: policy() };
const ofPlan = [
  change("aws_iam_role_policy_attachment.a", attachment, attachment),
  change("aws_iam_role_policy.p", inline, inline),
];
const withPolicies = (managed_policy_arns: readonly string[], names: readonly string[]) =>
  role("deploy", trust, { managed_policy_arns, inline_policy: names.map((name) => ({ name, policy: policy() })) });

test("policies that other resources of the plan attached are left out", () => {
  const drifted = change("aws_iam_role.r", withPolicies([], []), withPolicies([READ], ["publish"]));
  expect(drift(drifted, ofPlan)).toEqual([[withPolicies([], []), withPolicies([], [])]]);
});

test("policies that no resource of the plan attached are kept", () => {
  const after = withPolicies([READ, "arn:other"], ["publish", "other"]);
  const drifted = change("aws_iam_role.r", withPolicies([], []), after);
  expect(drift(drifted, ofPlan)).toEqual([[withPolicies([], []), withPolicies(["arn:other"], ["other"])]]);
  expect(drift(drifted)).toEqual([[withPolicies([], []), after]]);
});

test("a policy that the plan attaches to another role is kept", () => {
  const elsewhere = { ...attachment, role: "other" };
  const drifted = change("aws_iam_role.r", withPolicies([], []), withPolicies([READ], []));
  const changes = [change("aws_iam_role_policy_attachment.a", elsewhere, elsewhere)];
  expect(drift(drifted, changes)).toEqual([[withPolicies([], []), withPolicies([READ], [])]]);
});

test("a deleted role is drift", () => {
  expect(drift(change("aws_iam_role.r", role("deploy", trust), null), ofPlan)).toEqual([[role("deploy", trust), null]]);
});

test("other resources are unchanged, and data sources are left out", () => {
  const queue = change("aws_sqs_queue.q", { name: "a" }, { name: "b" });
  expect(drift(queue)).toEqual([[{ name: "a" }, { name: "b" }]]);
  expect(drift(change("data.aws_region.r", { name: "a" }, { name: "b" }))).toEqual([]);
});

describe("a policy that a resource of its own sets", () => {
  const topic = (text: string) => ({ id: "arn:t", arn: "arn:t", name: "t", policy: text, display_name: "" });
  const part = (arn: string) => {
    const attributes = { arn, policy: policy() };
    return change("aws_sns_topic_policy.p", attributes, attributes);
  };
  const drifted = change("aws_sns_topic.t", topic("old"), topic("new"));

  test("is no drift of the resource that has it", () => {
    const { policy: _, ...rest } = topic("");
    expect(drift(drifted, [part("arn:t")])).toEqual([[rest, rest]]);
  });

  test("is drift if it belongs to another resource, or is only planned, or the resource sets it too", () => {
    const planned = change("aws_sns_topic_policy.p", null, { arn: "arn:t", policy: policy() });
    for (const changes of [[], [part("arn:other")], [planned]])
      expect(drift(drifted, changes)).toEqual([[topic("old"), topic("new")]]);
    const expressions = { policy: { constant_value: "old" } };
    const configuration = { root_module: { resources: [{ address: "aws_sns_topic.t", expressions }] } };
    const found = driftOf(plan([part("arn:t")], { resource_drift: [drifted], configuration }));
    expect(found.map(({ after }) => after)).toEqual([topic("new")]);
  });
});
