import * as v from "valibot";
import {
  canonical,
  Hidden,
  hasUnknown,
  isMap,
  isUnknown,
  parseJson,
  same,
  sortedLists,
  UNKNOWN,
  type Value,
} from "../../plan/value";
import { covers, literal } from "../../policy/containment";

/** A policy as far as the plan shows it. */
export interface Document {
  readonly clauses: readonly Clause[];
  /** Why not all of it can be read; undefined when it can. */
  readonly unclear?: string;
  /** The value that it was read from, to see whether what cannot be read has changed. */
  readonly source: Value;
}

/** One statement, normalized: lists instead of one-or-many, `Sid` left out. */
export interface Clause {
  readonly effect: "Allow" | "Deny";
  /** E.g. `AWS arn:aws:iam::123456789012:root` or `AWS *`; undefined in a policy that has no principals. */
  readonly principals?: readonly string[];
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions: readonly Condition[];
  /** It says what it does not mean (`NotAction` and the like), or is partly unknown: no set to compare. */
  readonly opaque: boolean;
  /** The statement as JSON, to compare and to show. */
  readonly text: string;
}

export interface Condition {
  readonly operator: string;
  /** In lower case: AWS does not tell keys apart by case. */
  readonly key: string;
  readonly values: readonly string[];
}

const oneOrMany = v.pipe(
  v.union([v.string(), v.array(v.string())]),
  v.transform((value) => (typeof value === "string" ? [value] : [...value])),
);
const principal = v.union([v.literal("*"), v.record(v.string(), oneOrMany)]);
const scalar = v.pipe(v.union([v.string(), v.number(), v.boolean()]), v.transform(String));
const conditionValues = v.union([
  v.pipe(
    scalar,
    v.transform((value) => [value]),
  ),
  v.array(scalar),
]);

// Strict: an element that this does not know may mean anything, so such a policy counts as unreadable.
const statementSchema = v.strictObject({
  Sid: v.optional(v.string()),
  Effect: v.picklist(["Allow", "Deny"]),
  Principal: v.optional(principal),
  NotPrincipal: v.optional(principal),
  Action: v.optional(oneOrMany),
  NotAction: v.optional(oneOrMany),
  Resource: v.optional(oneOrMany),
  NotResource: v.optional(oneOrMany),
  Condition: v.optional(v.record(v.string(), v.record(v.string(), conditionValues))),
});
const documentSchema = v.strictObject({
  Version: v.optional(v.string()),
  Id: v.optional(v.string()),
  Statement: v.union([
    v.pipe(
      statementSchema,
      v.transform((one) => [one]),
    ),
    v.array(statementSchema),
  ]),
});

type RawStatement = v.InferOutput<typeof statementSchema>;

/** The policy in an attribute; undefined when the attribute is not set. */
export function readDocument(source: Value | undefined): Document | undefined {
  if (source === undefined || source === null || source === "") return undefined;
  if (source instanceof Hidden) return { clauses: [], unclear: source.text, source };
  const parsed = v.safeParse(documentSchema, typeof source === "string" ? parseJson(source) : source);
  if (!parsed.success) return { clauses: [], unclear: "not a policy that this review can read", source };
  // Only the newer language has variables; `covers` reads them everywhere.
  const older = parsed.output.Version !== "2012-10-17" && canonical(parsed.output).includes("${");
  const unclear = older ? { unclear: "written in the version 2008-10-17, which takes ${…} for text" } : {};
  return { clauses: parsed.output.Statement.map((statement) => toClause(statement, false)), ...unclear, source };
}

/**
 * The policy that a data source `aws_iam_policy_document` is going to make: its own planned arguments, for a policy
 * that is known only after apply because, say, the provider's ARN is. It stays `unclear`: an expression may still do
 * anything to it.
 */
export function documentOfDataSource(address: string, planned: { readonly [argument: string]: Value }): Document {
  const blocks = Array.isArray(planned.statement) ? (planned.statement as readonly Value[]) : [];
  const merged = ["source_json", "override_json", "source_policy_documents", "override_policy_documents"].filter(
    (argument) => (planned[argument] ?? null) !== null && canonical(planned[argument]) !== "[]",
  );
  const suffix = merged.length > 0 ? `, which also merges ${merged.join(" and ")}` : "";
  return {
    clauses: blocks.map(blockToClause),
    unclear: `known after apply; read from ${address}${suffix}`,
    source: UNKNOWN,
  };
}

function blockToClause(block: Value): Clause {
  if (!isMap(block)) return toClause({ Effect: "Allow" }, true);
  const of = argumentsOf(block);
  const statement: RawStatement = {
    Effect: of.effect === "Deny" ? "Deny" : "Allow",
    ...element("Principal", principalElement(list(of.principals))),
    ...element("NotPrincipal", principalElement(list(of.not_principals))),
    ...element("Action", texts(of.actions)),
    ...element("NotAction", texts(of.not_actions)),
    ...element("Resource", texts(of.resources)),
    ...element("NotResource", texts(of.not_resources)),
    Condition: conditionElement(list(of.condition)),
  };
  // An unknown principal or resource stands for itself; an unknown action or condition leaves nothing to compare.
  const hidden = [of.effect, of.actions, of.not_actions, of.condition].some(hasUnknown);
  return toClause(statement, hidden);
}

function conditionElement(blocks: readonly Value[]): Record<string, Record<string, string[]>> {
  const element: Record<string, Record<string, string[]>> = {};
  for (const { test, variable, values } of blocks.map(argumentsOf)) {
    const [operator, key] = [text(test ?? null), text(variable ?? null)];
    const others = element[operator] ?? {};
    element[operator] = { ...others, [key]: [...(others[key] ?? []), ...texts(values)] };
  }
  return element;
}

function principalElement(blocks: readonly Value[]): Record<string, string[]> {
  const element: Record<string, string[]> = {};
  for (const { type, identifiers } of blocks.map(argumentsOf)) {
    // The data source writes the kind `*` out as `AWS`.
    const kind = type === "*" ? "AWS" : text(type ?? null);
    element[kind] = [...(element[kind] ?? []), ...texts(identifiers)];
  }
  return element;
}

type Arguments = { readonly [argument: string]: Value };
const argumentsOf = (block: Value): Arguments => (isMap(block) ? (block as Arguments) : {});
const list = (value: Value | undefined): readonly Value[] =>
  Array.isArray(value) ? value : value instanceof Hidden ? [value] : [];
const text = (value: Value): string => (value instanceof Hidden ? value.text : String(value));
const texts = (value: Value | undefined): string[] => list(value).map(text);
const element = (name: string, value: string[] | Record<string, string[]>) =>
  Object.keys(value).length > 0 ? { [name]: value } : {};

function toClause(statement: RawStatement, hidden: boolean): Clause {
  const { Sid, ...rest } = statement;
  const negated = statement.NotPrincipal ?? statement.NotAction ?? statement.NotResource;
  return {
    effect: statement.Effect,
    principals: statement.Principal && principalsOf(statement.Principal),
    actions: statement.Action ?? [],
    resources: statement.Resource ?? [],
    conditions: Object.entries(statement.Condition ?? {}).flatMap(([operator, keys]) =>
      Object.entries(keys).map(([key, values]) => ({ operator, key: key.toLowerCase(), values: [...values].sort() })),
    ),
    opaque: hidden || negated !== undefined,
    text: canonical(sortedLists(rest)),
  };
}

function principalsOf(principal: NonNullable<RawStatement["Principal"]>): string[] {
  if (principal === "*") return ["AWS *"];
  return Object.entries(principal).flatMap(([kind, ids]) =>
    ids.map((id) => `${kind} ${kind === "AWS" && /^\d{12}$/.test(id) ? `arn:aws:iam::${id}:root` : id}`),
  );
}

/** Whether nothing that the two say differs, and nothing that cannot be read has changed. */
export function sameDocument(left: Document | undefined, right: Document | undefined): boolean {
  return (
    left === right ||
    (left !== undefined && right !== undefined && same(left.source, right.source) && !isUnknown(right.source))
  );
}

/** Whether whatever meets the conditions `narrow` meets the conditions `wide` as well. */
export function permits(wide: readonly Condition[], narrow: readonly Condition[]): boolean {
  return wide.every((condition) => narrow.some((other) => implies(other, condition)));
}

function implies(narrow: Condition, wide: Condition): boolean {
  if (narrow.key !== wide.key) return false;
  const [from, to] = [patterns(narrow), patterns(wide)];
  if (from === undefined || to === undefined) return same(narrow, wide);
  return from.every((pattern) => to.some((other) => covers(other, pattern)));
}

/** A condition's values as patterns, for the operators that are nothing but that; undefined for all others. */
export function patterns({ operator, values }: Condition): readonly string[] | undefined {
  // ForAnyValue is the plain operator for a key of one value, and false as well for a key that is absent.
  switch (operator.replace(/^ForAnyValue:/, "")) {
    case "StringEquals":
      return values.map(literal);
    case "StringLike":
      return values;
    default:
      return undefined;
  }
}
