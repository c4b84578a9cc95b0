import type { Environment } from "../config/resolved";

/** The roles that the pipeline may not change: those that administrators deploy, and the role with `applyEnvironment`. */
export function administratorRoles({ roles }: Environment): string[] {
  return roles
    .filter(
      (role) => role.deployedBy === "administrator" || Object.values(role.policyBuilders).includes("applyEnvironment"),
    )
    .map(({ name }) => name);
}
