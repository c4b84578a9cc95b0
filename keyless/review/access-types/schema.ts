/** A provider's schema, as `terraform providers schema -json` prints it. Only the part that is read. */
export interface ProviderSchema {
  readonly resource_schemas: { readonly [type: string]: { readonly block: SchemaBlock } };
}

/** @see https://developer.hashicorp.com/terraform/cli/commands/providers/schema#block-representation */
export interface SchemaBlock {
  readonly attributes?: { readonly [name: string]: SchemaAttribute };
  readonly block_types?: { readonly [name: string]: { readonly block: SchemaBlock } };
}

interface SchemaAttribute {
  readonly type?: SchemaType;
  readonly nested_type?: SchemaBlock;
  readonly required?: boolean;
  readonly optional?: boolean;
  readonly computed?: boolean;
}

/** `"string"`, `["set", "string"]`, `["list", ["object", { name: "string" }]]`. */
type SchemaType = string | readonly [string, SchemaType | { readonly [name: string]: SchemaType }];

/** An attribute or block that a configuration can set. */
export interface SchemaNode {
  /** The names of the blocks that contain it, and its own, joined by dots. */
  readonly path: string;
  /** The last name of the path. */
  readonly name: string;
  /** Of a collection, the type of its elements. */
  readonly kind: "string" | "bool" | "number" | "block";
  /** Whether the provider can set it if the configuration does not: of a block, the schema does not tell. */
  readonly computed: boolean;
}

/** All attributes and blocks of a resource type, without those that only the provider sets. */
export function nodesOf(block: SchemaBlock, prefix = ""): SchemaNode[] {
  const attributes = Object.entries(block.attributes ?? {}).filter(([, each]) => each.required || each.optional);
  const blocks = Object.entries(block.block_types ?? {});
  return [
    ...attributes.flatMap(([name, { type, nested_type, computed = false }]) =>
      nested_type
        ? blockNodes(name, nested_type, prefix, computed)
        : attributeNodes(name, type ?? "string", prefix, computed),
    ),
    ...blocks.flatMap(([name, each]) => blockNodes(name, each.block, prefix, true)),
  ];
}

function blockNodes(name: string, block: SchemaBlock, prefix: string, computed: boolean): SchemaNode[] {
  const node = { path: `${prefix}${name}`, name, kind: "block", computed } as const;
  return [node, ...nodesOf(block, `${prefix}${name}.`)];
}

function attributeNodes(name: string, type: SchemaType, prefix: string, computed: boolean): SchemaNode[] {
  const path = `${prefix}${name}`;
  if (typeof type === "string")
    return [{ path, name, kind: type === "bool" || type === "number" ? type : "string", computed }];
  const [collection, element] = type;
  if (collection !== "object") return attributeNodes(name, element as SchemaType, prefix, computed);
  const fields = Object.entries(element as { readonly [name: string]: SchemaType });
  return [
    { path, name, kind: "block", computed },
    ...fields.flatMap(([field, each]) => attributeNodes(field, each, `${path}.`, computed)),
  ];
}
