import { evaluateCondition, type Scope } from "./conditions";
import { type Context, resolveVariables } from "./context";
import {
  type ConditionResult,
  type ElementName,
  type ElementResult,
  every,
  not,
  type PolicyKind,
  type StatementResult,
  shown,
  some,
  type Verdict,
  verdictOf,
} from "./decision";
import { isObject } from "./document";
import { matches, matchesPattern } from "./pattern";
import { type Grant, isExempt, matchPrincipals, principalEntries } from "./principals";
import { isTrustAction, type Request } from "./request";

/** What a statement is evaluated in. */
export interface StatementScope {
  readonly request: Request;
  readonly context: Context;
  readonly unknownKey: (key: string) => string | undefined;
  readonly kind: PolicyKind;
  readonly index: number;
  readonly variables: boolean;
}

type Fields = { readonly [element: string]: unknown };
type Inner = StatementScope & Scope;
type Outcome = Pick<ElementResult, "verdict" | "note">;

const known = new Set([
  ...["Sid", "Effect", "Condition"],
  ...["Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource"],
]);

/** Evaluates one statement, also one that is not a statement at all. */
export function evaluateStatement(
  statement: unknown,
  scope: StatementScope,
): { result: StatementResult; grant: Grant } {
  const fields: Fields = isObject(statement) ? statement : {};
  const effect = fields.Effect === "Allow" ? "Allow" : "Deny";
  const inner: Inner = { ...scope, effect };
  const principal = evaluatePrincipal(fields, inner);
  const elements = [principal?.result, evaluateActions(fields, inner), evaluateResources(fields, inner)].filter(
    (element) => element !== undefined,
  );
  const conditions = evaluateConditions(fields.Condition, inner);
  const fault = statementFault(statement, fields);
  const parts = [...elements, ...conditions];
  const verdict = every([...parts.map((part) => part.verdict), fault === undefined ? "matched" : "unsupported"]);
  const result = {
    index: scope.index,
    ...(typeof fields.Sid === "string" && { sid: fields.Sid }),
    effect: shown(fields.Effect),
    verdict,
    ...(verdict === "unsupported" && { unsupported: fault ?? firstFault(elements, conditions) }),
    elements,
    conditions,
  };
  return { result, grant: principal?.grant ?? "direct" };
}

function statementFault(statement: unknown, fields: Fields): string | undefined {
  if (!isObject(statement)) return "it is not a JSON object";
  const unknown = Object.keys(fields).find((name) => !known.has(name));
  if (unknown !== undefined) return `its element "${unknown}" is not known`;
  if (fields.Effect === "Allow" || fields.Effect === "Deny") return undefined;
  return fields.Effect === undefined ? "it has no Effect" : `its Effect ${shown(fields.Effect)} is not known`;
}

function firstFault(elements: readonly ElementResult[], conditions: readonly ConditionResult[]): string {
  const element = elements.find(({ verdict }) => verdict === "unsupported");
  if (element !== undefined) return `${element.element}: ${element.note}`;
  const condition = conditions.find(({ verdict }) => verdict === "unsupported");
  return `${condition?.operator} on ${condition?.key}: ${condition?.note}`;
}

/** Evaluates an element that comes in two forms, such as Action and NotAction, of which a statement has one. */
function evaluateEither(
  fields: Fields,
  element: "Action" | "Resource",
  actual: string,
  evaluateList: (wanted: readonly string[], negated: boolean) => Outcome,
): ElementResult {
  const negated = fields[element] === undefined && fields[`Not${element}`] !== undefined;
  const name: ElementName = negated ? `Not${element}` : element;
  const list: readonly unknown[] = Array.isArray(fields[name]) ? fields[name] : [fields[name]];
  const wanted = list.filter((value) => typeof value === "string");
  return { element: name, wanted, actual, ...outcome() };

  function outcome(): Outcome {
    if (fields[name] === undefined) return unsupported("it is missing");
    if (!negated && fields[`Not${element}`] !== undefined) return unsupported(`it stands beside Not${element}`);
    if (wanted.length < list.length) return unsupported("its values are not strings");
    // An empty list excludes nothing: AWS gives it no meaning, and "everything" must not be guessed.
    if (negated && wanted.length === 0) return unsupported("it is empty");
    return evaluateList(wanted, negated);
  }
}

function unsupported(note: string): Outcome {
  return { verdict: "unsupported", note };
}

const actionPattern = /^(\*|\*:\*|[a-z0-9-]+:[\w*?-]+)$/i;

function evaluateActions(fields: Fields, { request }: Inner): ElementResult {
  const action = request.action.toLowerCase();
  return evaluateEither(fields, "Action", request.action, (wanted, negated) => {
    const bad = wanted.find((pattern) => !actionPattern.test(pattern));
    if (bad !== undefined) return unsupported(`"${bad}" is not an action`);
    const verdict = verdictOf(wanted.some((pattern) => matchesPattern(pattern.toLowerCase(), action)));
    return { verdict: negated ? not(verdict) : verdict };
  });
}

/** A resource policy without a resource is about the resource that it is attached to; a trust policy always is. */
function evaluateResources(fields: Fields, scope: Inner): ElementResult | undefined {
  const { request, kind } = scope;
  if (kind === "resource") {
    const absent = fields.Resource === undefined && fields.NotResource === undefined;
    if (absent) return undefined;
    if (isTrustAction(request.action)) {
      const element = fields.Resource === undefined ? "NotResource" : "Resource";
      return { element, wanted: [], actual: request.resource, ...unsupported("a trust policy cannot have it") };
    }
  }
  return evaluateEither(fields, "Resource", request.resource, (wanted, negated) => {
    const found = wanted.map((pattern) => matchResource(pattern, scope));
    const note = found.find((match) => match.note !== undefined)?.note;
    const verdict = some(found.map((match) => match.verdict));
    // A malformed value spoils the whole list, even where another one matches.
    if (found.some((match) => match.verdict === "unsupported")) return { verdict: "unsupported", note };
    if (!negated) return { verdict, note };
    // "Everything but nothing" must not let anybody in.
    return { verdict: note !== undefined && scope.effect === "Allow" ? "not-matched" : not(verdict), note };
  });
}

/** AWS's wildcards in a resource run past `/` and, at a part's end, past colons; variables only after the fifth colon. */
function matchResource(value: string, { request, context, variables }: Inner): Outcome {
  if (value !== "*" && !value.startsWith("arn:")) return unsupported(`"${value}" is neither an ARN nor "*"`);
  const resolved = resolveVariables(value, variables ? context : undefined);
  if (resolved.kind === "malformed") return unsupported(resolved.note);
  if (variables && value.split(":").slice(0, 5).join(":").includes("${")) {
    return unsupported(`"${value}" has a policy variable before its fifth colon`);
  }
  if (resolved.kind === "unresolved") return { verdict: "not-matched", note: resolved.note };
  return { verdict: verdictOf(matches(resolved.pattern, request.resource)) };
}

function evaluatePrincipal(fields: Fields, scope: Inner): { result: ElementResult; grant?: Grant } | undefined {
  const { request, kind } = scope;
  const negated = fields.Principal === undefined && fields.NotPrincipal !== undefined;
  const element: ElementName = negated ? "NotPrincipal" : "Principal";
  const absent = fields[element] === undefined;
  if (kind !== "resource" && absent) return undefined;

  const entries = principalEntries(fields[element]);
  const wanted = entries?.map(([group, id]) => `${group}: ${id}`) ?? [];
  const result = (outcome: Outcome) => ({
    element,
    wanted,
    actual: `${request.principal.kind}: ${request.principal.id}`,
    ...outcome,
  });
  if (kind !== "resource") return { result: result(unsupported(`a policy of this kind (${kind}) cannot have it`)) };
  if (absent) return { result: result(unsupported("it is missing")) };
  if (entries === undefined) return { result: result(unsupported("it cannot be read")) };
  if (!negated && fields.NotPrincipal !== undefined)
    return { result: result(unsupported("it stands beside NotPrincipal")) };
  if (negated) return { result: result(evaluateNotPrincipal(entries, scope)) };
  const { verdict, grant, note } = matchPrincipals(entries, request.principal, scope.context);
  return { result: result({ verdict, note }), grant };
}

function evaluateNotPrincipal(entries: readonly [string, string][], { effect, request }: Inner): Outcome {
  if (effect === "Allow") return unsupported("AWS does not support it in an Allow");
  const exempt: Verdict = verdictOf(isExempt(entries, request.principal));
  return { verdict: not(exempt) };
}

function evaluateConditions(condition: unknown, scope: Inner): ConditionResult[] {
  if (condition === undefined) return [];
  if (!isObject(condition)) return [unreadable("Condition", "", "it cannot be read")];
  return Object.entries(condition).flatMap(([operator, keys]) =>
    isObject(keys)
      ? Object.entries(keys).map(([key, values]) => evaluateCondition(operator, key, values, scope))
      : [unreadable(operator, "", "it cannot be read")],
  );
}

function unreadable(operator: string, key: string, note: string): ConditionResult {
  return { operator, key, wanted: [], verdict: "unsupported", note };
}
