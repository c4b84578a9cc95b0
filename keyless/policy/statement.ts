import { type ConditionScope, evaluateCondition } from "./conditions";
import { resolveVariables } from "./context";
import {
  type ConditionResult,
  type ElementResult,
  every,
  type MatchResult,
  not,
  type PolicyKind,
  type StatementResult,
  some,
  unsupported,
  type Verdict,
  verdictOf,
} from "./decision";
import type { ElementName, NormalizedStatement } from "./normal-form";
import { matches, matchesPattern } from "./pattern";
import { isExempt, type MatchStrength, matchPrincipals } from "./principals";
import { isTrustAction, type Request } from "./request";

/** What a statement is evaluated against. */
export interface StatementScope extends Omit<ConditionScope, "effect"> {
  readonly request: Request;
  readonly kind: PolicyKind;
  readonly index: number;
}

type FullScope = StatementScope & ConditionScope;

/** Evaluates one statement. A malformed statement is never matched as an Allow; see {@link Verdict}. */
export function evaluateStatement(
  statement: NormalizedStatement,
  scope: StatementScope,
): { result: StatementResult; strength: MatchStrength } {
  const { Sid: sid, Effect: effect, fault } = statement;
  const fullScope = { ...scope, effect };
  const principal = evaluatePrincipal(statement, fullScope);
  const elements = [
    principal?.result,
    evaluateActions(statement, fullScope),
    evaluateResources(statement, fullScope),
  ].filter((element) => element !== undefined);
  const conditions = statement.conditions.map((condition) => evaluateCondition(condition, fullScope));
  const parts = [...elements, ...conditions];
  const verdict = every([...parts.map((part) => part.verdict), fault === undefined ? "matched" : "unsupported"]);
  const result = {
    index: scope.index,
    ...(sid !== undefined && { sid }),
    effect,
    verdict,
    ...(verdict === "unsupported" && { unsupported: fault ?? firstFault(elements, conditions) }),
    elements,
    conditions,
  };
  return { result, strength: principal?.strength ?? "direct" };
}

function firstFault(elements: readonly ElementResult[], conditions: readonly ConditionResult[]): string {
  const element = elements.find(({ verdict }) => verdict === "unsupported");
  if (element !== undefined) return `${element.element}: ${element.note}`;
  const condition = conditions.find(({ verdict }) => verdict === "unsupported");
  return `${condition?.operator} on ${condition?.key}: ${condition?.note}`;
}

/** Which of the two forms of an element a statement has: `Action` or `NotAction`, for example. */
function formOf(statement: NormalizedStatement, element: "Principal" | "Action" | "Resource"): ElementName {
  const negated: ElementName = `Not${element}`;
  return statement[element] === undefined && statement[negated] !== undefined ? negated : element;
}

function evaluateList(
  statement: NormalizedStatement,
  element: "Action" | "Resource",
  actual: string,
  matchList: (wanted: readonly string[], negated: boolean) => MatchResult,
): ElementResult {
  const name = formOf(statement, element) as "Action" | "NotAction" | "Resource" | "NotResource";
  const wanted = statement[name];
  const fault = wanted === undefined ? "it is missing" : statement.elementFaults[name];
  const result = fault === undefined ? matchList(wanted ?? [], name !== element) : unsupported(fault);
  return { element: name, wanted: wanted ?? [], actual, ...result };
}

const actionPattern = /^(\*|\*:\*|[a-z0-9-]+:[\w*?-]+)$/i;

function evaluateActions(statement: NormalizedStatement, { request }: FullScope): ElementResult {
  const action = request.action.toLowerCase();
  return evaluateList(statement, "Action", request.action, (wanted, negated) => {
    const bad = wanted.find((pattern) => !actionPattern.test(pattern));
    if (bad !== undefined) return unsupported(`"${bad}" is not an action`);
    const verdict = verdictOf(wanted.some((pattern) => matchesPattern(pattern.toLowerCase(), action)));
    return { verdict: negated ? not(verdict) : verdict };
  });
}

/** In a resource policy, `Resource` may be omitted: the policy applies to the resource that it is attached to. */
function evaluateResources(statement: NormalizedStatement, scope: FullScope): ElementResult | undefined {
  const { request, kind } = scope;
  const element = formOf(statement, "Resource");
  if (kind === "resource") {
    if (statement[element] === undefined) return undefined;
    if (isTrustAction(request.action))
      return { element, wanted: [], actual: request.resource, ...unsupported("a trust policy cannot have it") };
  }
  return evaluateList(statement, "Resource", request.resource, (wanted, negated) => {
    const found = wanted.map((pattern) => matchResource(pattern, scope));
    const note = found.find((match) => match.note !== undefined)?.note;
    const verdict = some(found.map((match) => match.verdict));
    // One malformed value makes the whole list unsupported, even if another value matches.
    if (found.some((match) => match.verdict === "unsupported")) return { verdict: "unsupported", note };
    if (!negated) return { verdict, note };
    // In an Allow, NotResource with an unresolved variable must not match.
    return { verdict: note !== undefined && scope.effect === "Allow" ? "not-matched" : not(verdict), note };
  });
}

/** Wildcards in a resource match `/` and `:` too. Variables are allowed after the fifth colon only. */
function matchResource(value: string, { request, context, variables }: FullScope): MatchResult {
  if (value !== "*" && !value.startsWith("arn:")) return unsupported(`"${value}" is neither an ARN nor "*"`);
  const resolved = resolveVariables(value, variables ? context : undefined);
  if (resolved.kind === "malformed") return unsupported(resolved.note);
  if (variables && value.split(":").slice(0, 5).join(":").includes("${")) {
    return unsupported(`"${value}" has a policy variable before its fifth colon`);
  }
  if (resolved.kind === "unresolved") return { verdict: "not-matched", note: resolved.note };
  return { verdict: verdictOf(matches(resolved.pattern, request.resource)) };
}

function evaluatePrincipal(
  statement: NormalizedStatement,
  { request, kind, effect, context }: FullScope,
): { result: ElementResult; strength?: MatchStrength } | undefined {
  const element = formOf(statement, "Principal") as "Principal" | "NotPrincipal";
  const principals = statement[element];
  if (kind !== "resource" && principals === undefined) return undefined;
  const { strength, ...match } = matchElement();
  const wanted = principals?.map((each) => `${each.kind}: ${each.id}`) ?? [];
  const actual = `${request.principal.kind}: ${request.principal.id}`;
  return { result: { element, wanted, actual, ...match }, strength };

  function matchElement(): MatchResult & { strength?: MatchStrength } {
    if (kind !== "resource") return unsupported(`a policy of this kind (${kind}) cannot have it`);
    if (principals === undefined) return unsupported("it is missing");
    const fault = statement.elementFaults[element];
    if (fault !== undefined) return unsupported(fault);
    if (element === "Principal") return matchPrincipals(principals, request.principal, context);
    if (effect === "Allow") return unsupported("AWS does not support it in an Allow");
    const exempt: Verdict = verdictOf(isExempt(principals, request.principal));
    return { verdict: not(exempt) };
  }
}
