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
