import * as v from "valibot";
import { UserError } from "../errors";
import { conceal, type Fingerprint, redact } from "./concealment";
import { isObjectValue, type Value } from "./value";

/** What Terraform will do to a resource. `forget` drops it from the state and leaves it alone in AWS. */
export type Action = "no-op" | "create" | "read" | "update" | "replace" | "destroy" | "forget";

/** One resource instance's change, concealed: see values.ts. */
export interface Change {
  readonly address: string;
  /** The address within its module and without an instance key, as the configuration knows it. */
  readonly configAddress: string;
  /** E.g. `module.site["a"]`; empty for the root module. */
  readonly module: string;
  readonly index?: string | number;
  readonly previousAddress?: string;
  /** `managed`, `data`, or what later versions add. */
  readonly mode: string;
  readonly type: string;
  readonly action: Action;
  /** An old object that a replacement left behind, and that this plan removes. */
  readonly deposed: boolean;
  /** The id that an `import` block brings in; undefined when nothing is imported. */
  readonly importId?: string;
  /** Why Terraform does it, in its own code, e.g. `replace_because_tainted`. */
  readonly reason?: string;
  /** The attributes that force a replacement, e.g. `["name"]`. */
  readonly replacePaths: readonly string[];
  readonly before: { readonly [attribute: string]: Value } | null;
  readonly after: { readonly [attribute: string]: Value } | null;
}

/** One output's change, concealed. */
export interface OutputChange {
  readonly name: string;
  readonly action: Action;
  readonly before: Value;
  readonly after: Value;
}

/** A saved plan of one environment. */
export interface Plan {
  readonly environment: string;
  readonly changes: readonly Change[];
  /** What has been changed behind Terraform's back since its last run. */
  readonly drift: readonly Change[];
  /** Changes put off to a later run, with Terraform's reason. */
  readonly deferred: readonly { readonly reason: string; readonly address: string }[];
  readonly outputs: readonly OutputChange[];
  /** Messages of checks, pre- and postconditions that did not pass. */
  readonly warnings: readonly string[];
  readonly errored: boolean;
  readonly complete: boolean;
  readonly configuration: ConfigModule;
}

/** The part of Terraform's configuration that tells which resource refers to which. */
export interface ConfigModule {
  readonly resources: readonly ConfigResource[];
  readonly outputs: { readonly [name: string]: unknown };
  readonly calls: { readonly [name: string]: { readonly expressions: Expressions; readonly module: ConfigModule } };
}

export type Expressions = { readonly [attribute: string]: unknown };

export interface ConfigResource {
  readonly address: string;
  readonly expressions: Expressions;
  readonly for_each_expression?: unknown;
}

const ACTIONS: { readonly [actions: string]: Action } = {
  "no-op": "no-op",
  create: "create",
  read: "read",
  update: "update",
  delete: "destroy",
  forget: "forget",
  "delete,create": "replace",
  "create,delete": "replace",
  "create,forget": "replace",
  "forget,create": "replace",
};

const actions = v.pipe(
  v.array(v.string()),
  v.check(
    (list) => Object.hasOwn(ACTIONS, list.join()),
    (issue) => `unknown actions ${JSON.stringify(issue.input)}`,
  ),
  v.transform((list) => ACTIONS[list.join()] as Action),
);

const change = v.object({
  actions,
  before: v.optional(v.unknown()),
  after: v.optional(v.unknown()),
  after_unknown: v.optional(v.unknown()),
  before_sensitive: v.optional(v.unknown()),
  after_sensitive: v.optional(v.unknown()),
  replace_paths: v.nullish(v.array(v.array(v.union([v.string(), v.number()])))),
  importing: v.nullish(v.object({ id: v.nullish(v.string()) })),
});

const resourceChange = v.object({
  address: v.string(),
  previous_address: v.optional(v.string()),
  module_address: v.optional(v.string()),
  mode: v.string(),
  type: v.string(),
  name: v.string(),
  index: v.nullish(v.union([v.string(), v.number()])),
  deposed: v.optional(v.string()),
  action_reason: v.optional(v.string()),
  change,
});

const configResource = v.object({
  address: v.string(),
  expressions: v.optional(v.record(v.string(), v.unknown()), {}),
  for_each_expression: v.optional(v.unknown()),
});

const configModule: v.GenericSchema<unknown, ConfigModule> = v.pipe(
  v.object({
    resources: v.optional(v.array(configResource), []),
    outputs: v.optional(v.record(v.string(), v.object({ expression: v.optional(v.unknown()) })), {}),
    module_calls: v.optional(
      v.record(
        v.string(),
        v.object({
          expressions: v.optional(v.record(v.string(), v.unknown()), {}),
          module: v.optional(
            v.lazy(() => configModule),
            {},
          ),
        }),
      ),
      {},
    ),
  }),
  v.transform(({ resources, outputs, module_calls }) => ({
    resources,
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, { expression }]) => [name, expression])),
    calls: module_calls as ConfigModule["calls"],
  })),
);

const check = v.object({
  address: v.object({ to_display: v.string() }),
  status: v.string(),
  instances: v.optional(
    v.array(v.object({ problems: v.optional(v.array(v.object({ message: v.optional(v.string(), "") })), []) })),
    [],
  ),
});

const planSchema = v.pipe(
  v.object({
    format_version: v.pipe(
      v.string(),
      v.regex(
        /^1\./,
        (issue) => `version ${issue.received} is not supported: this reads version 1, of Terraform 1.1 and later`,
      ),
    ),
    planned_values: v.optional(v.unknown()),
    resource_changes: v.optional(v.array(resourceChange)),
    resource_drift: v.optional(v.array(resourceChange), []),
    deferred_changes: v.optional(v.array(v.object({ reason: v.string(), resource_change: resourceChange })), []),
    output_changes: v.optional(v.record(v.string(), change), {}),
    checks: v.optional(v.array(check), []),
    errored: v.optional(v.boolean(), false),
    complete: v.optional(v.boolean(), true),
    configuration: v.optional(v.object({ root_module: v.optional(configModule, {}) })),
  }),
  v.check((plan) => (plan.resource_changes ?? plan.planned_values) !== undefined, "this is a state, not a plan"),
);

type RawChange = v.InferOutput<typeof resourceChange>;

/**
 * A saved plan, from the JSON that `terraform show -json <plan>` prints. Fields that no user of it reads are ignored.
 *
 * @param fingerprint tells concealed values apart, for a comparison of plans. Default: they are not told apart
 * @throws {UserError} not a plan, of another major version, or with something in it that a review relies on and does
 * not know.
 * @see https://developer.hashicorp.com/terraform/internals/json-format
 */
export function readPlan(environment: string, json: unknown, fingerprint?: Fingerprint): Plan {
  const parsed = v.safeParse(planSchema, json, { abortEarly: true });
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new UserError(
      `cannot read the plan of ${environment}: at ${v.getDotPath(issue) ?? "the top"}: ${redact(issue.message)}; ` +
        "give the JSON that `terraform show -json <saved plan>` prints",
    );
  }
  const plan = parsed.output;
  return {
    environment,
    changes: (plan.resource_changes ?? []).map((raw) => toChange(raw, fingerprint)),
    drift: plan.resource_drift.map((raw) => toChange(raw, fingerprint)),
    deferred: plan.deferred_changes.map(({ reason, resource_change }) => ({
      reason: redact(reason, fingerprint),
      address: redact(resource_change.address, fingerprint),
    })),
    outputs: Object.entries(plan.output_changes).map(([name, output]) => ({
      name: redact(name, fingerprint),
      action: output.actions,
      ...conceal(sidesOf(output), fingerprint),
    })),
    warnings: plan.checks
      .filter(({ status }) => status === "fail" || status === "error")
      .flatMap(({ address, instances }) => {
        const problems = instances.flatMap((instance) => instance.problems.map(({ message }) => message));
        return (problems.length > 0 ? problems : ["failed"]).map((text) =>
          redact(`${address.to_display}: ${text}`, fingerprint),
        );
      }),
    errored: plan.errored,
    complete: plan.complete,
    configuration: plan.configuration?.root_module ?? { resources: [], outputs: {}, calls: {} },
  };
}

function sidesOf(raw: v.InferOutput<typeof change>) {
  return {
    before: raw.before,
    after: raw.after,
    beforeSensitive: raw.before_sensitive,
    afterSensitive: raw.after_sensitive,
    afterUnknown: raw.after_unknown,
  };
}

function toChange(raw: RawChange, fingerprint: Fingerprint | undefined): Change {
  const { before, after } = conceal(sidesOf(raw.change), fingerprint);
  const asAttributes = (value: Value) => (isObjectValue(value) ? (value as { [attribute: string]: Value }) : null);
  return {
    address: redact(raw.address, fingerprint),
    configAddress: `${raw.mode === "data" ? "data." : ""}${raw.type}.${raw.name}`,
    module: raw.module_address ?? "",
    index: raw.index ?? undefined,
    previousAddress: raw.previous_address === undefined ? undefined : redact(raw.previous_address, fingerprint),
    mode: raw.mode,
    type: raw.type,
    action: raw.change.actions,
    deposed: raw.deposed !== undefined,
    importId: raw.change.importing
      ? redact(raw.change.importing.id ?? "what its identity names", fingerprint)
      : undefined,
    reason: raw.action_reason,
    replacePaths: (raw.change.replace_paths ?? []).map((path) => redact(path.join("."), fingerprint)),
    before: asAttributes(before),
    after: asAttributes(after),
  };
}
