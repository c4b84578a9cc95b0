import { isDeepStrictEqual } from "node:util";
import type { Environment } from "../config/types";
import { applyEnvironment } from "../permissions/environment";

/** The roles that the environment's pipeline may not change: those of an administrator, and the one that applies. */
export function administratorRoles(environment: Environment): string[] {
  return environment.roles
    .filter(({ name, deployedBy, inlinePolicies }) => {
      const applies = () => {
        const policy = applyEnvironment(environment, name);
        return Object.values(inlinePolicies).some((document) => isDeepStrictEqual(document, policy));
      };
      return deployedBy === "administrator" || applies();
    })
    .map(({ name }) => name);
}
