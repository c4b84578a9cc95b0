import { type ConfigModule, configModule, moduleSteps, type Plan, type ResourceChange } from "./schema";
import { isMap } from "./value";

/** Where an expression is evaluated: the address of a module, and the key of the resource instance. */
type Scope = Pick<ResourceChange, "module" | "index">;

/**
 * The references in a plan's configuration: from which resources an attribute is computed. They lead to the planned
 * arguments of a value that is known after apply.
 */
export class References {
  constructor(private readonly plan: Pick<Plan, "changes" | "configuration">) {}

  /** Whether the configuration sets the attribute. */
  sets(change: ResourceChange, attribute: string): boolean {
    return this.resource(change)?.expressions[attribute] !== undefined;
  }

  /** The changes that the attribute refers to: several if the configuration does not determine one. */
  resolve(change: ResourceChange, attribute: string): readonly ResourceChange[] {
    const resource = this.resource(change);
    const direct = referencesOf(resource?.expressions[attribute]);
    const usesEach = direct.some((reference) => reference.startsWith("each."));
    return this.follow(change, usesEach ? [...direct, ...referencesOf(resource?.for_each_expression)] : direct);
  }

  private resource({ module, configAddress }: ResourceChange) {
    return this.module(module)?.resources.find(({ address }) => address === configAddress);
  }

  private module(address: string): ConfigModule | undefined {
    return configModule(this.plan.configuration, address);
  }

  private follow(scope: Scope, references: readonly string[]): readonly ResourceChange[] {
    const { module, index } = scope;
    const found = references.flatMap((reference): readonly ResourceChange[] => {
      const [root, name = "", output = ""] = reference.replace(/\[(?:"(?:[^"\\]|\\.)*"|\d+)\]/g, "").split(".");
      if (root === "var") return this.followVariable(scope, name);
      if (root === "module") return this.followOutput(scope, reference, name, output);
      const address = root === "data" ? `data.${name}.${output}` : `${root}.${name}`;
      return this.plan.changes.filter((each) => each.module === module && each.configAddress === address);
    });
    const isNamed = ({ address }: ResourceChange) =>
      references.some((reference) => inModule(module, reference) === address);
    const named = references.some((each) => each.startsWith("each.")) ? [] : found.filter(isNamed);
    const candidates = named.length > 0 ? named : found;
    const sameKey = candidates.filter((each) => index !== undefined && each.index === index);
    return [...new Set(candidates.length > 1 && sameKey.length > 0 ? sameKey : candidates)];
  }

  /** Follows a variable of a module to the argument in the module's call. */
  private followVariable({ module, index }: Scope, name: string): readonly ResourceChange[] {
    const path = moduleSteps(module);
    const call = path.pop();
    if (call === undefined) return [];
    const parent = path.map(({ text }) => text).join(".");
    const argument = this.module(parent)?.module_calls[call.name]?.expressions[name];
    return this.follow({ module: parent, index }, referencesOf(argument));
  }

  /** Follows an output of a called module; of all its instances if the reference has no key. */
  private followOutput({ module, index }: Scope, reference: string, name: string, output: string) {
    const expression = this.module(module)?.module_calls[name]?.module.outputs[output]?.expression;
    const instances = [...new Set(this.plan.changes.map((each) => each.module))].filter((address) => {
      const call = moduleSteps(address).pop();
      return call?.name === name && address === inModule(module, call.text);
    });
    const exact = instances.filter((address) => inModule(module, reference).startsWith(`${address}.`));
    return (exact.length > 0 ? exact : instances).flatMap((address) =>
      this.follow({ module: address, index }, referencesOf(expression)),
    );
  }
}

const inModule = (module: string, address: string) => (module === "" ? address : `${module}.${address}`);

function referencesOf(expression: unknown): readonly string[] {
  const references = isMap(expression) ? expression.references : undefined;
  return Array.isArray(references) ? references.filter((each) => typeof each === "string") : [];
}
