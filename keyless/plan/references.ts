import { addressSteps, type ConfigModule, stepName } from "./configuration";
import type { Plan, ResourceChange } from "./schema";
import { isMap } from "./value";

/** What an attribute refers to. */
export interface ResolvedReferences {
  /**
   * The changes of all resources and data sources to which a reference leads, whatever their type, those with the same
   * instance key first. The configuration in a plan lists the references of an expression and not how it combines them:
   * a condition or a computed key selects any of the candidates.
   */
  readonly candidates: readonly ResourceChange[];
  /**
   * Whether every reference was followed to a planned resource or to a constant. If not, the value can come from
   * something that is not a candidate, e.g. from a local value, which a plan does not contain.
   */
  readonly complete: boolean;
}

/** An instance of a module. */
interface ModuleInstance {
  readonly parent?: ModuleInstance;
  /** The name of the call of the module. */
  readonly name: string;
  readonly configuration?: ConfigModule;
  /** The changes of its resources, by their address in the module, without instance key. */
  readonly resources: Map<string, ResourceChange[]>;
  /** The modules in it: by the name of the call, then by name and instance key. */
  readonly calls: Map<string, Map<string, ModuleInstance>>;
}

/** An expression, where it is evaluated, and the `for_each` of its block. */
interface ScopedExpression {
  readonly module: ModuleInstance;
  readonly expression: unknown;
  readonly forEach?: unknown;
}

/** Where a reference leads: to resources, or to other expressions. Undefined if that is not in the plan. */
type Target = { readonly changes: readonly ResourceChange[] } | { readonly expressions: readonly ScopedExpression[] };

const CONSTANT: Target = { changes: [] };

/** The maximum number of expressions to follow from one attribute. Beyond it the result is incomplete. */
const EXPRESSIONS = 10_000;

/**
 * The references in a plan's configuration: from which resources an attribute is computed. They lead to the planned
 * arguments of a value that is known after apply.
 *
 * @see https://developer.hashicorp.com/terraform/internals/json-format#expression-representation
 */
export class References {
  private readonly root: ModuleInstance;
  /** By address. */
  private readonly modules = new Map<string, ModuleInstance>();
  private readonly resolved = new Map<ModuleInstance, Map<unknown, ResolvedReferences>>();

  constructor({ changes, configuration }: Pick<Plan, "changes" | "configuration">) {
    this.root = { name: "", configuration, resources: new Map(), calls: new Map() };
    for (const change of changes) {
      if (change.deposedKey !== undefined) continue;
      const { resources } = this.module(change);
      const instances = resources.get(change.configAddress);
      if (instances) instances.push(change);
      else resources.set(change.configAddress, [change]);
    }
  }

  /**
   * Whether the configuration sets the attribute, other than by a `dynamic` block, which a plan does not contain.
   *
   * @param path the attribute, or a path to an attribute in nested blocks, e.g. `rule.role_arn`
   */
  sets(change: ResourceChange, path: string): boolean {
    const [attribute = "", ...nested] = path.split(".");
    const expression = this.configured(change)?.expressions.get(attribute);
    return expression !== undefined && setsNested(expression, nested);
  }

  /** What an attribute refers to. Incomplete if the configuration does not set it, or sets it by a `dynamic` block. */
  resolve(change: ResourceChange, attribute: string): ResolvedReferences {
    const { expressions, forEach } = this.configured(change) ?? {};
    const expression = expressions?.get(attribute);
    const module = this.module(change);
    const known = this.resolved.get(module) ?? new Map<unknown, ResolvedReferences>();
    this.resolved.set(module, known);
    const result = known.get(expression) ?? follow({ module, expression, forEach });
    known.set(expression, result);
    if (change.index === undefined) return result;
    const isSame = ({ index }: ResourceChange) => index === change.index;
    const { candidates, complete } = result;
    return { candidates: [...candidates.filter(isSame), ...candidates.filter((each) => !isSame(each))], complete };
  }

  /** Whether the configuration contains the resource: not one that is destroyed because it was removed there. */
  contains(change: ResourceChange): boolean {
    return this.configured(change) !== undefined;
  }

  /** The provider configuration of a resource, e.g. `aws.production`: it decides about the account. */
  providerOf(change: ResourceChange): string | undefined {
    return this.configured(change)?.provider;
  }

  private configured(change: ResourceChange) {
    return this.module(change).configuration?.resources.get(change.configAddress);
  }

  private module({ module: address }: ResourceChange): ModuleInstance {
    const calls = () => addressSteps(address).filter((_, at) => at % 2 === 1);
    const module = this.modules.get(address) ?? calls().reduce(moduleIn, this.root);
    this.modules.set(address, module);
    return module;
  }
}

/** The instance of a module in another one, by the name of its call and its instance key. Added if it is not known. */
function moduleIn(parent: ModuleInstance, call: string): ModuleInstance {
  const name = stepName(call);
  const instances = parent.calls.get(name) ?? new Map<string, ModuleInstance>();
  parent.calls.set(name, instances);
  const configuration = parent.configuration?.calls.get(name)?.module;
  const module = instances.get(call) ?? { parent, name, configuration, resources: new Map(), calls: new Map() };
  instances.set(call, module);
  return module;
}

/** Whether an expression, or the blocks that it consists of, sets an attribute of nested blocks. */
function setsNested(expression: unknown, [name, ...rest]: readonly string[]): boolean {
  if (name === undefined) return true;
  if (Array.isArray(expression)) return expression.some((block) => setsNested(block, [name, ...rest]));
  if (!isMap(expression)) return false;
  // The expression of an attribute that is an object as a whole.
  if ("references" in expression || "constant_value" in expression) return true;
  return expression[name] !== undefined && setsNested(expression[name], rest);
}

/** Follows every reference of an expression. Expressions can refer to each other in a circle. */
function follow(start: ScopedExpression): ResolvedReferences {
  const candidates = new Set<ResourceChange>();
  const followed = new Map<ModuleInstance, Set<unknown>>();
  const open = [start];
  let complete = true;
  let count = 0;
  for (const next of open) {
    const inModule = followed.get(next.module) ?? new Set();
    followed.set(next.module, inModule);
    if (inModule.has(next.expression)) continue;
    if (++count > EXPRESSIONS) return { candidates: [...candidates], complete: false };
    inModule.add(next.expression);
    const references = referencesOf(next.expression);
    for (const reference of references ?? [undefined]) {
      const target = reference === undefined ? undefined : targetOf(next, reference);
      if (target === undefined) complete = false;
      else if ("changes" in target) for (const change of target.changes) candidates.add(change);
      else for (const scoped of target.expressions) open.push(scoped);
    }
  }
  return { candidates: [...candidates], complete };
}

function targetOf({ module, forEach }: ScopedExpression, reference: string): Target | undefined {
  const steps = addressSteps(reference);
  const [root = "", name = "", third = ""] = steps;
  switch (root) {
    case "path":
    case "terraform":
    case "count":
      return CONSTANT;
    case "each":
      if (name === "key") return CONSTANT;
      return forEach === undefined ? undefined : { expressions: [{ module, expression: forEach }] };
    case "var":
      return argumentOf(module, stepName(name));
    case "module":
      return outputsOf(module, name, third === "" ? undefined : stepName(third));
    case "data":
      return instancesOf(module, `data.${name}.${stepName(third)}`, third);
    default:
      return instancesOf(module, `${root}.${stepName(name)}`, name);
  }
}

/** The argument of a variable in the call of its module. */
function argumentOf({ parent, name: call }: ModuleInstance, variable: string): Target | undefined {
  // The variables of the root module, and defaults, are constants.
  if (parent === undefined) return CONSTANT;
  const { expressions, forEach } = parent.configuration?.calls.get(call) ?? {};
  if (expressions === undefined) return undefined;
  if (!expressions.has(variable)) return CONSTANT;
  return { expressions: [{ module: parent, expression: expressions.get(variable), forEach }] };
}

/** An output of the instances of a module. All outputs if the reference does not name one, e.g. `module.m[each.key]`. */
function outputsOf(module: ModuleInstance, call: string, output: string | undefined): Target | undefined {
  const name = stepName(call);
  const outputs = module.configuration?.calls.get(name)?.module.outputs;
  if (outputs === undefined || (output !== undefined && !outputs.has(output))) return undefined;
  const names = output === undefined ? [...outputs.keys()] : [output];
  const known = module.calls.get(name);
  // A module without resources is in no address of the plan.
  const instances = known === undefined || call !== name ? [moduleIn(module, call)] : known.values();
  return {
    expressions: [...instances].flatMap((instance) =>
      names.map((each) => ({ module: instance, expression: outputs.get(each) })),
    ),
  };
}

/** The changes of a resource: of all its instances unless the step of the reference has a key. */
function instancesOf(module: ModuleInstance, address: string, step: string): Target | undefined {
  const key = step.slice(stepName(step).length);
  const instances = module.resources.get(address) ?? [];
  const changes = key === "" ? instances : instances.filter(({ index }) => `[${JSON.stringify(index)}]` === key);
  return changes.length > 0 ? { changes } : undefined;
}

/**
 * The references in an expression, or in the expressions of blocks. Undefined if there is an expression that is neither
 * a constant nor has references, e.g. `timestamp()`.
 */
function referencesOf(expression: unknown): readonly string[] | undefined {
  const within = (parts: readonly unknown[]) => {
    const lists = parts.map(referencesOf);
    return lists.every((list) => list !== undefined) ? lists.flat() : undefined;
  };
  if (Array.isArray(expression)) return within(expression);
  if (!isMap(expression)) return undefined;
  const { references } = expression;
  if (Array.isArray(references))
    return references.every((each) => typeof each === "string") ? references.filter(isWhole) : undefined;
  if ("constant_value" in expression) return [];
  const parts = Object.values(expression);
  return parts.length > 0 ? within(parts) : undefined;
}

/** Terraform lists a reference with all its beginnings: `a.b["x"].c`, `a.b["x"]`, `a.b`. Only the first one is whole. */
function isWhole(reference: string, at: number, references: readonly string[]): boolean {
  const previous = references[at - 1];
  return !previous?.startsWith(reference) || !/^[.[]/.test(previous.slice(reference.length));
}
