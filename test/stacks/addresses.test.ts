// @cases 1000
import * as fc from "fast-check";
import type { ConfigInput } from "../../keyless/config/input";
import { INLINE_POLICY_NAME, ROLE_NAME, terraformName } from "../../keyless/config/names";
import { isReservedName } from "../../keyless/config/schema";
import { having, project } from "../config/configuration";
import example from "../example/config";
import { configurableRefName } from "../trust/ref-names";
import { addresses, blocks, synthesize } from "./synthesis";

// The addresses are a contract: Terraform replaces a resource whose address changes.
test("the example has these addresses", () => {
  const roles = ["circleci-access-apply", "circleci-access-plan", "circleci-read-only", "circleci-site-publisher"];
  const environment = [
    "aws_iam_openid_connect_provider.circleci",
    "aws_iam_policy.boundary",
    ...roles.map((role) => `aws_iam_role.${role}`),
    ...roles.map((role) => `aws_iam_role_policies_exclusive.${role}`),
    ...roles.filter((role) => role !== "circleci-read-only").map((role) => `aws_iam_role_policy.${role}`),
    "aws_iam_role_policy_attachment.circleci-read-only",
    ...roles.map((role) => `aws_iam_role_policy_attachments_exclusive.${role}`),
    ...roles.map((role) => `data.aws_iam_policy_document.${role}`),
  ];
  const backend = [
    "aws_dynamodb_table.lock",
    "aws_s3_bucket.state",
    "aws_s3_bucket_lifecycle_configuration.old_versions",
    "aws_s3_bucket_ownership_controls.ownership",
    "aws_s3_bucket_policy.tls_only",
    "aws_s3_bucket_public_access_block.public_access",
    "aws_s3_bucket_server_side_encryption_configuration.encryption",
    "aws_s3_bucket_versioning.versioning",
  ];
  const stacks = synthesize(example);
  expect(Object.keys(stacks)).toEqual(["dev", "prod", "dev-state", "prod-state"]);
  expect(addresses(stacks.dev)).toEqual(environment);
  expect(addresses(stacks.prod)).toEqual(environment);
  expect(addresses(stacks["dev-state"])).toEqual(backend);
  expect(addresses(stacks["prod-state"])).toEqual(backend);
});

type Roles = ConfigInput["environments"][string]["roles"];

const trust = fc.uniqueArray(
  fc.oneof(fc.constantFrom("main", "develop", "release/*", "v1"), configurableRefName).map((branch) => ({
    project,
    repository: "github.com/acme/site",
    branches: [branch],
  })),
  // More rules could exceed the quota for the size of a trust policy.
  { minLength: 1, maxLength: 4, selector: ({ branches }) => branches[0] },
);
const managed = fc
  .uniqueArray(
    fc.constantFrom(
      "aws:policy/A",
      "aws:policy/B",
      "aws:policy/service-role/A",
      "123456789012:policy/A",
      "123456789012:policy/x/A",
    ),
  )
  .map((policies) => policies.map((policy) => `arn:aws:iam::${policy}`));
/** Names that the configuration accepts as a key. */
const nameOf = (form: RegExp) => fc.stringMatching(form).filter((name) => !isReservedName(name));
const inline = fc.dictionary(
  fc.oneof(fc.constantFrom("a", "b", "c.d", "c+d"), nameOf(INLINE_POLICY_NAME)),
  fc
    .constantFrom("s3:*", "sqs:SendMessage")
    .map((Action) => ({ Statement: { Effect: "Allow" as const, Action, Resource: "*" } })),
);
const role = fc.record({ trust, managedPolicyArns: managed, inlinePolicies: inline });
const roleName = nameOf(ROLE_NAME);
const roles: fc.Arbitrary<Roles> = fc
  .uniqueArray(fc.tuple(roleName, role), { maxLength: 5, selector: ([name]) => terraformName(name).toLowerCase() })
  .map((entries) => Object.fromEntries(entries));

function dev(roles: Roles) {
  return synthesize(having(["environments.dev.roles", roles]), "dev").dev;
}

function permuted<T>(values: readonly T[]): fc.Arbitrary<T[]> {
  return fc.shuffledSubarray([...values], { minLength: values.length });
}

describe("for any roles", () => {
  test("adding a role changes only its own resources", () => {
    fc.assert(
      fc.property(roles, roleName, role, (before, name, added) => {
        fc.pre(
          !Object.keys(before).some(
            (other) => terraformName(other).toLowerCase() === terraformName(name).toLowerCase(),
          ),
        );
        const [one, other] = [blocks(dev(before)), blocks(dev({ ...before, [name]: added }))];
        for (const [address, block] of Object.entries(one)) expect(other[address]).toEqual(block);
        const own = Object.keys(other).filter((address) => one[address] === undefined);
        expect(own.map((address) => address.split(".").at(-1))).toEqual(own.map(() => terraformName(name)));
      }),
      { numRuns: 20 },
    );
  });

  test("every role has the expected number of resources", () => {
    fc.assert(
      fc.property(roles, (given) => {
        const expected = Object.values(given).map(
          ({ managedPolicyArns = [], inlinePolicies = {} }) =>
            4 + Math.min(1, managedPolicyArns.length) + Math.min(1, Object.keys(inlinePolicies).length),
        );
        expect(addresses(dev(given))).toHaveLength(1 + expected.reduce((sum, count) => sum + count, 0));
      }),
      { numRuns: 20 },
    );
  });

  test("the order of roles, rules and policies has no effect", () => {
    const shuffled = roles.chain((given) =>
      fc.tuple(
        fc.constant(given),
        permuted(Object.entries(given)).chain((entries) =>
          fc.tuple(
            ...entries.map(([name, { trust, managedPolicyArns = [], inlinePolicies = {} }]) =>
              fc
                .record({
                  trust: permuted(trust),
                  managedPolicyArns: permuted(managedPolicyArns),
                  inlinePolicies: permuted(Object.entries(inlinePolicies)).map((list) => Object.fromEntries(list)),
                })
                .map((same) => [name, same] as const),
            ),
          ),
        ),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([given, entries]) => {
        expect(dev(Object.fromEntries(entries))).toEqual(dev(given));
      }),
      { numRuns: 20 },
    );
  });

  test("removing a policy removes only its own key", () => {
    const withPolicies = role.filter(({ managedPolicyArns }) => managedPolicyArns.length > 1);
    fc.assert(
      fc.property(withPolicies, fc.nat(), (given, index) => {
        const left = given.managedPolicyArns.filter((_, at) => at !== index % given.managedPolicyArns.length);
        const keysOf = (managedPolicyArns: string[]) => {
          const attachments = dev({ one: { ...given, managedPolicyArns } })?.resource?.aws_iam_role_policy_attachment;
          return Object.entries(attachments?.one?.for_each as Record<string, string>);
        };
        const before = keysOf(given.managedPolicyArns);
        expect(before).toHaveLength(given.managedPolicyArns.length);
        expect(before).toEqual(expect.arrayContaining(keysOf(left)));
      }),
      { numRuns: 20 },
    );
  });
});

test("the outputs of an environment are the ARN of the provider and the ARNs of the roles by name", () => {
  const output = synthesize(example).dev?.output;
  expect(output?.oidc_provider_arn?.value).toBe("${aws_iam_openid_connect_provider.circleci.arn}");
  expect(output?.role_arns?.value).toMatchObject({ "circleci-read-only": "${aws_iam_role.circleci-read-only.arn}" });
});
