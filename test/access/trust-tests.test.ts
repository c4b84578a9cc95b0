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
  test("passes when the job gets into exactly the roles that are named", () => {
    expect(failures({ job: main, admitted: ["dev/main", "dev/any"] })).toEqual([]);
    expect(failures({ job: main, admitted: ["dev/*"] })).toEqual([]);
    expect(failures({ job: { ...SITE, tag: "v2" }, admitted: ["dev/any", "prod/release"] })).toEqual([]);
  });

  test("fails for a role that refuses a job that it must let in", () => {
    expect(failures({ job: { ...SITE, branch: "main2" }, admitted: ["dev/*"] })).toEqual(["dev/main refuses it"]);
  });

  test("fails for every role that lets a job in without being named", () => {
    expect(failures({ job: main, admitted: [] })).toEqual(["dev/main lets it in", "dev/any lets it in"]);
  });

  test("looks only at the roles of `refused` when it is given", () => {
    expect(failures({ job: main, admitted: [], refused: ["prod/*"] })).toEqual([]);
    expect(failures({ job: main, admitted: ["dev/main"], refused: ["dev/any"] })).toEqual(["dev/any lets it in"]);
  });

  test("tries both of the job's tokens where the job must be refused", () => {
    const job = { ...SITE, branch: "feature", user: USER };
    expect(failures({ job, admitted: ["dev/any"] })).toEqual(["prod/v1 lets it in"]);
  });

  test("wants the V2 token let in, which is the one that tools send", () => {
    const job = { ...SITE, branch: "feature", user: USER };
    expect(failures({ job, admitted: ["dev/any", "prod/v1"] })).toEqual([
      "prod/v1 refuses it, but for its V1 token, which says nothing of the ref",
    ]);
    expect(failures({ job: { project: PROJECT, user: USER }, admitted: ["dev/any", "prod/v1"] })).toEqual([]);
  });

  test("takes the audience into account", () => {
    expect(failures({ job: { ...main, audience: "sts.amazonaws.com" }, admitted: [] })).toEqual([]);
  });

  test("has a name of its own, or one that says what it tests", () => {
    const tests: TrustTest[] = [
      { name: "own", job: main, admitted: [] },
      { job: main, admitted: [], refused: ["prod/*"] },
    ];
    expect(runTrustTests(configOf(environments, tests)).map(({ name }) => name)).toEqual([
      "own",
      `branch main of github.com/acme/site, project ${PROJECT}, gets into no role and not into prod/*`,
    ]);
  });
});

describe("a trust test that cannot be run is refused:", () => {
  function problems(...tests: unknown[]): string[] {
    try {
      configOf(environments, tests as TrustTest[]);
      return [];
    } catch (error) {
      return (error as ConfigError).problems.map(({ path, message }) => `${path.join(".")}: ${message.slice(0, 40)}`);
    }
  }

  test.each([
    ["an unknown role", { job: main, admitted: ["dev/mian"] }, "trustTests.0.admitted.0: names no role"],
    [
      "an unknown environment",
      { job: main, admitted: [], refused: ["production/*"] },
      "trustTests.0.refused.0: names no role",
    ],
    ["a role without its environment", { job: main, admitted: ["main"] }, "trustTests.0.admitted.0: names no role"],
    [
      "a role in both lists",
      { job: main, admitted: ["dev/main"], refused: ["dev/main"] },
      "trustTests.0.refused.0: must both trust",
    ],
    ["branch and tag at once", { job: { ...main, tag: "v1" }, admitted: [] }, "trustTests.0.job: needs a repository"],
    ["a repository without a ref", { job: SITE, admitted: [] }, "trustTests.0.job: needs a repository"],
    [
      "a branch without a repository",
      { job: { project: PROJECT, branch: "main" }, admitted: [] },
      "trustTests.0.job: needs a",
    ],
    [
      "a pattern for a branch",
      { job: { ...SITE, branch: "release/*" }, admitted: [] },
      "trustTests.0.job.branch: is not",
    ],
    [
      "a project that is no id",
      { job: { ...main, project: "site" }, admitted: [] },
      "trustTests.0.job.project: is not",
    ],
    ["no list of roles", { job: main }, "trustTests.0.admitted: "],
    ["an unknown field", { job: main, admitted: [], denied: [] }, "trustTests.0.denied: is not a field"],
  ])("%s", (_what, test, problem) => {
    expect(problems(test)).toEqual([expect.stringContaining(problem)]);
  });

  test("one malformed test hides no problem of the roles", () => {
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
