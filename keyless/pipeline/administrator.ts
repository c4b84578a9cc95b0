import type { Environment } from "../config/resolved";

/** The roles that the environment's pipeline may not change: those of an administrator, and the one that deploys. */
export function administratorRoles({ roles }: Environment): string[] {
  return roles.filter((role) => role.deployedBy === "administrator" || role.appliesEnvironment).map(({ name }) => name);
}
