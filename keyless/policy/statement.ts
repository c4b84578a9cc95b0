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
  verdictOf,
} from "./decision";
import type { ElementName, NormalizedStatement } from "./normal-form";
import { arnParts, matchesArn, matchesArnBeyondColons, matchesPattern, resourceFault, resourceParts } from "./pattern";
import { type MatchStrength, matchExemption, matchPrincipals } from "./principals";
import { isTrustAction, type Request } from "./request";

/** What a statement is evaluated against. */
export interface StatementScope extends Omit<ConditionScope, "effect"> {
  readonly request: Request;
  readonly kind: PolicyKind;
  /** Whether the principal of the request has a permissions boundary. */
  readonly hasBoundary: boolean;
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

function evaluateActions(statement: NormalizedStatement, { request }: FullScope): ElementResult {
  const action = request.action.toLowerCase();
  return evaluateList(statement, "Action", request.action, (wanted, negated) => {
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
    // One malformed value makes the whole list unsupported, even if another value matches.
    if (found.some((match) => match.malformed)) return unsupported(note ?? "");
    const verdict = some(found.map((match) => match.verdict));
    if (!negated) return { verdict, note };
    // In an Allow, NotResource with an unresolved variable must not match.
    const unresolved = verdict === "not-matched" && note !== undefined;
    return { verdict: unresolved && scope.effect === "Allow" ? "not-matched" : not(verdict), note };
  });
}

/**
 * Whether a resource in a policy matches that of the request. Each part of the ARN is compared separately. A `*` at the
 * end of a shorter ARN matches the missing parts too.
 *
 * AWS documents that a `*` at the end of a part "can expand to match beyond the colon boundaries", not when it does, and
 * nothing about shorter ARNs without it: these matches are unsupported.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
function matchResource(
  value: string,
  { request, context, variables }: FullScope,
): MatchResult & { malformed?: boolean } {
  const malformed = (note: string) => ({ ...unsupported(note), malformed: true });
  const fault = resourceFault(value);
  if (fault !== undefined) return malformed(fault);
  if (value === "*") return { verdict: "matched" };
  const resolved = resolveVariables(resourceParts(value), variables ? context : undefined);
  if (resolved.kind === "unsupported") return malformed(resolved.note);
  if (resolved.kind === "unresolved") return { verdict: "not-matched", note: resolved.note };
  const { patterns } = resolved;
  const count = arnParts(value).length;
  const isMatch = matchesArn(patterns, request.resource);
  if (isMatch && (count === 6 || value.endsWith("*"))) return { verdict: "matched" };
  return isMatch || [patterns, patterns.slice(0, count)].some((each) => matchesArnBeyondColons(each, request.resource))
    ? unsupported(`AWS does not document whether "${value}" matches the resource`)
    : { verdict: "not-matched" };
}

function evaluatePrincipal(
  statement: NormalizedStatement,
  { request, kind, effect, context, hasBoundary }: FullScope,
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
    if (isTrustAction(request.action)) return unsupported("AWS does not support it in a trust policy");
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    if (hasBoundary && request.principal.kind === "AWS") {
      return { verdict: "matched", note: "it denies every principal that has a permissions boundary" };
    }
    const { verdict, note } = matchExemption(principals, request.principal, context);
    return { verdict: not(verdict), note };
  }
}
