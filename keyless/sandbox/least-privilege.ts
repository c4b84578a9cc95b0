import type { PolicyDocument } from "../policy/document";
import type { RecordedPermission } from "./proxy";

/**
 * The least-privilege policy for the recorded permissions, allowed and denied ones. It has one statement for each set of
 * resources, and no conditions.
 */
export function leastPrivilegePolicy(used: readonly Pick<RecordedPermission, "action" | "resource">[]): PolicyDocument {
  const actions = [...new Set(used.map(({ action }) => action))].sort();
  const byResources = new Map<string, { Action: string[]; Resource: string[] }>();
  for (const action of actions) {
    const asked = used.filter((use) => use.action === action).map(({ resource }) => resource);
    const Resource = [...new Set(asked)].sort();
    const statement = byResources.get(Resource.join("\n")) ?? { Action: [], Resource };
    statement.Action.push(action);
    byResources.set(Resource.join("\n"), statement);
  }
  const statements = [...byResources.values()].map((statement) => ({ Effect: "Allow" as const, ...statement }));
  return { Version: "2012-10-17", Statement: statements };
}
