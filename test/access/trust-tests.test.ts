import { runTrustTests } from "../../keyless/access/trust-tests";
import { ConfigError, type TrustTest } from "../../keyless/config/define";
import { configOf, ORGANIZATION, PROJECT, SITE, USER } from "./configurations";

const environments = {
  dev: {
    main: { trust: [{ ...SITE, branches: ["main"] }] },
    any: { trust: [{ project: PROJECT, refs: "any" as const }] },
  },
  prod: {
    v1: { trust: [{ subject: `org/${ORGANIZATION}/project/${PROJECT}/user/${USER}` }] },
    release: { trust: [{ ...SITE, tags: ["v*"] }] },
  },
};
const main: TrustTest["job"] = { ...SITE, branch: "main" };

function failures(test: TrustTest): readonly string[] | undefined {
  return runTrustTests(configOf(environments, [test]))[0]?.failures;
}

describe("a trust test", () => {
  test("passes if exactly the named roles trust the job", () => {
    expect(failures({ job: main, admitted: ["dev/main", "dev/any"] })).toEqual([]);
    expect(failures({ job: main, admitted: ["dev/*"] })).toEqual([]);
    expect(failures({ job: { ...SITE, tag: "v2" }, admitted: ["dev/any", "prod/release"] })).toEqual([]);
  });

  test("fails for a role that must trust the job and does not", () => {
    expect(failures({ job: { ...SITE, branch: "main2" }, admitted: ["dev/*"] })).toEqual([
      "dev/main does not trust it",
    ]);
  });

  test("fails for each role that trusts the job and is not named", () => {
    expect(failures({ job: main, admitted: [] })).toEqual(["dev/main trusts it", "dev/any trusts it"]);
  });

  test("with `refused`, checks only the named roles", () => {
    expect(failures({ job: main, admitted: [], refused: ["prod/*"] })).toEqual([]);
    expect(failures({ job: main, admitted: ["dev/main"], refused: ["dev/any"] })).toEqual(["dev/any trusts it"]);
  });

  test("checks both tokens of a job that must be refused", () => {
    const job = { ...SITE, branch: "feature", user: USER };
    expect(failures({ job, admitted: ["dev/any"] })).toEqual(["prod/v1 trusts it"]);
  });

  test("requires the V2 token to be trusted, which tools send", () => {
    const job = { ...SITE, branch: "feature", user: USER };
    expect(failures({ job, admitted: ["dev/any", "prod/v1"] })).toEqual([
      "prod/v1 does not trust it, except its V1 token, which does not contain the ref",
    ]);
    expect(failures({ job: { project: PROJECT, user: USER }, admitted: ["dev/any", "prod/v1"] })).toEqual([]);
  });

  test("uses the audience of the job", () => {
    expect(failures({ job: { ...main, audience: "sts.amazonaws.com" }, admitted: [] })).toEqual([]);
  });

  test("has the configured name, or one generated from its job", () => {
    const tests: TrustTest[] = [
      { name: "own", job: main, admitted: [] },
      { job: main, admitted: [], refused: ["prod/*"] },
    ];
    expect(runTrustTests(configOf(environments, tests)).map(({ name }) => name)).toEqual([
      "own",
      `branch main of github.com/acme/site, project ${PROJECT}, can assume no role and not prod/*`,
    ]);
  });
});

describe("an invalid trust test is a configuration error:", () => {
  function problems(...tests: unknown[]): string[] {
    try {
      configOf(environments, tests as TrustTest[]);
      return [];
    } catch (error) {
      return (error as ConfigError).problems.map(({ path, message }) => `${path.join(".")}: ${message.slice(0, 40)}`);
    }
  }

  test.each([
    ["an unknown role", { job: main, admitted: ["dev/mian"] }, "trustTests.0.admitted.0: is not a role"],
    [
      "an unknown environment",
      { job: main, admitted: [], refused: ["production/*"] },
      "trustTests.0.refused.0: is not a role",
    ],
    ["a role without its environment", { job: main, admitted: ["main"] }, "trustTests.0.admitted.0: is not a role"],
    [
      "a role in both lists",
      { job: main, admitted: ["dev/main"], refused: ["dev/main"] },
      "trustTests.0.refused.0: must both trust",
    ],
    [
      "branch and tag at once",
      { job: { ...main, tag: "v1" }, admitted: [] },
      "trustTests.0.job: must have a repository",
    ],
    ["a repository without a ref", { job: SITE, admitted: [] }, "trustTests.0.job: must have a repository"],
    [
      "a branch without a repository",
      { job: { project: PROJECT, branch: "main" }, admitted: [] },
      "trustTests.0.job: must have a repository",
    ],
    [
      "a pattern for a branch",
      { job: { ...SITE, branch: "release/*" }, admitted: [] },
      "trustTests.0.job.branch: is not",
    ],
    ["an invalid project id", { job: { ...main, project: "site" }, admitted: [] }, "trustTests.0.job.project: is not"],
    ["no list of roles", { job: main }, "trustTests.0.admitted: "],
    ["an unknown field", { job: main, admitted: [], denied: [] }, "trustTests.0.denied: is not a field"],
  ])("%s", (_what, test, problem) => {
    expect(problems(test)).toEqual([expect.stringContaining(problem)]);
  });

  test("a malformed test does not hide problems of the roles", () => {
    const broken = {
      dev: {
        main: {
          trust: [{ ...SITE, branches: ["main"] }],
          managedPolicyArns: Array(2).fill("arn:aws:iam::aws:policy/a"),
        },
      },
    };
    const run = () => configOf(broken, [{ job: main } as TrustTest]);
    expect(run).toThrow(ConfigError);
    expect(run).toThrow(/trustTests\[0\]\.admitted/);
    expect(run).toThrow(/is listed twice/);
  });
});
