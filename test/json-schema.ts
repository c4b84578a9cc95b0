import { isDeepStrictEqual } from "node:util";

interface Schema {
  readonly $ref?: string;
  readonly $defs?: { readonly [name: string]: Schema };
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly type?: string;
  readonly minimum?: number;
  readonly required?: readonly string[];
  readonly properties?: { readonly [name: string]: Schema };
  readonly additionalProperties?: false;
  readonly items?: Schema;
}

const SUPPORTED = [
  ...["$schema", "$ref", "$defs", "title", "description", "const", "enum", "type", "minimum", "required"],
  ...["properties", "additionalProperties", "items"],
];

/**
 * Where a value does not match a JSON Schema, e.g. `/data/verdict: type`. Empty if it matches. Supports the keywords above;
 * every object must be closed by `additionalProperties: false`.
 *
 * @throws {Error} the schema uses other keywords
 */
export function schemaErrors(root: Schema, value: unknown, schema: Schema = root, path = ""): string[] {
  const unsupported = Object.keys(schema).filter((keyword) => !SUPPORTED.includes(keyword));
  if (unsupported.length > 0) throw new Error(`unsupported keywords: ${unsupported.join(", ")}`);
  if (schema.$ref !== undefined) {
    const target = root.$defs?.[schema.$ref.replace("#/$defs/", "")];
    if (target === undefined) throw new Error(`${schema.$ref} does not exist`);
    return schemaErrors(root, value, target, path);
  }
  const { properties, required = [], items } = schema;
  if (properties !== undefined && schema.additionalProperties !== false) throw new Error(`${path} is not closed`);
  const failed = (keyword: string, fails: boolean) => (fails ? [`${path}: ${keyword}`] : []);
  const isNumber = typeof value === "number";
  const errors = [
    ...failed("const", "const" in schema && !isDeepStrictEqual(value, schema.const)),
    ...failed("enum", schema.enum !== undefined && !schema.enum.includes(value)),
    ...failed("type", schema.type !== undefined && !hasType(value, schema.type)),
    ...failed("minimum", schema.minimum !== undefined && isNumber && value < schema.minimum),
  ];
  if (Array.isArray(value) && items !== undefined)
    return [...errors, ...value.flatMap((item, at) => schemaErrors(root, item, items, `${path}/${at}`))];
  if (properties === undefined || !hasType(value, "object")) return errors;
  const fields = value as { readonly [name: string]: unknown };
  return [
    ...errors,
    ...required.filter((name) => !Object.hasOwn(fields, name)).map((name) => `${path}/${name}: required`),
    ...Object.entries(fields).flatMap(([name, field]) => {
      const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
      const at = `${path}/${name}`;
      return property === undefined ? [`${at}: additionalProperties`] : schemaErrors(root, field, property, at);
    }),
  ];
}

function hasType(value: unknown, type: string): boolean {
  if (type === "integer") return Number.isInteger(value);
  if (type === "array") return Array.isArray(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  return typeof value === type;
}
