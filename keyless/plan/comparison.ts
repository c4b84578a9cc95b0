import { createHmac, randomBytes } from "node:crypto";
import { createTwoFilesPatch } from "diff";
import * as v from "valibot";
import { UserError } from "../errors";
import { isObject } from "../policy/document";

/** What two plans are compared by: what Terraform would do, and nothing of when, where and by which version it was found. */
const change = v.object({
  actions: v.array(v.string()),
  before: v.optional(v.unknown()),
  after: v.optional(v.unknown()),
  after_unknown: v.optional(v.unknown()),
  before_sensitive: v.optional(v.unknown()),
  after_sensitive: v.optional(v.unknown()),
  replace_paths: v.optional(v.unknown()),
  importing: v.optional(v.unknown()),
});

const planSchema = v.object({
  format_version: v.pipe(v.string(), v.startsWith("1.")),
  resource_changes: v.optional(
    v.array(
      v.object({
        address: v.string(),
        previous_address: v.optional(v.string()),
        deposed: v.optional(v.string()),
        change,
      }),
    ),
    [],
  ),
  output_changes: v.optional(v.record(v.string(), change), {}),
  deferred_changes: v.optional(v.array(v.unknown()), []),
  errored: v.optional(v.boolean(), false),
});

/** Which of two plans a text is. */
export interface NamedPlan {
  /** What messages call it, e.g. the file's name. */
  readonly name: string;
  /** The plan as `terraform show -json` prints it, parsed. */
  readonly plan: unknown;
}

/**
 * How a plan differs from the one that was reviewed, as a unified diff for each resource with which they would not do
 * the same; undefined when there is none. Sensitive values take part in the comparison and are not shown.
 *
 * @throws {UserError} when one of them is no plan, or one that Terraform could not finish
 */
export function planDifference(reviewed: NamedPlan, fresh: NamedPlan): string | undefined {
  const key = randomBytes(32);
  const [before, after] = [deedsOf(parse(reviewed), key), deedsOf(parse(fresh), key)];
  const differing = [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => before.get(name) !== after.get(name),
  );
  if (differing.length === 0) return undefined;
  return differing
    .sort()
    .map((name) => {
      const [old, now] = [before.get(name) ?? "", after.get(name) ?? ""];
      const patch = createTwoFilesPatch(reviewed.name, fresh.name, old, now, undefined, undefined, { context: 4 });
      return `${name}\n${patch.replace(/^=+\n/, "")}`;
    })
    .join("\n");
}

/** Whether applying the plan would change nothing at all. */
export function isEmptyPlan(plan: NamedPlan): boolean {
  return deedsOf(parse(plan), Buffer.alloc(0)).size === 0;
}

type Parsed = v.InferOutput<typeof planSchema>;

function parse({ name, plan }: NamedPlan): Parsed {
  const { success, output, issues } = v.safeParse(planSchema, plan);
  if (!success) {
    throw new UserError(
      `${name} is no plan of Terraform (${v.getDotPath(issues[0]) ?? "the whole"}: ${issues[0].message}): ` +
        "give what `terraform show -json <saved plan>` prints",
    );
  }
  if (output.errored) throw new UserError(`${name} is a plan that Terraform could not finish: plan again`);
  return output;
}

/** Everything that a plan would do, by what it would do it to, in a form that does not depend on chance. */
function deedsOf(plan: Parsed, key: Buffer): Map<string, string> {
  const text = (deed: unknown) => `${JSON.stringify(sorted(deed), null, 2)}\n`;
  const resources = plan.resource_changes
    .filter(({ change, previous_address }) => isNews(change) || previous_address !== undefined)
    .map(({ address, deposed, previous_address, change }): [string, string] => [
      deposed === undefined ? address : `${address} (deposed ${deposed})`,
      text({ previous_address, ...comparable(change, key) }),
    ]);
  const outputs = Object.entries(plan.output_changes)
    .filter(([, output]) => isNews(output))
    .map(([name, output]): [string, string] => [`output.${name}`, text(comparable(output, key))]);
  const deferred = plan.deferred_changes.map((each, index): [string, string] => [
    `deferred change ${index}`,
    text(each),
  ]);
  return new Map([...resources, ...outputs, ...deferred]);
}

type Change = v.InferOutput<typeof change>;

function isNews({ actions, importing }: Change): boolean {
  return actions.join() !== "no-op" || importing !== undefined;
}

function comparable({ actions, before, after, replace_paths, importing, ...marks }: Change, key: Buffer) {
  return {
    actions,
    before: shown(before, marks.before_sensitive, undefined, key),
    after: shown(after, marks.after_sensitive, marks.after_unknown, key),
    replace_paths,
    importing,
  };
}

/** A value with what is unknown or sensitive replaced, and JSON within strings laid open. */
function shown(value: unknown, sensitive: unknown, unknown: unknown, key: Buffer): unknown {
  if (unknown === true) return "(known after apply)";
  if (sensitive === true)
    return `(sensitive ${createHmac("sha256", key)
      .update(String(JSON.stringify(value)))
      .digest("hex")
      .slice(0, 8)})`;
  const marksOf = (marks: unknown, name: string) => (marks as { [name: string]: unknown } | undefined)?.[name];
  const within = (name: string, each: unknown) => shown(each, marksOf(sensitive, name), marksOf(unknown, name), key);
  if (Array.isArray(value)) {
    const length = Math.max(value.length, Array.isArray(unknown) ? unknown.length : 0);
    return Array.from({ length }, (_, index) => within(String(index), value[index]));
  }
  if (typeof value === "string") return opened(value);
  const names = new Set([...Object.keys(value ?? {}), ...(isObject(unknown) ? Object.keys(unknown) : [])]);
  if (!isObject(value) && names.size === 0) return value;
  return Object.fromEntries([...names].map((name) => [name, within(name, marksOf(value, name))]));
}

/** A policy is one long line of JSON: laid open, a difference in it can be read. */
function opened(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return { json: JSON.parse(text) };
  } catch {
    return text;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => compare(a, b))
      .map(([name, each]) => [name, sorted(each)]),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
