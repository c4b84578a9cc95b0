import type { RolePattern, TestJob, TrustTest } from "../config/input";
import type { Config, Environment, Role } from "../config/resolved";
import { describeRef, refOf } from "../trust/circleci";
import { ANYBODY, letsIn, tokensOf } from "./jobs";

/** How one trust test came out. */
export interface TrustTestResult {
  readonly name: string;
  /** What is not as the test wants it; empty: passed. */
  readonly failures: readonly string[];
}

/** Decides every trust test of the configuration by the trust policies that it deploys, role by role. */
export function runTrustTests(config: Config): TrustTestResult[] {
  return config.trustTests.map((test) => ({
    name: test.name ?? nameOf(test),
    failures: config.environments.flatMap((environment) =>
      environment.roles.flatMap((role) => failureOf(test, environment, role)),
    ),
  }));
}

function failureOf(test: TrustTest, environment: Environment, role: Role): string[] {
  const names = (patterns: readonly RolePattern[]) =>
    patterns.some((pattern) => [`${environment.name}/${role.name}`, `${environment.name}/*`].includes(pattern));
  const admitted = names(test.admitted);
  const refused = test.refused === undefined ? !admitted : names(test.refused);
  const path = `${environment.name}/${role.name}`;
  const [first, ...others] = admissions(test.job, environment, role);
  if (admitted && !first) {
    const only = others.includes(true) ? ", but for its V1 token, which says nothing of the ref" : "";
    return [`${path} refuses it${only}`];
  }
  return refused && [first, ...others].includes(true) ? [`${path} lets it in`] : [];
}

/** For each of the job's tokens whether the role lets it in. */
function admissions(job: TestJob, environment: Environment, role: Role): boolean[] {
  const { project, repository, user = ANYBODY } = job;
  const ref = refOf(job);
  const audience = job.audience ?? environment.circleci.audiences[0] ?? "";
  const tokens = tokensOf(environment, {
    project,
    user,
    audience,
    ...(repository !== undefined && ref !== undefined && { source: { repository, ref } }),
  });
  return tokens.map((claims) => letsIn(environment, role.trust, claims));
}

function nameOf({ job, admitted, refused }: TrustTest): string {
  const { project, repository, user, audience } = job;
  const ref = refOf(job);
  return [
    ref === undefined
      ? `a V1 token of project ${project}`
      : `${describeRef(ref)} of ${repository}, project ${project},`,
    ...(user === undefined ? [] : [`started by ${user}`]),
    ...(audience === undefined ? [] : [`for audience ${audience}`]),
    `gets into ${admitted.join(", ") || "no role"}`,
    ...(refused === undefined ? ["and nowhere else"] : [`and not into ${refused.join(", ")}`]),
  ].join(" ");
}
