import { defineConfig } from "../../keyless/config/define";
import { policySize } from "../../keyless/policy/document";
import { trustPolicy } from "../../keyless/trust/policy";
import { account, devOf, having, project, refusal } from "./configuration";

const role = "environments.dev.roles.reader";
const many = <T>(count: number, make: (index: number) => T) => Array.from({ length: count }, (_, index) => make(index));
const tags = (count: number) => Object.fromEntries(many(count, (index) => [`Tag${index}`, "x"]));
const policies = (count: number) => many(count, (index) => `arn:aws:iam::${account}:policy/p${index}`);
const roles = (count: number) =>
  Object.fromEntries(many(count, (index) => [`role${index}`, { trust: [{ project, refs: "any" }] }]));

/** Rules that result in a trust policy of the given number of characters. */
function trustOfSize(size: number) {
  const rules = (lengths: readonly number[]) => [
    {
      project,
      repository: "github.com/acme/site",
      branches: lengths.map((length, index) => `${index}${"x".repeat(length)}`),
    },
  ];
  const sizeOf = (lengths: readonly number[]) => {
    const { circleci, oidcProvider } = devOf();
    return policySize(trustPolicy({ ...circleci, providerArn: oidcProvider.arn, rules: rules(lengths) }));
  };
  const short = many(Math.floor(size / 300), () => 0);
  const missing = size - sizeOf(short);
  return rules(short.map((_, index) => Math.floor((missing + index) / short.length)));
}

/** An inline policy of the given number of characters. */
function policyOfSize(size: number) {
  const document = (sid: string) => ({ Statement: [{ Sid: sid, Effect: "Allow", Action: "s3:*", Resource: "*" }] });
  return document("x".repeat(size - JSON.stringify(document("")).length));
}

/** The largest accepted value, one that exceeds it, and the expected message. */
const quotas: readonly (readonly [what: string, path: string, most: unknown, tooMuch: unknown, expected: string])[] = [
  [
    "2,048 characters of trust policy",
    `${role}.trust`,
    trustOfSize(2048),
    trustOfSize(2049),
    "trust: results in a trust policy of 2,049 characters, white space not counted; the AWS quota is 2,048; AWS raises " +
      "it to up to 4,096 on request (then set environments.dev.quotas.trustPolicySize)",
  ],
  [
    "10,240 characters of inline policies",
    `${role}.inlinePolicies`,
    { a: policyOfSize(5120), b: policyOfSize(5120) },
    { a: policyOfSize(5120), b: () => policyOfSize(5121) },
    "inlinePolicies: have 10,241 characters in total, white space not counted; the AWS quota is 10,240 and cannot be raised",
  ],
  [
    "10 managed policies",
    `${role}.managedPolicyArns`,
    policies(10),
    policies(11),
    "managedPolicyArns: has 11 managed policies; the AWS quota is 10; AWS raises it to up to 20 on request (then set " +
      "environments.dev.quotas.managedPoliciesPerRole): remove some",
  ],
  [
    "100 audiences",
    "circleci.audiences",
    many(100, (index) => `a${index}`),
    many(101, (index) => `a${index}`),
    "circleci.audiences: has 101 audiences; the AWS quota is 100 and cannot be raised",
  ],
  [
    "5 thumbprints",
    "circleci.thumbprints",
    many(5, (index) => String(index).repeat(40)),
    many(6, (index) => String(index).repeat(40)),
    "circleci.thumbprints: has 6 thumbprints; the AWS quota is 5 and cannot be raised",
  ],
  ["50 tags", "tags", tags(50), tags(51), "tags: has 51 tags; the AWS quota is 50 and cannot be raised"],
  [
    "50 tags of a role, the configuration's included",
    `${role}.tags`,
    tags(49),
    tags(50),
    "roles.reader.tags: has 51 tags including those of the configuration; the AWS quota is 50 and cannot be raised",
  ],
  [
    "1,000 roles in an account",
    "environments.dev.roles",
    roles(1000),
    roles(1001),
    "environments.dev.roles: has 1,001 roles in account 123456789012; the AWS quota is 1,000; AWS raises it to up to 5,000 on request",
  ],
  [
    "255 characters of issuer URL",
    "circleci.server",
    `${"x".repeat(202)}.com`,
    `${"x".repeat(203)}.com`,
    "up to 206 characters",
  ],
];

describe("AWS quotas, counted as AWS counts", () => {
  test.each(quotas)("%s are accepted, one more is not", (_, path, most, tooMuch, expected) => {
    const raised = [
      ["environments.dev.quotas.trustPolicySize", path === "circleci.audiences" ? 4096 : undefined],
    ] as const;
    expect(() => defineConfig(having([path, most], ...raised))).not.toThrow();
    const { problems, message } = refusal(having([path, tooMuch], ...raised));
    expect(problems).toHaveLength(1);
    expect(message).toContain(expected);
  });

  test.each([
    ["trustPolicySize", 4096, `${role}.trust`, trustOfSize(4096), trustOfSize(4097), "4,097 characters"],
    ["managedPoliciesPerRole", 20, `${role}.managedPolicyArns`, policies(20), policies(21), "21 managed policies"],
    ["rolesPerAccount", 1001, "environments.dev.roles", roles(1001), roles(1002), "1,002 roles"],
  ] as const)("%s can be raised, and the raised quota is enforced", (quota, raised, path, most, tooMuch, expected) => {
    const quotaOfDev = [`environments.dev.quotas.${quota}`, raised] as const;
    expect(() => defineConfig(having(quotaOfDev, [path, most]))).not.toThrow();
    expect(refusal(having(quotaOfDev, [path, tooMuch])).message).toContain(expected);
  });

  test("a quota at its maximum is not offered to be raised", () => {
    const { message } = refusal(
      having(["environments.dev.quotas.managedPoliciesPerRole", 20], [`${role}.managedPolicyArns`, policies(21)]),
    );
    expect(message).toContain("the AWS quota is 20, the maximum");
  });
});
