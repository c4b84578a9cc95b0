import { UserError } from "../errors";
import { Concealer, createFingerprint } from "./concealment";
import { changedLines, format } from "./difference";
import { hasEffect, type Plan, readPlan } from "./schema";
import { same, type Value } from "./value";

/** A reviewed plan compared with the one that is about to be applied. */
export interface PlanComparison {
  /** The plan that is about to be applied. */
  readonly fresh: Plan;
  /** Whether applying the fresh plan would change nothing. */
  readonly isEmpty: boolean;
  /**
   * A unified diff for each resource, output or action in which the plans differ; undefined if they make the same
   * changes. Concealed values are compared by their fingerprints.
   */
  readonly difference?: string;
}

/**
 * Compares the changes of two plans of an environment, each as the JSON of `terraform show -json`. The time
 * and the version of Terraform do not matter.
 *
 * @throws {UserError} one of them is not a plan, or Terraform failed while making it
 */
export function comparePlans(environment: string, reviewedJson: unknown, freshJson: unknown): PlanComparison {
  const concealer = new Concealer([reviewedJson, freshJson], createFingerprint());
  const read = (label: string, json: unknown) => {
    const plan = readPlan(environment, json, { label, concealer });
    if (plan.errored) throw new UserError(`Terraform failed while making ${label}: plan again`);
    return plan;
  };
  const [reviewed, fresh] = [read("the reviewed plan", reviewedJson), read("the fresh plan", freshJson)];
  const [before, after] = [plannedChanges(reviewed), plannedChanges(fresh)];
  const patches = [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((name) => {
    const [was, is] = [before.get(name) ?? [], after.get(name) ?? []];
    if (same(was, is)) return [];
    const lines = changedLines(was, is).map(({ sign, text }) => `${sign} ${text}`);
    return [[name, "--- the reviewed plan", "+++ the fresh plan", ...lines, ""].join("\n")];
  });
  return { fresh, isEmpty: after.size === 0, ...(patches.length > 0 ? { difference: patches.join("\n") } : {}) };
}

/** The changes of a plan as lines of text, by what they change. */
function plannedChanges({ changes, outputs, deferred, actionInvocations }: Plan): ReadonlyMap<string, string[]> {
  const lines = (change: object) => format({ ...change } as Value, true);
  const resources = changes
    .filter(hasEffect)
    .map(({ address, deposedKey, previousAddress, actions, before, after, replacePaths, importId }) => [
      deposedKey === undefined ? address : `${address} (deposed ${deposedKey})`,
      lines({
        ...{ actions, before, after },
        ...(replacePaths.length > 0 && { replacePaths }),
        ...(importId !== undefined && { importId }),
        ...(previousAddress !== undefined && { previousAddress }),
      }),
    ]);
  return new Map([
    ...resources,
    ...outputs
      .filter(({ action }) => action !== "no-op")
      .map(({ name, actions, before, after }) => [`output.${name}`, lines({ actions, before, after })]),
    ...actionInvocations.map((invocation, index) => [`action ${index}: ${invocation.address}`, lines(invocation)]),
    ...deferred.map(({ reason, change }, index) => [`deferred change ${index}`, lines({ reason, ...change })]),
  ] as [string, string[]][]);
}
