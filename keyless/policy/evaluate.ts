import { type Context, readContext } from "./context";
import type { Decision, PolicyKind, PolicyResult, Reason, StatementResult } from "./decision";
import { asArray } from "./document";
import { normalizePolicy } from "./normal-form";
import { accountOf, type MatchStrength } from "./principals";
import { isTrustAction, type NamedPolicy, type Policies, type Request } from "./request";
import { evaluateStatement, type StatementScope } from "./statement";

export type * from "./decision";
export type * from "./request";

/** Knowledge beyond the policies and the request. */
export interface EvaluationOptions {
  /**
   * Returns why a condition key does not exist for the issuer of the token (the text becomes the condition's note), or
   * undefined if it exists. In an Allow, a condition on a key that does not exist never matches; in a Deny, the key is
   * absent. Default: every key exists.
   */
  readonly unknownKey?: (key: string) => string | undefined;
}

/**
 * Decides a request by its policies, as AWS documents, and gives the reasons. Never throws. A part that cannot be
 * evaluated does not match in an Allow and counts as a match in a Deny; the decision names it.
 *
 * An explicit Deny in any policy takes precedence. Otherwise an Allow is required: within one account, in an identity
 * policy or a resource policy; across accounts, in both; to assume a role or use a KMS key, in the resource policy in any
 * case. Permissions boundary and session policies must allow the request too, unless a resource policy of the same
 * account names the session, the user, or `*`. Organization policies (SCPs, RCPs) and the root user are not supported.
 *
 * To decide whether a role trusts a token, pass `{ resource: [trustPolicy] }` alone.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function evaluate(policies: Policies, request: Request, options: EvaluationOptions = {}): Decision {
  const unknownKey = options.unknownKey ?? (() => undefined);
  const context = readContext(request, unknownKey);
  const hasBoundary = policies.boundary !== undefined;
  const evaluateAll = (kind: PolicyKind, named: readonly NamedPolicy[] = []) =>
    named.map((policy) => evaluatePolicy(kind, policy, { request, context, unknownKey, hasBoundary }));
  const identity = evaluateAll("identity", policies.identity);
  const resource = evaluateAll("resource", policies.resource);
  const boundary = policies.boundary === undefined ? undefined : evaluateAll("boundary", [policies.boundary]);
  const session = policies.session?.length ? evaluateAll("session", policies.session) : undefined;
  const all = [...identity, ...resource, ...(boundary ?? []), ...(session ?? [])];
  return {
    ...combine({ identity, resource, boundary, session, all }, request, isCrossAccount(request, context)),
    policies: all.map(({ result }) => result),
  };
}

type Evaluation = Pick<StatementScope, "request" | "context" | "unknownKey" | "hasBoundary">;

interface EvaluatedPolicy {
  readonly result: PolicyResult;
  /** How its matching Allow statements name the principal; a statement without a principal counts as `direct`. */
  readonly allows: readonly MatchStrength[];
}

function evaluatePolicy(kind: PolicyKind, { name, document }: NamedPolicy, evaluation: Evaluation): EvaluatedPolicy {
  const { fault, statements, variables } = normalizePolicy(document);
  if (fault !== undefined) return { result: { name, kind, unsupported: fault, statements: [] }, allows: [] };
  const evaluated = statements.map((statement, index) =>
    evaluateStatement(statement, { ...evaluation, kind, index, variables }),
  );
  return {
    result: { name, kind, statements: evaluated.map(({ result }) => result) },
    allows: evaluated.filter(({ result }) => isMatchingAllow(result)).map(({ strength }) => strength),
  };
}

function isMatchingAllow({ effect, verdict }: StatementResult): boolean {
  return effect === "Allow" && verdict === "matched";
}

const anyAllows = (evaluated: readonly EvaluatedPolicy[]) => evaluated.some(({ allows }) => allows.length > 0);

type Outcome = Omit<Decision, "policies">;

interface PolicyLayers {
  readonly identity: readonly EvaluatedPolicy[];
  readonly resource: readonly EvaluatedPolicy[];
  readonly boundary?: readonly EvaluatedPolicy[];
  readonly session?: readonly EvaluatedPolicy[];
  readonly all: readonly EvaluatedPolicy[];
}

function combine(
  { identity, resource, boundary, session, all }: PolicyLayers,
  request: Request,
  crossAccount: boolean,
): Outcome {
  const denied = findDeny(all);
  if (denied !== undefined) return denied;

  const named = new Set(resource.flatMap(({ allows }) => allows));
  const byIdentity = anyAllows(identity);
  if (named.has("direct") && !crossAccount) return allowance(resource, request);

  const sufficient = crossAccount
    ? byIdentity && named.size > 0
    : named.has("session-of") || (byIdentity && (named.size > 0 || !requiresResourcePolicy(request, resource)));
  if (!sufficient)
    return missingAllow("no-matching-allow", `no statement allows ${request.action}`, [...identity, ...resource]);
  for (const [reason, limit, what] of [
    ["boundary", boundary, "the permissions boundary does"],
    ["session", session, "the session policies do"],
  ] as const) {
    if (limit !== undefined && !anyAllows(limit)) {
      return missingAllow(reason, `${what} not allow ${request.action}`, limit);
    }
  }
  return allowance([...identity, ...resource], request);
}

/** The ARN of some resources, such as buckets, has no account ID: `aws:ResourceAccount` has it. */
function isCrossAccount({ principal, resource }: Request, context: Context): boolean {
  const from = principal.kind === "AWS" ? accountOf(principal.id) : undefined;
  const to = accountOf(resource) ?? context.get("aws:resourceaccount")?.[0];
  return from !== undefined && to !== undefined && from !== to;
}

/**
 * Whether an identity policy alone is not sufficient: a role's trust policy must allow assuming it, and a KMS key's
 * policy must allow using the key. The policy of a KMS key is ignored if it was not passed.
 */
function requiresResourcePolicy({ action }: Request, resource: readonly EvaluatedPolicy[]): boolean {
  return isTrustAction(action) || (/^kms:/i.test(action) && resource.length > 0);
}

function findDeny(all: readonly EvaluatedPolicy[]): Outcome | undefined {
  const denies = all.flatMap(({ result }) =>
    result.statements
      .filter(({ effect, verdict }) => effect !== "Allow" && verdict !== "not-matched")
      .map((statement) => ({ result, statement })),
  );
  const certain = denies.find(({ statement }) => statement.verdict === "matched");
  if (certain) return refuse("explicit-deny", `${statementLabel(certain.result, certain.statement)} denies it`);
  const uncertain = denies[0];
  if (uncertain) {
    const where = statementLabel(uncertain.result, uncertain.statement);
    return refuse("unsupported", `${where} may deny it and cannot be evaluated: ${uncertain.statement.unsupported}`);
  }
  const malformed = all.find(({ result }) => result.unsupported !== undefined);
  return (
    malformed &&
    refuse("unsupported", `the policy "${malformed.result.name}" cannot be evaluated: ${malformed.result.unsupported}`)
  );
}

function allowance(evaluated: readonly EvaluatedPolicy[], { action, resource }: Request): Outcome {
  const { result } = evaluated.find(({ allows }) => allows.length > 0) as EvaluatedPolicy;
  const statement = result.statements.find(isMatchingAllow) as StatementResult;
  return {
    outcome: "allowed",
    reason: "allowed",
    because: `${statementLabel(result, statement)} allows ${action} on ${resource}`,
  };
}

/** No Allow matches. If a statement cannot be evaluated, the reason is `unsupported`. */
function missingAllow(reason: Reason, because: string, evaluated: readonly EvaluatedPolicy[]): Outcome {
  const candidates = evaluated.flatMap(({ result }) => result.statements.map((statement) => ({ result, statement })));
  const uncertain = candidates.find(({ statement }) => statement.verdict === "unsupported");
  if (uncertain !== undefined) {
    const where = statementLabel(uncertain.result, uncertain.statement);
    return refuse("unsupported", `${because}; ${where} cannot be evaluated: ${uncertain.statement.unsupported}`);
  }
  const allow = candidates.filter(({ statement }) => statement.effect === "Allow" && mismatches(statement).length > 0);
  const [nearest] = allow.sort((one, other) => mismatches(one.statement).length - mismatches(other.statement).length);
  if (nearest === undefined) return refuse(reason, because);
  const [mismatch] = mismatches(nearest.statement);
  return refuse(reason, `${because}; ${statementLabel(nearest.result, nearest.statement)} does not match: ${mismatch}`);
}

/** Describes the parts of a statement that do not match. */
function mismatches({ elements, conditions }: StatementResult): readonly string[] {
  const parts = [
    ...elements.map(({ element, ...part }) => ({ ...part, what: element })),
    ...conditions.map(({ operator, key, ...part }) => ({ ...part, what: `${operator} on ${key}` })),
  ];
  return parts
    .filter(({ verdict }) => verdict !== "matched")
    .map(({ what, wanted, actual, note }) => {
      const values = `the policy has ${listValues(wanted)}, the request ${listValues(asArray(actual))}`;
      return `${what}: ${values}${note === undefined ? "" : ` (${note})`}`;
    });
}

function listValues(values: readonly string[]): string {
  return values.length === 0 ? "nothing" : values.map((value) => JSON.stringify(value)).join(", ");
}

function refuse(reason: Reason, because: string): Outcome {
  return { outcome: "refused", reason, because };
}

function statementLabel({ name }: PolicyResult, { index, sid }: StatementResult): string {
  return `statement ${index + 1}${sid === undefined ? "" : ` (${sid})`} of the policy "${name}"`;
}
