import { groupBy } from "../../group-by";
import { format } from "../../plan/difference";
import {
  canonical,
  displayed,
  elements,
  Hidden,
  hiddenIn,
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

/** A policy as far as the plan contains it. */
export interface Document {
  readonly statements: readonly PlannedStatement[];
  /** Why it cannot be read, or not completely. Absent if it can. */
  readonly unreadable?: string;
  /** The value that it was read from: tells whether a document that cannot be read has changed. */
  readonly source: Value;
}

/** A principal of a statement. Its id is hidden while Terraform does not know it. */
export interface PlannedPrincipal {
  readonly kind: string;
  readonly id: string | Hidden;
}

/** A statement in a form to compare: condition keys in lower case, sorted values, account ids as root ARNs. */
export interface PlannedStatement extends NormalizedStatement {
  /** The element `Principal`. */
  readonly principals?: readonly PlannedPrincipal[];
  /** Whether it can be compared as a set: completely known, without `NotAction` and the like. */
  readonly comparable: boolean;
  /** The statement without its Sid as JSON, to compare and to show. */
  readonly text: string;
  /** The hidden values in it: statements with different ones can have the same text. */
  readonly hidden: readonly Hidden[];
}

/** Reads the policy in an attribute. Undefined if the attribute is not set. */
export function readDocument(source: Value | undefined): Document | undefined {
  if (source === undefined || source === null || source === "") return undefined;
  if (source instanceof Hidden) return { statements: [], unreadable: source.text, source };
  const document = typeof source === "string" ? parseJson(source) : source;
  const policy = normalizePolicy(document);
  if (!isWellFormed(policy)) return { statements: [], unreadable: "not a policy that this review can read", source };
  // Policies of version 2008-10-17 have no variables, but `covers` takes every ${…} for one.
  const isLiteral = !policy.variables && canonical(document).includes("${");
  return {
    statements: asArray((document as PolicyDocument).Statement).map((each) => plannedStatement(each)),
    ...(isLiteral && { unreadable: "of version 2008-10-17, in which ${…} is literal" }),
    source,
  };
}

/**
 * Reads the policy that a data source `aws_iam_policy_document` will generate, from its planned arguments: for a policy
 * that is unknown because e.g. the provider's ARN is. It stays `unreadable`, since an expression can change it further.
 */
export function documentOfDataSource(address: string, planned: { readonly [argument: string]: Value }): Document {
  const merged = ["source_json", "override_json", "source_policy_documents", "override_policy_documents"].filter(
    (argument) => (planned[argument] ?? null) !== null && canonical(planned[argument]) !== "[]",
  );
  const suffix = merged.length > 0 ? `, which also merges ${merged.join(" and ")}` : "";
  return {
    statements: elements(planned.statement).map(statementOfBlock),
    unreadable: `known after apply; read from ${address}${suffix}`,
    source: UNKNOWN,
  };
}

/**
 * A policy that is one of several, because e.g. a conditional expression selects it: it allows what any of them allows,
 * and denies what all of them deny.
 *
 * @param complete whether it can be no other one
 */
export function anyOfDocuments(documents: readonly Document[], names: readonly string[], complete: boolean): Document {
  const statements = documents.flatMap((document) => document.statements);
  const isEverywhere = (statement: PlannedStatement) =>
    complete && documents.every((document) => notIn([statement], document.statements).length === 0);
  const list = names.join(" or ");
  return {
    statements: statements.filter((each) => each.Effect === "Allow" || isEverywhere(each)),
    unreadable: `known after apply; read from ${complete ? list : `${list}, or another one`}`,
    source: UNKNOWN,
  };
}

/** Access that a resource grants by attributes instead of a policy, in the form of a policy. */
export interface Grant {
  readonly principals: readonly PlannedPrincipal[];
  readonly actions: readonly Value[];
  readonly resources: readonly Value[];
  /** What limits the grant: attributes with their values. */
  readonly limits: readonly (readonly [attribute: string, value: Value])[];
}

/** The policy that grants what the resource grants. */
export function documentOfGrants(grants: readonly Grant[], source: Value): Document {
  return {
    statements: grants.map(({ principals, actions, resources, limits }) =>
      plannedStatement(
        {
          Effect: "Allow",
          Principal: byKind(principals),
          Action: actions.map(inOneLine),
          Resource: resources.map(inOneLine),
          Condition: { "": conditionOf(limits) },
        },
        { elements: hiddenIn([...actions, ...resources, ...limits.map(([, value]) => value)]) },
        principals,
      ),
    ),
    source,
  };
}

function conditionOf(limits: Grant["limits"]): Record<string, string[]> {
  const byAttribute = groupBy(limits, ([attribute]) => attribute);
  return Object.fromEntries([...byAttribute].map(([name, all]) => [name, all.map(([, value]) => inOneLine(value))]));
}

/** A value in a finding: different values have different texts, hidden ones aside. */
export function inOneLine(value: Value): string {
  if (!isMap(value) && !Array.isArray(value)) return displayed(value);
  return format(value)
    .map((line) => line.trim())
    .join(" ");
}

function statementOfBlock(block: Value): PlannedStatement {
  const { effect, actions, not_actions, resources, not_resources, ...nested } = argumentsOf(block);
  const Condition: Record<string, Record<string, string[]>> = {};
  for (const { test = null, variable = null, values } of elements(nested.condition).map(argumentsOf)) {
    const [operator, key] = [displayed(test), displayed(variable)];
    const keys = Condition[operator] ?? {};
    Condition[operator] = { ...keys, [key]: [...(keys[key] ?? []), ...elements(values).map(displayed)] };
  }
  const principals = principalsOf(nested.principals);
  const lists = { Action: actions, NotAction: not_actions, Resource: resources, NotResource: not_resources };
  const statement = {
    Effect: effect === "Deny" ? "Deny" : "Allow",
    Principal: byKind(principals),
    NotPrincipal: byKind(principalsOf(nested.not_principals)),
    ...Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, elements(list).map(displayed)])),
    Condition,
  };
  const present = Object.entries(statement).filter(([, value]) => Object.keys(value).length > 0);
  // An unknown principal or resource is compared with itself only. Unknown actions or conditions cannot be compared.
  const incomparable = isMap(block) ? [effect, actions, not_actions, nested.condition] : block;
  const hidden = { elements: hiddenIn(incomparable), others: hiddenIn(block) };
  return plannedStatement(Object.fromEntries(present), hidden, principals);
}

function principalsOf(blocks: Value | undefined): PlannedPrincipal[] {
  return elements(blocks)
    .map(argumentsOf)
    .flatMap(({ type = null, identifiers }) =>
      elements(identifiers).map((id) => ({
        // The data source writes the kind `*` as `AWS`.
        kind: type === "*" ? "AWS" : displayed(type),
        id: id instanceof Hidden ? id : String(id),
      })),
    );
}

function byKind(principals: readonly PlannedPrincipal[]): Record<string, string[]> {
  const groups = groupBy(principals, ({ kind }) => kind);
  return Object.fromEntries([...groups].map(([kind, group]) => [kind, group.map(({ id }) => displayed(id))]));
}

function argumentsOf(block: Value): { readonly [argument: string]: Value } {
  return isMap(block) ? (block as { [argument: string]: Value }) : {};
}

function plannedStatement(
  { Sid: _, ...statement }: Partial<Statement>,
  /** Hidden values: those that cannot be compared, and others, which are compared with themselves only. */
  hidden: { readonly elements: readonly Hidden[]; readonly others?: readonly Hidden[] } = { elements: [] },
  principals?: readonly PlannedPrincipal[],
): PlannedStatement {
  const normalized = normalizeStatement(statement);
  const { Principal, NotPrincipal, NotAction, NotResource } = normalized;
  return {
    ...normalized,
    principals: Principal && (principals ?? Principal).map(({ kind, id }) => ({ kind, id: rootArn(kind, id) })),
    conditions: normalized.conditions.map((each) => ({
      ...each,
      key: each.key.toLowerCase(),
      values: [...each.values].sort(),
    })),
    hidden: [...(hidden.others ?? hidden.elements), ...hiddenIn(principals?.map(({ id }) => id))],
    comparable: hidden.elements.length === 0 && (NotPrincipal ?? NotAction ?? NotResource) === undefined,
    text: canonical(sortedLists(statement)),
  };
}

function rootArn(kind: string, id: string | Hidden): string | Hidden {
  return kind === "AWS" && typeof id === "string" && /^\d{12}$/.test(id) ? `arn:aws:iam::${id}:root` : id;
}

/** The statements that the others do not contain in the same form. */
export function notIn<T extends PlannedStatement>(statements: readonly T[], others: readonly PlannedStatement[]): T[] {
  const byText = groupBy(others, ({ text }) => text);
  return statements.filter(({ text, hidden }) => !byText.get(text)?.some((other) => same(other.hidden, hidden)));
}

/** Whether both documents are the same, including the parts that cannot be read. */
export function sameDocument(left: Document | undefined, right: Document | undefined): boolean {
  return left === right || (same(left?.source, right?.source) && !isUnknown(right?.source));
}

/** Whether every request that meets the conditions `narrow` meets the conditions `wide`. */
export function permits(wide: readonly NormalizedCondition[], narrow: readonly NormalizedCondition[]): boolean {
  return wide.every((condition) => narrow.some((other) => implies(other, condition)));
}

function implies(narrow: NormalizedCondition, wide: NormalizedCondition): boolean {
  if (narrow.key !== wide.key) return false;
  const [from, to] = [patterns(narrow), patterns(wide)];
  if (from === undefined || to === undefined) return same(narrow, wide);
  return from.every((pattern) => to.some((other) => covers(other, pattern)));
}

/** The values of a condition as patterns. Undefined for operators that do not compare with patterns. */
export function patterns({ operator, values }: NormalizedCondition): readonly string[] | undefined {
  // For a key with one value, ForAnyValue changes nothing: it is false too if the key is absent.
  switch (operator.replace(/^ForAnyValue:/, "")) {
    case "StringEquals":
      return values.map(literalPattern);
    case "StringLike":
      return values;
    default:
      return undefined;
  }
}

/** Describes a condition in one line. */
export function describeCondition({ operator, key, values }: NormalizedCondition): string {
  return `${operator === "" ? "" : `${operator} `}${key} ${values.join(", ")}`;
}
