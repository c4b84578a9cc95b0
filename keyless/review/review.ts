import { attributeLines, type DiffLine, difference } from "../plan/difference";
import { type Action, hasEffect, type Plan, type ResourceChange } from "../plan/schema";
import { accessDelta, type BoundaryChange, changedBoundaries, changedRoles, driftDelta } from "./delta";
import { type DerivedPolicy, markConsequences } from "./delta/consequences";
import { driftOf } from "./delta/drift";
import type { AccessFinding } from "./delta/finding";

/** What a review needs beyond the plans. */
export interface ReviewOptions {
  /** For each environment, the names of the roles that administrators manage: its pipeline cannot change them. */
  readonly administratorRoles?: { readonly [environment: string]: readonly string[] };
  /** For each environment, the name of the policy that is its permissions boundary. */
  readonly boundaryPolicies?: { readonly [environment: string]: string };
  /** For each environment, the policies that list its roles by name: those of its pipeline. */
  readonly derivedPolicies?: { readonly [environment: string]: readonly DerivedPolicy[] };
}

/** The review of the plans of one or more environments. */
export interface Review {
  readonly environments: readonly EnvironmentReview[];
}

/** The review of one environment's plan. */
export interface EnvironmentReview extends Pick<Plan, "environment" | "warnings" | "errored" | "complete"> {
  readonly counts: Counts;
  /** The access that the plan grants and revokes. */
  readonly access: readonly AccessFinding[];
  /** The access that was granted and revoked outside Terraform. */
  readonly driftAccess: readonly AccessFinding[];
  /** Roles of `administratorRoles` that the plan changes. */
  readonly administratorRoles: readonly string[];
  /** What the plan changes about permissions boundaries: only administrators can deploy it. */
  readonly boundaryChanges: readonly BoundaryChange[];
  readonly resources: readonly ResourceReview[];
  readonly drift: readonly ResourceReview[];
  readonly outputs: readonly { readonly name: string; readonly action: Action; readonly lines: readonly DiffLine[] }[];
  /** The actions that Terraform invokes during apply, with the event that triggers each. */
  readonly actions: readonly {
    readonly address: string;
    readonly trigger?: string;
    readonly lines: readonly DiffLine[];
  }[];
  readonly deferred: readonly { readonly reason: string; readonly address: string }[];
}

/** The number of resources for each action. A resource that is imported or moved can count as updated too. */
export type Counts = { readonly [what in (typeof COUNTED)[number]]: number };

/** What is counted, in the order of the table. */
export const COUNTED = ["create", "update", "replace", "destroy", "import", "move", "forget", "drift"] as const;

/** The change of one resource. */
export interface ResourceReview
  extends Pick<ResourceChange, "address" | "type" | "action" | "previousAddress" | "importId"> {
  /** Whether it is an object that an earlier replacement did not destroy. */
  readonly deposed: boolean;
  /** Why Terraform plans the change, e.g. `its index is beyond count`. */
  readonly reason?: string;
  readonly lines: readonly DiffLine[];
}

/** Reviews the plans of one or more environments. */
export function review(plans: readonly Plan[], options: ReviewOptions = {}): Review {
  return { environments: plans.map((plan) => reviewPlan(plan, options)) };
}

function reviewPlan(plan: Plan, options: ReviewOptions): EnvironmentReview {
  const { environment, warnings, errored, complete } = plan;
  const administratorRoles = options.administratorRoles?.[environment] ?? [];
  const boundaryPolicy = options.boundaryPolicies?.[environment];
  const resources = plan.changes.filter((change) => change.mode === "managed" && hasEffect(change));
  const drift = driftOf(plan).filter((change) => attributeLines(change).length > 0);
  const changed = administratorRoles.length > 0 ? changedRoles(plan) : new Set();
  return {
    environment,
    counts: countChanges(resources, drift.length),
    access: markConsequences(accessDelta(plan), plan, options.derivedPolicies?.[environment] ?? []),
    driftAccess: driftDelta(plan, drift),
    administratorRoles: administratorRoles.filter((role) => changed.has(role)),
    boundaryChanges: boundaryPolicy === undefined ? [] : changedBoundaries(plan, boundaryPolicy),
    resources: resources.map(resourceReview),
    drift: drift.map(resourceReview),
    outputs: plan.outputs
      .filter(({ action }) => action !== "no-op")
      .map(({ name, action, before, after }) => ({ name, action, lines: difference(name, before, after) })),
    actions: plan.actionInvocations.map(({ address, trigger, config }) => ({
      address,
      ...(trigger && { trigger: `${trigger.event} of ${trigger.resource}` }),
      lines: difference("config", null, config),
    })),
    deferred: plan.deferred.map(({ reason, change }) => ({ reason, address: change.address })),
    warnings,
    errored,
    complete,
  };
}

function countChanges(resources: readonly ResourceChange[], drift: number): Counts {
  const count = (action: Action) => resources.filter((change) => change.action === action).length;
  return {
    create: count("create"),
    update: count("update"),
    replace: count("replace"),
    destroy: count("destroy"),
    import: resources.filter(({ importId }) => importId !== undefined).length,
    move: resources.filter(({ previousAddress }) => previousAddress !== undefined).length,
    forget: count("forget"),
    drift,
  };
}

function resourceReview(change: ResourceChange): ResourceReview {
  const { address, type, action, deposedKey, previousAddress, importId } = change;
  const deposed = deposedKey !== undefined;
  const lines = action === "forget" ? [] : attributeLines(change);
  return { address, type, action, deposed, previousAddress, importId, reason: describeReason(change), lines };
}

/** @see https://developer.hashicorp.com/terraform/internals/json-format#change-representation */
const REASONS: { readonly [reason: string]: string } = {
  replace_because_tainted: "it is tainted: its creation failed",
  replace_because_cannot_update: "it cannot be changed in place",
  replace_by_request: "requested with -replace",
  replace_by_triggers: "its replace_triggered_by changed",
  delete_because_no_resource_config: "it is no longer in the configuration",
  delete_because_no_module: "its module is no longer in the configuration",
  delete_because_wrong_repetition: "count or for_each was added or removed",
  delete_because_count_index: "its index is beyond count",
  delete_because_each_key: "its key is no longer in for_each",
  delete_because_no_move_target: "the target of its move is not in the configuration",
};

function describeReason({ reason, replacePaths }: ResourceChange): string | undefined {
  const description = reason === undefined ? undefined : Object.hasOwn(REASONS, reason) ? REASONS[reason] : reason;
  if (replacePaths.length === 0) return description;
  const paths = replacePaths.map((path) => path.join(".")).join(", ");
  return `${description ?? REASONS.replace_because_cannot_update}: ${paths}`;
}

/** The findings that grant access. A finding with an unknown effect counts. */
export function gains(findings: readonly AccessFinding[]): readonly AccessFinding[] {
  return findings.filter(({ effect }) => effect === "gain" || effect === "unknown");
}

/** Whether there is nothing to report about an environment. */
export function isQuiet(environment: EnvironmentReview): boolean {
  const { resources, drift, outputs, actions, deferred, warnings, errored, complete } = environment;
  return (
    [resources, drift, outputs, actions, deferred, warnings].every(({ length }) => length === 0) && !errored && complete
  );
}
