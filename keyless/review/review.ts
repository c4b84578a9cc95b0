import { attributeLines, type DiffLine, difference } from "../plan/difference";
import { type Action, hasEffect, type Plan, type ResourceChange } from "../plan/schema";
import { accessDelta, changedRoles } from "./delta";
import { driftOf } from "./delta/drift";
import type { AccessFinding } from "./delta/finding";

/** What is known beyond the plans. */
export interface ReviewOptions {
  /** For each environment, the names of the roles that its pipeline may not change: an administrator deploys those. */
  readonly administratorRoles?: { readonly [environment: string]: readonly string[] };
}

/** What plans do, said so that a person can decide. */
export interface Review {
  readonly environments: readonly EnvironmentReview[];
}

/** The review of one environment's plan. */
export interface EnvironmentReview {
  readonly environment: string;
  readonly counts: Counts;
  /** Who gains and who loses by the plan. */
  readonly access: readonly AccessFinding[];
  /** Who has gained and lost behind Terraform's back. */
  readonly driftAccess: readonly AccessFinding[];
  /** Roles of `administratorRoles` that the plan changes. */
  readonly administratorRoles: readonly string[];
  readonly resources: readonly ResourceReview[];
  readonly drift: readonly ResourceReview[];
  readonly outputs: readonly { readonly name: string; readonly action: Action; readonly lines: readonly DiffLine[] }[];
  readonly deferred: readonly { readonly reason: string; readonly address: string }[];
  readonly warnings: readonly string[];
  /** Terraform failed while it planned: there may be more than what is said. */
  readonly errored: boolean;
  /** False when another run is needed after this one. */
  readonly complete: boolean;
}

/** How many resources are created, and so on. A resource that is imported or moved may count as updated as well. */
export type Counts = { readonly [what in (typeof COUNTED)[number]]: number };

/** What the counts of an environment count, in the order of the table. */
export const COUNTED = ["create", "update", "replace", "destroy", "import", "move", "forget", "drift"] as const;

/** One resource's change, ready to be shown. */
export interface ResourceReview
  extends Pick<ResourceChange, "address" | "type" | "action" | "previousAddress" | "importId"> {
  /** It is an object that an earlier replacement did not destroy. */
  readonly deposed: boolean;
  /** Why, in words, e.g. "tainted". */
  readonly reason?: string;
  readonly lines: readonly DiffLine[];
}

/** Reviews the plans of one environment or several. */
export function review(plans: readonly Plan[], options: ReviewOptions = {}): Review {
  return { environments: plans.map((plan) => reviewPlan(plan, options.administratorRoles?.[plan.environment] ?? [])) };
}

function reviewPlan(plan: Plan, administratorRoles: readonly string[]): EnvironmentReview {
  const resources = plan.changes.filter((change) => change.mode === "managed" && hasEffect(change));
  const drift = driftOf(plan).filter((change) => attributeLines(change).length > 0);
  const changed = administratorRoles.length > 0 ? changedRoles(plan) : new Set();
  return {
    environment: plan.environment,
    counts: count(resources, drift),
    access: accessDelta(plan, plan.changes),
    driftAccess: accessDelta(plan, drift),
    administratorRoles: administratorRoles.filter((role) => changed.has(role)),
    resources: resources.map(resourceReview),
    drift: drift.map(resourceReview),
    outputs: plan.outputs
      .filter(({ action }) => action !== "no-op")
      .map(({ name, action, before, after }) => ({ name, action, lines: difference(name, before, after) })),
    deferred: plan.deferred.map(({ reason, change }) => ({ reason, address: change.address })),
    warnings: plan.warnings,
    errored: plan.errored,
    complete: plan.complete,
  };
}

function count(resources: readonly ResourceChange[], drift: readonly ResourceChange[]): Counts {
  const of = (action: Action) => resources.filter((change) => change.action === action).length;
  return {
    create: of("create"),
    update: of("update"),
    replace: of("replace"),
    destroy: of("destroy"),
    import: resources.filter(({ importId }) => importId !== undefined).length,
    move: resources.filter(({ previousAddress }) => previousAddress !== undefined).length,
    forget: of("forget"),
    drift: drift.length,
  };
}

function resourceReview(change: ResourceChange): ResourceReview {
  const { address, type, action, deposedKey, previousAddress, importId } = change;
  const deposed = deposedKey !== undefined;
  const lines = action === "forget" ? [] : attributeLines(change);
  return { address, type, action, deposed, previousAddress, importId, reason: reasonInWords(change), lines };
}

/** @see https://developer.hashicorp.com/terraform/internals/json-format#change-representation */
const REASONS: { readonly [reason: string]: string } = {
  replace_because_tainted: "it is tainted: its last creation failed halfway",
  replace_because_cannot_update: "it cannot be changed in place",
  replace_by_request: "asked for with -replace",
  replace_by_triggers: "its replace_triggered_by changed",
  delete_because_no_resource_config: "it is no longer in the configuration",
  delete_because_no_module: "its module is no longer in the configuration",
  delete_because_wrong_repetition: "count or for_each came or went",
  delete_because_count_index: "its index is beyond count",
  delete_because_each_key: "its key is no longer in for_each",
  delete_because_no_move_target: "what it was moved to is not in the configuration",
};

function reasonInWords({ reason, replacePaths }: ResourceChange): string | undefined {
  const said = reason === undefined ? undefined : (REASONS[reason] ?? reason);
  if (replacePaths.length === 0) return said;
  return `${said ?? "it cannot be changed in place"}: ${replacePaths.map((path) => path.join(".")).join(", ")}`;
}

/** The findings by which somebody gains, or may gain: what cannot be told counts. */
export function gains(findings: readonly AccessFinding[]): readonly AccessFinding[] {
  return findings.filter(({ effect }) => effect !== "loss");
}

/** Whether there is anything to read about an environment. */
export function isQuiet(environment: EnvironmentReview): boolean {
  const { resources, drift, outputs, deferred, warnings, errored, complete } = environment;
  return [resources, drift, outputs, deferred, warnings].every(({ length }) => length === 0) && !errored && complete;
}
