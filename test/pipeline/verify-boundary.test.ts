import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "../../keyless/config/define";
import { allowServices } from "../../keyless/permissions/boundary";
import { reviewPlans } from "../../keyless/pipeline/review-plans";
import { verifyPlan } from "../../keyless/pipeline/verify-plan";
import { toMarkdown } from "../../keyless/review/render/markdown";
import { account, having } from "../config/configuration";
import { ANY, change, planJson, policy, role, statement } from "../review/plans";

const config = defineConfig(having(["environments.dev.permissionsBoundary", allowServices(["s3"])]));
const arn = `arn:aws:iam::${account}:policy/circleci-boundary-dev`;
const trust = policy(statement(ANY));
const boundaryWith = (service: string, name = "circleci-boundary-dev") => ({
  name,
  arn,
  policy: policy({ Effect: "Allow", Action: `${service}:*`, Resource: "*" }),
});
const roleWith = (permissions_boundary: string | null, more = {}) =>
  change(
    "aws_iam_role.r",
    role("reader", trust, { permissions_boundary: arn }),
    role("reader", trust, { permissions_boundary, ...more }),
  );

let folder: string;
let cwd: string;

beforeEach(() => {
  cwd = process.cwd();
  folder = mkdtempSync(join(tmpdir(), "keyless-verify-"));
  process.chdir(folder);
});

afterEach(() => {
  process.chdir(cwd);
  rmSync(folder, { recursive: true });
});

/** Verifies a plan with these changes, which is also the reviewed one. Returns the error's message if it is refused. */
function verify(changes: readonly unknown[]): string | undefined {
  const [dev] = config.environments;
  if (dev === undefined) throw new Error("the configuration has no environment");
  const saved = join("cdktf.out", "stacks", "dev");
  mkdirSync(saved, { recursive: true });
  const json = planJson(changes);
  writeFileSync(join(saved, "plan"), "");
  writeFileSync(join(saved, "plan.json"), JSON.stringify(json));
  const terraform = join(folder, "terraform");
  writeFileSync(terraform, "#!/bin/sh\ncat plan.json\n");
  chmodSync(terraform, 0o755);
  try {
    verifyPlan(dev, json, { terraform, checkSources: () => {} });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function reviewOf(changes: readonly unknown[]): string {
  return toMarkdown(reviewPlans(config, ["dev"], { files: new Map([["dev", () => planJson(changes)]]), folder }, {}));
}

test.each([
  [
    "creates the policy of the boundary",
    [change("aws_iam_policy.boundary", null, boundaryWith("s3"))],
    "circleci-boundary-dev",
  ],
  [
    "changes the policy of the boundary",
    [change("aws_iam_policy.boundary", boundaryWith("s3"), boundaryWith("iam"))],
    "circleci-boundary-dev",
  ],
  [
    "deletes the policy of the boundary",
    [change("aws_iam_policy.boundary", boundaryWith("s3"), null)],
    "circleci-boundary-dev",
  ],
  [
    "changes it at another address",
    [change("aws_iam_policy.other", boundaryWith("s3"), boundaryWith("iam"))],
    "circleci-boundary-dev",
  ],
  ["removes the boundary of a role", [roleWith(null)], "reader"],
  ["sets another boundary of a role", [roleWith(`arn:aws:iam::aws:policy/AdministratorAccess`)], "reader"],
  [
    "sets a boundary of a role that is known after apply",
    [
      change("aws_iam_role.r", role("reader", trust, { permissions_boundary: arn }), role("reader", trust), {
        after_unknown: { permissions_boundary: true },
      }),
    ],
    "reader",
  ],
])("a plan that %s must be deployed by an administrator", (_, changes, name) => {
  expect(verify(changes)).toMatch(new RegExp(`the permissions boundary (of )?${name}, managed by administrators`));
  expect(reviewOf(changes)).toMatch(
    new RegExp(`the permissions boundary (of role )?\`${name}\` is managed by administrators`),
  );
});

test.each([
  ["changes a role and keeps its boundary", [roleWith(arn, { description: "another" })]],
  [
    "creates a role with a boundary",
    [change("aws_iam_role.r", null, role("reader", trust, { permissions_boundary: arn }))],
  ],
  [
    "deletes a role with a boundary",
    [change("aws_iam_role.r", role("reader", trust, { permissions_boundary: arn }), null)],
  ],
  ["does not change the boundary", [((same) => change("aws_iam_policy.boundary", same, same))(boundaryWith("s3"))]],
  ["changes another policy", [change("aws_iam_policy.p", boundaryWith("s3", "own"), boundaryWith("sqs", "own"))]],
])("a plan that %s can be deployed by the pipeline", (_, changes) => {
  expect(verify(changes)).toBeUndefined();
  expect(reviewOf(changes)).not.toContain("managed by administrators");
});
