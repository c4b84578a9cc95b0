import type { ConfigModule, Plan, ResourceChange } from "./schema";
import { isMap } from "./value";

/**
 * The references of a plan's configuration: which resources an attribute is computed from. They lead to the planned
 * arguments of a value that is known after apply.
 */
export class References {
  constructor(private readonly plan: Pick<Plan, "changes" | "configuration">) {}

  /** Whether the configuration sets the attribute. */
  sets(change: ResourceChange, attribute: string): boolean {
    return this.resource(change)?.expressions[attribute] !== undefined;
  }

  /** The changes that the attribute refers to; several if the configuration does not determine one. */
  resolve(change: ResourceChange, attribute: string): readonly ResourceChange[] {
    const resource = this.resource(change);
    if (resource === undefined) return [];
    const direct = referencesOf(resource.expressions[attribute]);
    const all = direct.some((reference) => reference.startsWith("each."))
      ? [...direct, ...referencesOf(resource.for_each_expression)]
      : direct;
    return this.follow(change.module, all, change.index);
  }

  private resource({ module, configAddress }: ResourceChange) {
    return this.module(module)?.resources.find(({ address }) => address === configAddress);
  }

  private module(address: string): ConfigModule | undefined {
    return steps(address).reduce<ConfigModule | undefined>(
      (module, { name }) => module?.module_calls[name]?.module,
      this.plan.configuration,
    );
  }

  private follow(
    module: string,
    references: readonly string[],
    index: ResourceChange["index"],
  ): readonly ResourceChange[] {
    const found = references.flatMap((reference): readonly ResourceChange[] => {
      const [root, name, output] = reference.replace(/\[(?:"(?:[^"\\]|\\.)*"|\d+)\]/g, "").split(".");
      if (root === "var" && name !== undefined) return this.argument(module, name, index);
      if (root === "module" && name !== undefined && output !== undefined)
        return this.output(module, reference, name, output, index);
      const address = root === "data" ? `data.${name}.${output}` : `${root}.${name}`;
      return this.plan.changes.filter((each) => each.module === module && each.configAddress === address);
    });
    const prefix = module === "" ? "" : `${module}.`;
    const named = found.filter(({ address }) => references.some((reference) => `${prefix}${reference}` === address));
    const narrowed = named.length > 0 && references.every((each) => !each.startsWith("each.")) ? named : found;
    const alike = narrowed.filter((each) => index !== undefined && each.index === index);
    return [...new Set(narrowed.length > 1 && alike.length > 0 ? alike : narrowed)];
  }

  private argument(module: string, name: string, index: ResourceChange["index"]): readonly ResourceChange[] {
    const path = steps(module);
    const last = path.pop();
    if (last === undefined) return [];
    const parent = path.map(({ text }) => text).join(".");
    return this.follow(parent, referencesOf(this.module(parent)?.module_calls[last.name]?.expressions[name]), index);
  }

  private output(
    module: string,
    reference: string,
    name: string,
    output: string,
    index: ResourceChange["index"],
  ): readonly ResourceChange[] {
    const inner = this.module(module)?.module_calls[name]?.module.outputs[output]?.expression;
    const prefix = `${module === "" ? "" : `${module}.`}`;
    const called = [...new Set(this.plan.changes.map((each) => each.module))].filter((each) => {
      const last = steps(each).pop();
      return last?.name === name && each === `${prefix}${last.text}`;
    });
    const exact = called.filter((each) => `${prefix}${reference}`.startsWith(`${each}.`));
    return (exact.length > 0 ? exact : called).flatMap((each) => this.follow(each, referencesOf(inner), index));
  }
}

/** The steps of a module address: `module.a["x"].module.b` has the steps a and b. */
function steps(address: string): { readonly name: string; readonly text: string }[] {
  return [...address.matchAll(/module\.([\w-]+)(?:\[(?:"(?:[^"\\]|\\.)*"|\d+)\])?/g)].map(([text, name]) => ({
    name: name ?? "",
    text,
  }));
}

function referencesOf(expression: unknown): readonly string[] {
  const references = isMap(expression) ? expression.references : undefined;
  return Array.isArray(references) ? references.filter((each) => typeof each === "string") : [];
}
