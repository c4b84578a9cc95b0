import { groupBy } from "../group-by";
import type { PolicyDocument } from "../policy/document";
import type { RecordedPermission } from "./proxy";

/**
 * The least-privilege policy for the recorded permissions, allowed and denied ones. It has one statement for each set of
 * resources, and no conditions.
 */
export function leastPrivilegePolicy(
  recorded: readonly Pick<RecordedPermission, "action" | "resource">[],
): PolicyDocument {
  const actions = [...groupBy(recorded, ({ action }) => action)]
    .map(([Action, uses]) => ({ Action, Resource: [...new Set(uses.map(({ resource }) => resource))].sort() }))
    .sort((a, b) => (a.Action < b.Action ? -1 : 1));
  const statements = [...groupBy(actions, ({ Resource }) => JSON.stringify(Resource)).values()].map((group) => ({
    Effect: "Allow" as const,
    Action: group.map(({ Action }) => Action),
    Resource: group[0].Resource,
  }));
  return { Version: "2012-10-17", Statement: statements };
}
