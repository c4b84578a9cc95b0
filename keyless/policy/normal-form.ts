import { asArray, isObject } from "./document";

/** A policy document in normal form. Malformed parts are left out and named in the faults. */
export interface NormalizedPolicy {
  /** Whether the document's version has policy variables: only 2012-10-17 has. */
  readonly variables: boolean;
  readonly statements: readonly NormalizedStatement[];
  /** What is wrong with the document apart from its statements. */
  readonly fault?: string;
}

/** A statement in normal form: lists instead of one-or-many, and no nested objects. */
export interface NormalizedStatement {
  readonly Sid?: string;
  /** Any value other than "Allow" is read as a Deny; `fault` then names it. */
  readonly Effect: "Allow" | "Deny";
  readonly Principal?: readonly NormalizedPrincipal[];
  readonly NotPrincipal?: readonly NormalizedPrincipal[];
  readonly Action?: readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource?: readonly string[];
  readonly NotResource?: readonly string[];
  readonly conditions: readonly NormalizedCondition[];
  /** What is wrong with the statement apart from its elements. */
  readonly fault?: string;
  readonly elementFaults: { readonly [name in ElementName]?: string };
}

/** The elements of a statement that are compared with a request, conditions excepted. */
export type ElementName = "Principal" | "NotPrincipal" | "Action" | "NotAction" | "Resource" | "NotResource";

/** One value of a Principal element. The element `"*"` is read as kind `AWS` and id `*`. */
export interface NormalizedPrincipal {
  readonly kind: string;
  readonly id: string;
}

/** One operator on one condition key. */
export interface NormalizedCondition {
  readonly operator: string;
  /** As written; empty when the operator has no keys that can be read. */
  readonly key: string;
  /** Numbers and booleans as strings. */
  readonly values: readonly string[];
  readonly fault?: string;
}

const POLICY_ELEMENTS = new Set(["Version", "Id", "Statement"]);
const LIST_ELEMENTS = ["Action", "NotAction", "Resource", "NotResource"] as const;
const STATEMENT_ELEMENTS = new Set(["Sid", "Effect", "Condition", "Principal", "NotPrincipal", ...LIST_ELEMENTS]);
/** AWS does not accept a wildcard in the service of an action. */
const ACTION = /^(\*|\*:\*|[a-z0-9-]+:[\w*?-]+)$/i;
const PRINCIPAL_KINDS = new Set(["AWS", "Federated", "Service", "CanonicalUser"]);

/**
 * Brings a policy document into normal form. Never throws: any JSON value is accepted, and the faults say what differs
 * from the grammar.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
export function normalizePolicy(document: unknown): NormalizedPolicy {
  const { Version: version = "2008-10-17", Statement: list } = isObject(document) ? document : {};
  return {
    variables: version === "2012-10-17",
    statements: asArray(list).map(normalizeStatement),
    fault: documentFault(),
  };

  function documentFault(): string | undefined {
    if (!isObject(document)) return "it is not a JSON object";
    if (version !== "2012-10-17" && version !== "2008-10-17") return `unknown version ${JSON.stringify(version)}`;
    const unknown = Object.keys(document).find((element) => !POLICY_ELEMENTS.has(element));
    if (unknown !== undefined) return `unknown element "${unknown}"`;
    return list === undefined ? "it has no statement" : undefined;
  }
}

/** Whether a document follows the grammar of the policy language, in all of its statements. */
export function isWellFormed({ fault, statements }: NormalizedPolicy): boolean {
  const faults = (statement: NormalizedStatement) => [
    statement.fault,
    ...Object.values(statement.elementFaults),
    ...statement.conditions.map((condition) => condition.fault),
  ];
  return [fault, ...statements.flatMap(faults)].every((each) => each === undefined);
}

/** Brings one statement into normal form; see {@link normalizePolicy}. */
export function normalizeStatement(statement: unknown): NormalizedStatement {
  const fields = isObject(statement) ? statement : {};
  const elementFaults: { [name in ElementName]?: string } = {};
  const elements: { [name in ElementName]?: readonly unknown[] } = {};
  for (const name of LIST_ELEMENTS) {
    if (fields[name] === undefined) continue;
    const list = asArray<unknown>(fields[name]);
    elements[name] = list.filter((value) => typeof value === "string");
    if (elements[name].length < list.length) elementFaults[name] = "its values are not strings";
    // AWS does not document the meaning of an empty list; it must not be read as "everything".
    else if (name.startsWith("Not") && list.length === 0) elementFaults[name] = "it is empty";
    const bad = name.endsWith("Action") ? elements[name].find((action) => !ACTION.test(String(action))) : undefined;
    if (bad !== undefined) elementFaults[name] = `"${bad}" is not an action`;
  }
  for (const name of ["Principal", "NotPrincipal"] as const) {
    if (fields[name] === undefined) continue;
    const { principals, valid } = normalizePrincipal(fields[name]);
    elements[name] = principals;
    if (!valid) elementFaults[name] = "it is malformed";
  }
  for (const name of ["Principal", "Action", "Resource"] as const) {
    if (elements[name] && elements[`Not${name}`]) elementFaults[name] = `${name} and Not${name} cannot both be present`;
  }
  return {
    ...(typeof fields.Sid === "string" && { Sid: fields.Sid }),
    Effect: fields.Effect === "Allow" ? "Allow" : "Deny",
    ...(elements as Pick<NormalizedStatement, ElementName>),
    conditions: normalizeConditions(fields.Condition),
    fault: isObject(statement) ? statementFault(statement) : "it is not a JSON object",
    elementFaults,
  };
}

function statementFault(fields: { readonly [element: string]: unknown }): string | undefined {
  const unknown = Object.keys(fields).find((element) => !STATEMENT_ELEMENTS.has(element));
  if (unknown !== undefined) return `unknown element "${unknown}"`;
  if (fields.Effect === "Allow" || fields.Effect === "Deny") return undefined;
  return fields.Effect === undefined ? "it has no Effect" : `unknown Effect ${shown(fields.Effect)}`;
}

function normalizePrincipal(element: unknown): { principals: readonly NormalizedPrincipal[]; valid: boolean } {
  if (element === "*") return { principals: [{ kind: "AWS", id: "*" }], valid: true };
  if (!isObject(element)) return { principals: [], valid: false };
  const entries = Object.entries(element).flatMap(([kind, ids]) => asArray(ids).map((id) => ({ kind, id })));
  const principals = entries.filter((entry): entry is NormalizedPrincipal => typeof entry.id === "string");
  return { principals, valid: entries.every(({ kind, id }) => PRINCIPAL_KINDS.has(kind) && typeof id === "string") };
}

function normalizeConditions(element: unknown): readonly NormalizedCondition[] {
  const malformed = (operator: string) => [{ operator, key: "", values: [], fault: "it is malformed" }];
  if (element === undefined) return [];
  if (!isObject(element)) return malformed("Condition");
  return Object.entries(element).flatMap(([operator, keys]) =>
    isObject(keys)
      ? Object.entries(keys).map(([key, value]) => {
          const values = asArray(value);
          const valid = values.length > 0 && values.every(isScalar);
          return { operator, key, values: values.map(shown), ...(!valid && { fault: "its values are not strings" }) };
        })
      : malformed(operator),
  );
}

function isScalar(value: unknown): boolean {
  return typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}

/** Any value of a document as text. */
export function shown(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
