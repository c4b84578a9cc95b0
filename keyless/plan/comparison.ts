import { randomBytes } from "node:crypto";
import { createTwoFilesPatch } from "diff";
import { UserError } from "../errors";
import { type Fingerprint, fingerprintsBy } from "./concealment";
import { type Change, type OutputChange, readPlan } from "./schema";
import { Hidden, isObjectValue, parseJson, type Value } from "./value";

/** A plan, and what messages call it, e.g. the name of its file. */
export interface NamedPlan {
  readonly name: string;
  /** The plan as `terraform show -json` prints it, parsed. */
  readonly plan: unknown;
}

/**
 * How a plan differs from the reviewed one, as a unified diff for each resource and output that they change in different
 * ways; undefined when there is no difference. Concealed values are compared by fingerprints under a random key.
 *
 * @throws {UserError} when one of them is not a plan, or one that Terraform could not finish
 */
export function planDifference(reviewed: NamedPlan, fresh: NamedPlan): string | undefined {
  const fingerprint = fingerprintsBy(randomBytes(32));
  const [before, after] = [plannedChanges(reviewed, fingerprint), plannedChanges(fresh, fingerprint)];
  const differing = [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => before.get(name) !== after.get(name),
  );
  if (differing.length === 0) return undefined;
  return differing
    .sort()
    .map((name) => {
      const [from, to] = [before.get(name) ?? "", after.get(name) ?? ""];
      const patch = createTwoFilesPatch(reviewed.name, fresh.name, from, to, undefined, undefined, { context: 4 });
      return `${name}\n${patch.replace(/^=+\n/, "")}`;
    })
    .join("\n");
}

/** Whether applying the plan would change nothing. */
export function isEmptyPlan(plan: NamedPlan): boolean {
  return plannedChanges(plan, fingerprintsBy(randomBytes(32))).size === 0;
}

/** Everything that a plan would do, by the address of what it would do it to, in a deterministic form. */
function plannedChanges({ name, plan: json }: NamedPlan, fingerprint: Fingerprint): ReadonlyMap<string, string> {
  const plan = readPlan(name, json, fingerprint);
  if (plan.errored) throw new UserError(`${name} is a plan that Terraform could not finish: plan again`);
  const planned = new Map<string, string>();
  const add = (key: string, what: object) =>
    planned.set(key, `${planned.get(key) ?? ""}${JSON.stringify(comparable(what), null, 2)}\n`);
  for (const change of plan.changes.filter(hasEffect)) {
    const { address, action, before, after, replacePaths, importId, previousAddress } = change;
    add(change.deposed ? `${address} (deposed)` : address, {
      ...{ action, before, after, replacePaths },
      ...(importId !== undefined && { importId }),
      ...(previousAddress !== undefined && { previousAddress }),
    });
  }
  for (const output of plan.outputs.filter(hasEffect)) {
    add(`output.${output.name}`, { action: output.action, before: output.before, after: output.after });
  }
  for (const { address, reason } of plan.deferred) add(`${address} (deferred)`, { reason });
  return planned;
}

function hasEffect(change: Change | OutputChange): boolean {
  if (change.action !== "no-op") return true;
  return "address" in change && (change.importId !== undefined || change.previousAddress !== undefined);
}

/** A value with sorted keys; what is concealed and JSON within strings, as a policy's, each in a form of its own. */
function comparable(value: unknown): unknown {
  if (value instanceof Hidden) return { hidden: value.text };
  if (Array.isArray(value)) return value.map(comparable);
  if (isObjectValue(value)) {
    const names = Object.keys(value).sort();
    return Object.fromEntries(names.map((name) => [name, comparable(value[name] as Value)]));
  }
  const json = typeof value === "string" && /^\s*[[{]/.test(value) ? parseJson(value) : undefined;
  return json === undefined ? value : { json: comparable(json) };
}
