import { type ConfigInput, defineConfig } from "../../keyless/config/define";

const organization = "11111111-2222-4333-8444-555555555555";
const project = "66666666-7777-4888-9999-000000000000";
const statement = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };

interface Parts {
  readonly roleName?: string;
  readonly role?: object;
  readonly environment?: string;
  readonly top?: object;
  readonly circleci?: object;
  readonly state?: object;
}

/** A configuration with one role and with changes. */
function configuration({ roleName = "reader", role = {}, environment = "dev", ...parts }: Parts): ConfigInput {
  const { top = {}, circleci = {}, state = {} } = parts;
  const roles = { [roleName]: "trust" in role ? role : { trust: [{ project, refs: "any" }], ...role } };
  const location = { bucket: "acme-dev-tfstate", lockTable: "lock", ...state };
  return {
    circleci: { organizationId: organization, ...circleci },
    environments: { [environment]: { accountId: "123456789012", region: "us-east-1", state: location, roles } },
    ...top,
  } as unknown as ConfigInput;
}

const trust = (rule: object) => ({ role: { trust: [{ project, ...rule }] } });
const onRepository = (repository: string, branch = "main") => trust({ repository, branches: [branch] });
const inline = (...Statement: object[]) => ({ role: { inlinePolicies: { p: { Version: "2012-10-17", Statement } } } });

it("accepts the configurations on which the cases below are based", () => {
  expect(() => defineConfig(configuration({}))).not.toThrow();
  expect(() => defineConfig(configuration(onRepository("github.com/acme/site", "größe")))).not.toThrow();
  expect(() => defineConfig(configuration(inline(statement)))).not.toThrow();
});

describe("refuses a configuration that is more permissive than it looks, or that AWS would reject:", () => {
  const anyProject = { trust: [{ project: "*", refs: "any" }] };

  it.each<[name: string, input: Parts, message: string]>([
    ...["__proto__", "constructor", "prototype"].map((name): [string, Parts, string] => [
      `a role named ${name}`,
      { roleName: name, role: anyProject },
      "plain object",
    ]),
    ["an environment named constructor", { environment: "constructor", role: anyProject }, "plain object"],
    ["a policy named __proto__", { role: { inlinePolicies: JSON.parse('{"__proto__": {}}') } }, "plain object"],
    ["a role that inherits its boundary", { role: Object.create(anyProject) }, "plain object"],
    ["a tag named constructor", { role: { tags: { constructor: "x" } } }, "plain object"],
    ["an audience with an IAM variable", { circleci: { audiences: ["${aws:userid}"] } }, "variable"],
    ["an audience with a Terraform variable", { circleci: { audiences: ["&{aws:userid}"] } }, "variable"],
    ["an audience in another alphabet", { circleci: { audiences: ["ключ"] } }, "Latin-1"],
    ["a branch in another alphabet", onRepository("github.com/acme/site", "ветка"), "Latin-1"],
    ["a subject in another alphabet", { role: { trust: [{ subject: "org/ж" }] } }, "Latin-1"],
    ["a repository that contains vcs-ref", onRepository("gitlab.com/a/b/vcs-ref/refs"), "not a repository"],
    ["a policy in another alphabet", inline({ ...statement, Resource: "arn:aws:s3:::ж/*" }), "Latin-1"],
    ["two statements with the same Sid", inline({ ...statement, Sid: "A" }, { ...statement, Sid: "A" }), "same Sid"],
    ["an unknown condition operator", inline({ ...statement, Condition: { StringMatches: { k: "x" } } }), "operator"],
    [
      "a condition without a value",
      inline({ ...statement, Condition: { StringEquals: { k: [] } } }),
      "must not be empty",
    ],
    ["a policy ARN with a wildcard", { role: { managedPolicyArns: [`${policyArn("*")}`] } }, "managed policy"],
    ["a policy ARN with a variable", { role: { managedPolicyArns: [`${policyArn("${a}")}`] } }, "managed policy"],
    ["tags that differ only in case", { top: { tags: { Team: "a" } }, role: { tags: { team: "b" } } }, "only in case"],
    ["a state key with a parent folder", { state: { keyPrefix: "a/../" } }, "not a key prefix"],
  ])("%s", (_, input, message) => {
    expect(() => defineConfig(configuration(input))).toThrow(message);
  });
});

function policyArn(path: string): string {
  return `arn:aws:iam::123456789012:policy/${path}/deploy`;
}
