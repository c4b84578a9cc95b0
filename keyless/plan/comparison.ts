import { UserError } from "../errors";
import { groupBy } from "../group-by";
import { Concealer, createFingerprint } from "./concealment";
import { changedLines, format } from "./difference";
import { hasEffect, type Plan, readPlan } from "./schema";
import { canonical, same, type Value } from "./value";

/** A reviewed plan compared with the one that is about to be applied. */
export interface PlanComparison {
  /** The plan that is about to be applied. */
  readonly fresh: Plan;
  /** Whether applying the fresh plan would change nothing. */
  readonly isEmpty: boolean;
  /**
   * A unified diff for each part in which the plans differ: a resource, an output, an action, the configuration. Undefined
   * if they make the same changes. Concealed values are compared as they are, and shown by their fingerprints.
   */
  readonly difference?: string;
}

/** What a plan has that applying it does not depend on, or that its changes repeat. */
const NOT_COMPARED = new Set([
  ...["format_version", "terraform_version", "timestamp", "errored", "complete", "applyable", "checks"],
  ...["prior_state", "planned_values", "proposed_unknown", "relevant_attributes", "resource_drift"],
]);

/** What the changes are computed from. They are compared for the values that a plan does not know yet. */
const INPUTS = new Set(["configuration", "variables"]);

/** A part of a plan's JSON that is compared. */
interface PlanPart {
  /** What it changes, for a reader. */
  readonly name: string;
  /** The part as Terraform writes it: nothing else distinguishes e.g. an unknown value from a text that looks like one. */
  readonly raw: unknown;
  /** The part as it may be shown. Undefined if it is not shown. */
  readonly shown?: object;
  readonly isInput?: boolean;
}

/**
 * Compares the changes of two plans of an environment, each as the JSON of `terraform show -json`, and the configuration that
 * they are made of. The order of resources, the time and the version of Terraform do not matter.
 *
 * @throws {UserError} one of them is not a plan, or Terraform failed while making it
 */
export function comparePlans(environment: string, reviewedJson: unknown, freshJson: unknown): PlanComparison {
  const concealer = new Concealer([reviewedJson, freshJson], createFingerprint());
  const read = (label: string, json: unknown) => {
    const plan = readPlan(environment, json, { label, concealer });
    if (plan.errored) throw new UserError(`Terraform failed while making ${label}: plan again`);
    return { plan, parts: partsOf(plan, json as RawPlan, concealer) };
  };
  const [reviewed, fresh] = [read("the reviewed plan", reviewedJson), read("the fresh plan", freshJson)];
  const [before, after] = [partsByName(reviewed.parts), partsByName(fresh.parts)];
  const patches = [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((name) => {
    const [was, is] = [before.get(name) ?? [], after.get(name) ?? []];
    if (same(was.map(rawOf), is.map(rawOf))) return [];
    const lines = changedLines(was.flatMap(shownLines), is.flatMap(shownLines)).map(
      ({ sign, text }) => `${sign} ${text}`,
    );
    const shown = lines.length > 0 ? lines : ["(they differ in a type, or in a part that is not shown)"];
    return [[name, "--- the reviewed plan", "+++ the fresh plan", ...shown, ""].join("\n")];
  });
  const isEmpty = fresh.parts.every(({ isInput }) => isInput === true);
  return { fresh: fresh.plan, isEmpty, ...(patches.length > 0 ? { difference: patches.join("\n") } : {}) };
}

/** The JSON of a plan, after it was read successfully. */
interface RawPlan {
  readonly resource_changes?: readonly unknown[];
  readonly output_changes?: { readonly [name: string]: unknown };
  readonly deferred_changes?: readonly unknown[];
  readonly action_invocations?: readonly unknown[];
  readonly deferred_action_invocations?: readonly unknown[];
}

function partsOf(plan: Plan, json: RawPlan, concealer: Concealer): PlanPart[] {
  const {
    resource_changes,
    output_changes,
    deferred_changes,
    action_invocations,
    deferred_action_invocations,
    ...rest
  } = json;
  const invocations = [...(action_invocations ?? []), ...(deferred_action_invocations ?? [])];
  // The plan was read from this JSON: its lists have the same order.
  const changes = plan.changes.map((change, index) => ({ change, raw: resource_changes?.[index] }));
  const outputs = plan.outputs.map((output, index) => ({ output, raw: Object.values(output_changes ?? {})[index] }));
  return [
    ...changes
      .filter(({ change }) => hasEffect(change))
      .map(({ change, raw }) => {
        const { address, deposedKey, previousAddress, actions, before, after, replacePaths, importId } = change;
        const shown = {
          ...{ actions, before, after },
          ...(replacePaths.length > 0 && { replacePaths }),
          ...(importId !== undefined && { importId }),
          ...(previousAddress !== undefined && { previousAddress }),
        };
        return { name: deposedKey === undefined ? address : `${address} (deposed ${deposedKey})`, raw, shown };
      }),
    ...outputs
      .filter(({ output }) => output.action !== "no-op")
      .map(({ output: { name, actions, before, after }, raw }) => {
        return { name: `output.${name}`, raw, shown: { actions, before, after } };
      }),
    ...plan.actionInvocations.map((invocation, index) => {
      return { name: `action ${invocation.address}`, raw: invocations[index], shown: invocation };
    }),
    ...plan.deferred.map(({ reason, change }, index) => {
      return {
        name: `deferred change of ${change.address}`,
        raw: deferred_changes?.[index],
        shown: { reason, ...change },
      };
    }),
    ...Object.entries(rest)
      .filter(([key, value]) => !NOT_COMPARED.has(key) && !isEmptyContent(value))
      .map(([key, raw]) => ({
        name: concealer.redact(key),
        raw,
        isInput: INPUTS.has(key) || typeof raw !== "object",
        // The configuration is in the repository; variables and unknown content can be secret.
        ...(key === "configuration" && { shown: concealer.attributes({ after: raw }).after ?? {} }),
      })),
  ];
}

const isEmptyContent = (value: unknown) =>
  value === null || (typeof value === "object" && Object.keys(value).length === 0);

/** The parts by name, those of one name in an order that does not depend on their order in the plan. */
function partsByName(parts: readonly PlanPart[]): ReadonlyMap<string, readonly PlanPart[]> {
  const groups = groupBy(parts, ({ name }) => name);
  for (const group of groups.values())
    if (group.length > 1) group.sort((a, b) => (canonical(a.raw) < canonical(b.raw) ? -1 : 1));
  return groups;
}

const rawOf = ({ raw }: PlanPart) => raw;

function shownLines({ shown }: PlanPart): string[] {
  return shown === undefined ? [] : format({ ...shown } as Value, true);
}
