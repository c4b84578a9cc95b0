import { isDeepStrictEqual } from "node:util";
import type { Environment } from "../config/resolved";
import { applyEnvironment } from "../permissions/environment";

/** The roles that the environment's pipeline may not change: those of an administrator, and the one that applies. */
export function administratorRoles(environment: Environment): string[] {
  return environment.roles
    .filter((role) => role.deployedBy === "administrator" || applies(environment, role))
    .map(({ name }) => name);
}

function applies(environment: Environment, { name, inlinePolicies }: Environment["roles"][number]): boolean {
  const documents = Object.values(inlinePolicies);
  if (documents.length === 0) return false;
  const policy = applyEnvironment(environment, name);
  return documents.some((document) => isDeepStrictEqual(document, policy));
}
