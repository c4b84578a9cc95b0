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
import { covers, literalPattern } from "../../policy/containment";
import { asArray, type PolicyDocument, type Statement } from "../../policy/document";
import {
  isWellFormed,
  type NormalizedCondition,
  type NormalizedStatement,
  normalizePolicy,
  normalizeStatement,
} from "../../policy/normal-form";

/** A policy as far as the plan shows it. */
export interface Document {
  readonly statements: readonly PlannedStatement[];
  /** Why not all of it can be read; undefined when it can. */
  readonly unclear?: string;
  /** The value that it was read from, to see whether what cannot be read has changed. */
  readonly source: Value;
}

/** A statement in a form to compare: condition keys in lower case, values in order, account IDs as root ARNs. */
export interface PlannedStatement extends NormalizedStatement {
  /** The statement is partly unknown, or negated (`NotAction` and the like): it cannot be compared as a set. */
  readonly notComparable: boolean;
  /** The statement without its Sid as JSON, to compare and to show. */
  readonly text: string;
}

/** The policy in an attribute; undefined when the attribute is not set. */
export function readDocument(source: Value | undefined): Document | undefined {
  if (source === undefined || source === null || source === "") return undefined;
  if (source instanceof Hidden) return { statements: [], unclear: source.text, source };
  const document = typeof source === "string" ? parseJson(source) : source;
  const policy = normalizePolicy(document);
  if (!isWellFormed(policy)) return { statements: [], unclear: "not a policy that this review can read", source };
  // Only the newer language has variables; `covers` reads them everywhere.
  const older = !policy.variables && canonical(document).includes("${");
  const unclear = older ? { unclear: "written in the version 2008-10-17, which takes ${…} for text" } : {};
  const { Statement: list } = document as PolicyDocument;
  return { statements: asArray(list).map((each) => plannedStatement(each, false)), ...unclear, source };
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
    statements: blocks.map(statementOfBlock),
    unclear: `known after apply; read from ${address}${suffix}`,
    source: UNKNOWN,
  };
}

function statementOfBlock(block: Value): PlannedStatement {
  if (!isMap(block)) return plannedStatement({ Effect: "Allow" }, true);
  const of = argumentsOf(block);
  const statement = {
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
  return plannedStatement(statement, hidden);
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

function plannedStatement(statement: object, hidden: boolean): PlannedStatement {
  const { Sid: _, ...rest } = statement as Statement;
  const normalized = normalizeStatement(rest);
  const { Principal, NotPrincipal, NotAction, NotResource } = normalized;
  return {
    ...normalized,
    ...(Principal && { Principal: Principal.map(({ kind, id }) => ({ kind, id: rootArn(kind, id) })) }),
    conditions: normalized.conditions.map((each) => ({
      ...each,
      key: each.key.toLowerCase(),
      values: [...each.values].sort(),
    })),
    notComparable: hidden || (NotPrincipal ?? NotAction ?? NotResource) !== undefined,
    text: canonical(sortedLists(rest)),
  };
}

function rootArn(kind: string, id: string): string {
  return kind === "AWS" && /^\d{12}$/.test(id) ? `arn:aws:iam::${id}:root` : id;
}

/** Whether nothing that the two say differs, and nothing that cannot be read has changed. */
export function sameDocument(left: Document | undefined, right: Document | undefined): boolean {
  return (
    left === right ||
    (left !== undefined && right !== undefined && same(left.source, right.source) && !isUnknown(right.source))
  );
}

/** Whether whatever meets the conditions `narrow` meets the conditions `wide` as well. */
export function permits(wide: readonly NormalizedCondition[], narrow: readonly NormalizedCondition[]): boolean {
  return wide.every((condition) => narrow.some((other) => implies(other, condition)));
}

function implies(narrow: NormalizedCondition, wide: NormalizedCondition): boolean {
  if (narrow.key !== wide.key) return false;
  const [from, to] = [patterns(narrow), patterns(wide)];
  if (from === undefined || to === undefined) return same(narrow, wide);
  return from.every((pattern) => to.some((other) => covers(other, pattern)));
}

/** A condition's values as patterns, for the operators that are nothing but that; undefined for all others. */
export function patterns({ operator, values }: NormalizedCondition): readonly string[] | undefined {
  // ForAnyValue is the plain operator for a key of one value, and false as well for a key that is absent.
  switch (operator.replace(/^ForAnyValue:/, "")) {
    case "StringEquals":
      return values.map(literalPattern);
    case "StringLike":
      return values;
    default:
      return undefined;
  }
}
