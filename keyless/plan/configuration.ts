import * as v from "valibot";
import { isMap } from "./value";

/** A module of Terraform's configuration: the references between its resources. */
export interface ConfigModule {
  /** By the address in the module, without instance key. */
  readonly resources: ReadonlyMap<string, ConfigResource>;
  /** The expressions of the outputs, by name. */
  readonly outputs: ReadonlyMap<string, unknown>;
  readonly calls: ReadonlyMap<string, ModuleCall>;
}

/** A block with expressions by argument. Terraform leaves out `dynamic` blocks. */
interface Configured {
  readonly expressions: ReadonlyMap<string, unknown>;
  readonly forEach?: unknown;
}

/** A `resource` or `data` block. */
export interface ConfigResource extends Configured {
  readonly hasProvisioners: boolean;
  /** The provider configuration, e.g. `aws.production`. */
  readonly provider?: string;
}

/** A `module` block, and the module that it calls. */
interface ModuleCall extends Configured {
  readonly module: ConfigModule;
}

/** An object with any keys as a map: also with `constructor` and `__proto__`, which valibot's `record` leaves out. */
export function mapOf<T>(values: v.GenericSchema<unknown, T>): v.GenericSchema<unknown, ReadonlyMap<string, T>> {
  return v.pipe(
    v.custom<Record<string, unknown>>(isMap, "expected an object"),
    v.transform((object) => Object.entries(object)),
    v.array(v.tuple([v.string(), values])),
    v.transform((entries) => new Map(entries as [string, T][])),
  );
}

const expressions = v.optional(mapOf(v.unknown()), {});

const resourceSchema = v.pipe(
  v.object({
    address: v.string(),
    expressions,
    for_each_expression: v.optional(v.unknown()),
    provisioners: v.optional(v.array(v.unknown()), []),
    provider_config_key: v.optional(v.string()),
  }),
  v.transform(({ address, expressions, for_each_expression: forEach, provisioners, provider_config_key: provider }) => {
    return [address, { expressions, forEach, hasProvisioners: provisioners.length > 0, provider }] as const;
  }),
);

const moduleCall: v.GenericSchema<unknown, ModuleCall> = v.pipe(
  v.object({
    expressions,
    for_each_expression: v.optional(v.unknown()),
    module: v.optional(
      v.lazy(() => configModuleSchema),
      {},
    ),
  }),
  v.transform(({ expressions, for_each_expression: forEach, module }) => ({ expressions, forEach, module })),
);

/** The schema of a module in `configuration` of a plan. */
export const configModuleSchema: v.GenericSchema<unknown, ConfigModule> = v.pipe(
  v.object({
    resources: v.optional(v.array(resourceSchema), []),
    outputs: v.optional(mapOf(v.object({ expression: v.optional(v.unknown()) })), {}),
    module_calls: v.optional(mapOf(moduleCall), {}),
  }),
  v.transform(({ resources, outputs, module_calls: calls }) => ({
    resources: new Map(resources),
    outputs: new Map([...outputs].map(([name, { expression }]) => [name, expression])),
    calls,
  })),
);

/** The steps of an address or of a reference: `module.a["x.y"].b` has the steps `module`, `a["x.y"]` and `b`. */
export function addressSteps(address: string): readonly string[] {
  const steps: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at <= address.length; at++) {
    const character = address[at];
    if (character === '"') quoted = !quoted;
    else if (character === "\\" && quoted) at++;
    else if (character === undefined || (character === "." && !quoted)) {
      steps.push(address.slice(start, at));
      start = at + 1;
    }
  }
  return steps;
}

/** A step without its instance key. */
export const stepName = (step: string) => step.split("[", 1)[0] as string;

/** The configuration of a module, by the address of one of its instances. Undefined if the plan does not contain it. */
export function configModule(root: ConfigModule, address: string): ConfigModule | undefined {
  return addressSteps(address).reduce<ConfigModule | undefined>(
    (module, step, at) => (at % 2 === 1 ? module?.calls.get(stepName(step))?.module : module),
    root,
  );
}
