import type { RolePattern, TrustTest } from "../config/input";
import type { Config, Environment, Role } from "../config/resolved";
import { describeRef, refOf } from "../trust/circleci";
import { isTrusted, jobClaims } from "./jobs";

/** The result of one trust test. */
export interface TrustTestResult {
  readonly name: string;
  /** How the roles differ from what the test expects. Empty if it passed. */
  readonly failures: readonly string[];
}

/** Runs the `trustTests` of config.ts: evaluates the trust policy of every role for the tokens of each test's job. */
export function runTrustTests(config: Config): TrustTestResult[] {
  return config.trustTests.map((test) => ({
    name: test.name ?? generatedName(test),
    failures: config.environments.flatMap((environment) =>
      environment.roles.flatMap((role) => failuresOf(test, environment, role)),
    ),
  }));
}

function failuresOf(test: TrustTest, environment: Environment, role: Role): string[] {
  const path = `${environment.name}/${role.name}`;
  const matches = (patterns: readonly RolePattern[]) =>
    patterns.some((pattern) => pattern === path || pattern === `${environment.name}/*`);
  const mustTrust = matches(test.admitted);
  const mustRefuse = test.refused === undefined ? !mustTrust : matches(test.refused);
  const tokens = jobClaims(environment, { ...test.job, ref: refOf(test.job) });
  const [first, ...others] = tokens.map((claims) => isTrusted(environment, role.trust, claims));
  if (mustTrust && !first) {
    const only = others.includes(true) ? ", except its V1 token, which does not contain the ref" : "";
    return [`${path} does not trust it${only}`];
  }
  return mustRefuse && [first, ...others].includes(true) ? [`${path} trusts it`] : [];
}

/** The default name of a test, generated from its job and roles. */
function generatedName({ job, admitted, refused }: TrustTest): string {
  const { project, repository, user, audience } = job;
  const ref = refOf(job);
  return [
    ref === undefined
      ? `a V1 token of project ${project}`
      : `${describeRef(ref)} of ${repository}, project ${project},`,
    ...(user === undefined ? [] : [`started by ${user}`]),
    ...(audience === undefined ? [] : [`for audience ${audience}`]),
    `can assume ${admitted.join(", ") || "no role"}`,
    ...(refused === undefined ? ["and no other"] : [`and not ${refused.join(", ")}`]),
  ].join(" ");
}
