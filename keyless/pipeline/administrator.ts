import { isDeepStrictEqual } from "node:util";
import type { Environment, Role } from "../config/resolved";
import { UsageError } from "../errors";
import { applyEnvironment, planEnvironment } from "../permissions/environment";
import type { DerivedPolicy } from "../review/delta/consequences";

/** The roles that the pipeline may not change: those that administrators deploy, and the role with `applyEnvironment`. */
export function administratorRoles({ roles }: Environment): string[] {
  return roles
    .filter((role) => role.deployedBy === "administrator" || hasPolicyOf("applyEnvironment", role))
    .map(({ name }) => name);
}

/** The function that builds the policy of the role with which the pipeline plans or applies an environment. */
const PIPELINE_POLICIES = { plan: "planEnvironment", apply: "applyEnvironment" } as const;

/** What the pipeline does with a role of its own. */
export type PipelineTask = keyof typeof PIPELINE_POLICIES;

/**
 * The role with which the pipeline plans or applies an environment: the one with `planEnvironment` or `applyEnvironment`.
 *
 * @throws {UsageError} if the environment has no such role, or several
 */
export function pipelineRole({ name, roles }: Environment, task: PipelineTask): Role {
  const builder = PIPELINE_POLICIES[task];
  const [role, ...others] = roles.filter((each) => hasPolicyOf(builder, each));
  if (role === undefined)
    throw new UsageError(
      `no role of environment ${name} has ${builder} in its inlinePolicies: add it to the role that should ${task} the environment, or give the role's name instead of --${task}`,
    );
  if (others.length > 0)
    throw new UsageError(
      `several roles of environment ${name} have ${builder}: ${[role, ...others].map((each) => each.name).join(", ")}; give a role's name instead of --${task}`,
    );
  return role;
}

function hasPolicyOf(builder: (typeof PIPELINE_POLICIES)[PipelineTask], { policyBuilders }: Role): boolean {
  return Object.values(policyBuilders).includes(builder);
}

/** The policies that are exactly those of `planEnvironment` or `applyEnvironment`: they list the environment's roles. */
export function derivedPolicies(environment: Environment): DerivedPolicy[] {
  return environment.roles.flatMap(({ name: role, arn: roleArn, inlinePolicies, policyBuilders }) =>
    Object.entries(inlinePolicies).flatMap(([name, document]) => {
      const builder = policyBuilders[name];
      if (builder !== "planEnvironment" && builder !== "applyEnvironment") return [];
      // A function of the configuration that adds statements to those of applyEnvironment counts as applyEnvironment too.
      const derived =
        builder === "planEnvironment" ? planEnvironment(environment) : applyEnvironment(environment, role);
      return isDeepStrictEqual(document, derived) ? [{ role, roleArn, name, document }] : [];
    }),
  );
}
