import * as v from "valibot";
import { UserError } from "../errors";
import { Concealer } from "./concealment";
import { type ConfigModule, configModule, configModuleSchema, mapOf } from "./configuration";
import { isMap, type Value } from "./value";

/** What Terraform will do to a resource. `forget` removes it from the state and leaves it in AWS. */
export type Action = "no-op" | "create" | "read" | "update" | "replace" | "destroy" | "forget";

/** The change of one resource instance; its values are concealed. */
export interface ResourceChange {
  readonly address: string;
  /** The address in its module's configuration, without module and instance key. */
  readonly configAddress: string;
  /** E.g. `module.site["a"]`; empty for the root module. */
  readonly module: string;
  readonly index?: string | number;
  readonly previousAddress?: string;
  /** `managed`, `data`, or what later versions add. */
  readonly mode: string;
  readonly type: string;
  /** The provider's source address, e.g. `registry.terraform.io/hashicorp/aws`. */
  readonly providerName: string;
  /** Whether the configuration has provisioners, which run commands when the resource is created or destroyed. */
  readonly provisioners: boolean;
  readonly action: Action;
  /** Terraform's own list, in order: `["create", "delete"]` is a replacement that creates first. */
  readonly actions: readonly string[];
  /** Terraform's key of an object that an earlier replacement did not destroy, and that this plan destroys. */
  readonly deposedKey?: string;
  /** The id of the object that an `import` block imports; undefined if nothing is imported. */
  readonly importId?: string;
  /** Terraform's code for why it plans the change, e.g. `replace_because_tainted`. */
  readonly reason?: string;
  /** The paths of the attributes that force a replacement, e.g. `[["name"]]`. */
  readonly replacePaths: readonly (readonly string[])[];
  readonly before: { readonly [attribute: string]: Value } | null;
  readonly after: { readonly [attribute: string]: Value } | null;
}

/** The change of one output; its values are concealed. */
export interface OutputChange extends Pick<ResourceChange, "action" | "actions"> {
  readonly name: string;
  readonly before: Value;
  readonly after: Value;
}

/**
 * An action of a provider that Terraform invokes during apply, e.g. `aws_lambda_invoke`; its configuration is concealed.
 *
 * @see https://developer.hashicorp.com/terraform/language/invoke-actions
 */
export interface ActionInvocation {
  readonly address: string;
  readonly type: string;
  /** The provider's source address, e.g. `registry.terraform.io/hashicorp/aws`. */
  readonly providerName: string;
  /** The resource whose change triggers the action. Absent if `terraform plan -invoke` requested it. */
  readonly trigger?: {
    /** The address of the resource. */
    readonly resource: string;
    /** Terraform's name of the event, e.g. `AfterCreate`. */
    readonly event: string;
  };
  readonly config: Value;
  /** Terraform's reason for deferring the action to a later run. Absent if this run invokes it. */
  readonly deferredReason?: string;
}

/** A saved plan of one environment. */
export interface Plan {
  readonly environment: string;
  readonly changes: readonly ResourceChange[];
  /** Changes made outside Terraform since its last run. */
  readonly drift: readonly ResourceChange[];
  /** Changes deferred to a later run, with Terraform's reason. */
  readonly deferred: readonly { readonly reason: string; readonly change: ResourceChange }[];
  readonly outputs: readonly OutputChange[];
  readonly actionInvocations: readonly ActionInvocation[];
  /** Messages of checks, preconditions and postconditions that failed, and content that is not evaluated. */
  readonly warnings: readonly string[];
  /** Terraform failed while planning: the plan may lack changes. */
  readonly errored: boolean;
  /** False if another run is needed after this one. */
  readonly complete: boolean;
  /** Whether Terraform would apply the plan. Undefined for plans of Terraform before 1.8, which does not write this. */
  readonly applyable?: boolean;
  /** Whether the configuration has several configurations of the AWS provider: each can be of another account. */
  readonly severalAccounts: boolean;
  readonly configuration: ConfigModule;
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
  // OpenTofu opens an ephemeral resource.
  open: "read",
  "create,forget": "replace",
  "forget,create": "replace",
};

const actions = v.pipe(
  v.array(v.string()),
  v.check(
    (list) => Object.hasOwn(ACTIONS, list.join()),
    (issue) => `unknown actions ${JSON.stringify(issue.input)}`,
  ),
  v.transform((list) => ({ action: ACTIONS[list.join()] as Action, actions: list as readonly string[] })),
);

const changeFields = {
  actions,
  after_unknown: v.optional(v.unknown()),
  before_sensitive: v.optional(v.unknown()),
  after_sensitive: v.optional(v.unknown()),
  replace_paths: v.nullish(v.array(v.array(v.union([v.string(), v.number()])))),
  importing: v.nullish(v.object({ id: v.nullish(v.string()), identity: v.optional(v.unknown()) })),
};
const outputChange = v.object({ ...changeFields, before: v.optional(v.unknown()), after: v.optional(v.unknown()) });

const attributes = v.nullish(v.custom<object>(isMap, "expected an object with the attributes"));

const resourceChange = v.object({
  address: v.string(),
  previous_address: v.optional(v.string()),
  module_address: v.optional(v.string()),
  mode: v.string(),
  type: v.string(),
  name: v.string(),
  provider_name: v.optional(v.string(), ""),
  index: v.nullish(v.union([v.string(), v.number()])),
  deposed: v.optional(v.string()),
  action_reason: v.optional(v.string()),
  change: v.pipe(
    v.object({ ...changeFields, before: attributes, after: attributes }),
    // Without the names of the attributes, the change would have none.
    v.check(({ after, after_unknown }) => isMap(after) || after_unknown !== true, "no attributes are planned"),
  ),
});

const optionalList = <T extends v.GenericSchema>(schema: T) => v.optional(v.array(schema), []);

const actionInvocation = v.object({
  address: v.string(),
  type: v.string(),
  provider_name: v.optional(v.string(), ""),
  config_values: v.optional(v.unknown()),
  config_sensitive: v.optional(v.unknown()),
  config_unknown: v.optional(v.unknown()),
  lifecycle_action_trigger: v.nullish(
    v.object({ triggering_resource_address: v.string(), action_trigger_event: v.string() }),
  ),
});

const problem = v.object({ message: v.optional(v.string(), "") });
const checkResult = v.object({
  address: v.object({ to_display: v.string() }),
  status: v.string(),
  instances: optionalList(v.object({ problems: optionalList(problem) })),
});

const planSchema = v.pipe(
  v.object({
    format_version: v.pipe(
      v.string(),
      v.regex(
        /^1\./,
        (issue) => `format version ${issue.received} is not supported: expected version 1, of Terraform 1.1 and later`,
      ),
    ),
    planned_values: v.optional(v.unknown()),
    resource_changes: v.optional(v.array(resourceChange)),
    resource_drift: optionalList(resourceChange),
    deferred_changes: optionalList(v.object({ reason: v.string(), resource_change: resourceChange })),
    output_changes: v.optional(mapOf(outputChange), {}),
    action_invocations: optionalList(actionInvocation),
    deferred_action_invocations: optionalList(v.object({ reason: v.string(), action_invocation: actionInvocation })),
    checks: optionalList(checkResult),
    errored: v.optional(v.boolean(), false),
    complete: v.optional(v.boolean(), true),
    applyable: v.optional(v.boolean()),
    configuration: v.optional(
      v.object({
        root_module: v.optional(configModuleSchema, {}),
        provider_config: v.optional(mapOf(v.object({ name: v.optional(v.string(), "") })), {}),
      }),
      {},
    ),
  }),
  v.check((plan) => (plan.resource_changes ?? plan.planned_values) !== undefined, "there are no planned changes"),
);

type RawChange = v.InferOutput<typeof outputChange>;

/** Whether a change does anything: to the resource, to its address or to the state. */
export function hasEffect({ action, importId, previousAddress }: ResourceChange): boolean {
  return action !== "no-op" || importId !== undefined || previousAddress !== undefined;
}

/** What a plan has at the top level, also what this project does not need: variables, and the state before and after. */
const KNOWN_KEYS = new Set([
  ...Object.keys(planSchema.pipe[0].entries),
  ...["terraform_version", "variables", "prior_state", "proposed_unknown", "relevant_attributes", "timestamp"],
]);

/** What a plan of a later version has at the top level that this version does not evaluate. */
function unknownContent(json: unknown): string[] {
  const isEmpty = (value: unknown) => typeof value !== "object" || value === null || Object.keys(value).length === 0;
  return Object.entries(json as object)
    .filter(([key, value]) => !KNOWN_KEYS.has(key) && !isEmpty(value))
    .map(([key]) => `the plan has ${JSON.stringify(key)}, which this version does not evaluate`);
}

const HOW_TO_GET = "save a plan with `terraform plan -out=<file>`, then run `terraform show -json <file>`";

/** What JSON of Terraform is that is not a plan, and how to get the plan's. Undefined if that is unknown. */
export function describeOther(json: unknown): string | undefined {
  if (!isMap(json) || "resource_changes" in json || "planned_values" in json) return undefined;
  const kinds = {
    "@level": "the events that `terraform plan -json` prints",
    values: "a state",
    lineage: "a state file",
    provider_schemas: "the schemas of providers",
  };
  const found = Object.entries(kinds).find(([key]) => Object.hasOwn(json, key));
  return found && `${found[1]}, not a plan: ${HOW_TO_GET}`;
}

/** How to read a plan. */
export interface ReadPlanOptions {
  /** What messages call the plan. Default: `the plan of <environment>`. */
  readonly label?: string;
  /** Conceals the values of several plans that are shown together. Default: of this plan only. */
  readonly concealer?: Concealer;
}

/**
 * Reads a saved plan from the JSON that `terraform show -json <plan>` prints, and conceals its values. Unknown
 * content at the top level is a warning; other unknown fields are ignored.
 *
 * @throws {UserError} the JSON is not a plan, has another major version, or contains an unknown action.
 * @see https://developer.hashicorp.com/terraform/internals/json-format
 */
export function readPlan(environment: string, json: unknown, options: ReadPlanOptions = {}): Plan {
  const { label = `the plan of ${environment}`, concealer = new Concealer([json]) } = options;
  const other = describeOther(json);
  if (other !== undefined) throw new UserError(`cannot read ${label}: it is ${other}`);
  const parsed = v.safeParse(planSchema, json, { abortEarly: true });
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new UserError(
      `cannot read ${label}: at ${concealer.redact(`${v.getDotPath(issue) ?? "the top level"}: ${issue.message}`)}; ` +
        "expected the JSON that `terraform show -json <saved plan>` prints",
    );
  }
  const plan = parsed.output;
  const configuration = plan.configuration.root_module;
  const toChange = (raw: v.InferOutput<typeof resourceChange>) => readChange(raw, configuration, concealer);
  return {
    environment,
    changes: (plan.resource_changes ?? []).map(toChange),
    drift: plan.resource_drift.map(toChange),
    deferred: plan.deferred_changes.map(({ reason, resource_change }) => ({
      reason: concealer.redact(reason),
      change: toChange(resource_change),
    })),
    outputs: [...plan.output_changes].map(([name, output]) => ({
      name: concealer.redact(name),
      ...output.actions,
      ...concealer.conceal(output, name),
    })),
    actionInvocations: [
      ...plan.action_invocations.map((raw) => readInvocation(raw, concealer)),
      ...plan.deferred_action_invocations.map(({ reason, action_invocation }) => ({
        ...readInvocation(action_invocation, concealer),
        deferredReason: concealer.redact(reason),
      })),
    ],
    warnings: [...unknownContent(json).map((text) => concealer.redact(text)), ...failedChecks(plan.checks, concealer)],
    errored: plan.errored,
    complete: plan.complete,
    applyable: plan.applyable,
    severalAccounts: [...plan.configuration.provider_config.values()].filter(({ name }) => name === "aws").length > 1,
    configuration,
  };
}

function failedChecks(checks: readonly v.InferOutput<typeof checkResult>[], concealer: Concealer): string[] {
  return checks
    .filter(({ status }) => status === "fail" || status === "error")
    .flatMap(({ address, instances }) => {
      const problems = instances.flatMap((instance) => instance.problems.map(({ message }) => message));
      return (problems.length > 0 ? problems : ["failed"]).map((text) =>
        concealer.redact(`${address.to_display}: ${text}`),
      );
    });
}

function readChange(
  raw: v.InferOutput<typeof resourceChange>,
  configuration: ConfigModule,
  concealer: Concealer,
): ResourceChange {
  const configAddress = `${raw.mode === "data" ? "data." : ""}${raw.type}.${raw.name}`;
  const module = raw.module_address ?? "";
  const configured = configModule(configuration, module)?.resources.get(configAddress);
  return {
    address: concealer.address(raw.address),
    configAddress,
    module: concealer.redact(module),
    index: typeof raw.index === "string" ? concealer.redact(raw.index) : (raw.index ?? undefined),
    previousAddress: raw.previous_address === undefined ? undefined : concealer.address(raw.previous_address),
    mode: raw.mode,
    type: raw.type,
    providerName: raw.provider_name,
    provisioners: configured?.hasProvisioners === true,
    ...raw.change.actions,
    deposedKey: raw.deposed,
    importId: importIdOf(raw.change, concealer),
    reason: raw.action_reason,
    replacePaths: (raw.change.replace_paths ?? []).map((path) => path.map((step) => concealer.redact(String(step)))),
    ...concealer.attributes(raw.change),
  };
}

function readInvocation(raw: v.InferOutput<typeof actionInvocation>, concealer: Concealer): ActionInvocation {
  const { config_values: after, config_sensitive: after_sensitive, config_unknown: after_unknown } = raw;
  const trigger = raw.lifecycle_action_trigger;
  return {
    address: concealer.redact(raw.address),
    type: raw.type,
    providerName: raw.provider_name,
    ...(trigger && {
      trigger: {
        resource: concealer.address(trigger.triggering_resource_address),
        event: concealer.redact(trigger.action_trigger_event),
      },
    }),
    config: concealer.conceal({ after, after_sensitive, after_unknown }).after,
  };
}

/** @see https://developer.hashicorp.com/terraform/language/block/import */
function importIdOf({ importing }: RawChange, concealer: Concealer): string | undefined {
  if (!importing) return undefined;
  return concealer.redact(importing.id ?? (importing.identity ? JSON.stringify(importing.identity) : "its identity"));
}
