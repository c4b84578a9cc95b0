import { type Context, readContext } from "./context";
import type { Decision, PolicyKind, PolicyResult, Reason, StatementResult } from "./decision";
import { asArray, isObject, type PolicyDocument } from "./document";
import { accountOf, type Grant } from "./principals";
import { isTrustAction, type NamedPolicy, type Policies, type Request } from "./request";
import { evaluateStatement } from "./statement";

export type {
  ConditionResult,
  Decision,
  ElementResult,
  PolicyResult,
  Reason,
  StatementResult,
  Verdict,
} from "./decision";

export type { NamedPolicy, Policies, Request } from "./request";

/** What is known beyond policies and request. */
export interface Options {
  /**
   * Tells of a condition key that AWS does not have for the token's issuer, and why (the text becomes the condition's
   * note); undefined for a key that it has. A condition on such a key never matches in an Allow; in a Deny the key is
   * absent, as it is in AWS. Default: every key may exist.
   */
  readonly unknownKey?: (key: string) => string | undefined;
}

/**
 * Decides a request by policies, as AWS documents it, and tells why. Never throws for a bad document and never guesses:
 * what it cannot evaluate never grants, and in a Deny counts as denying; the decision names it.
 *
 * A Deny in any policy wins. Otherwise an Allow is needed: within one account of an identity policy or a resource
 * policy, across accounts of both; for a role's trust policy and a KMS key's policy, of the resource policy in any case.
 * Boundary and session policies must allow as well, except where a resource policy of the account names the very
 * session or user, or everybody. Organization policies (SCP, RCP) and the account's root user are not known here.
 *
 * A role's trust in a token is decided with `{ resource: [trustPolicy] }` alone.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function evaluate(policies: Policies, request: Request, options: Options = {}): Decision {
  const unknownKey = options.unknownKey ?? (() => undefined);
  const context = readContext(request, unknownKey);
  const evaluateAll = (kind: PolicyKind, named: readonly NamedPolicy[] = []) =>
    named.map((policy) => evaluatePolicy(kind, policy, { request, context, unknownKey }));
  const identity = evaluateAll("identity", policies.identity);
  const resource = evaluateAll("resource", policies.resource);
  const boundary = policies.boundary === undefined ? undefined : evaluateAll("boundary", [policies.boundary]);
  const session = policies.session?.length ? evaluateAll("session", policies.session) : undefined;
  const all = [...identity, ...resource, ...(boundary ?? []), ...(session ?? [])];
  return {
    ...combine({ identity, resource, boundary, session, all }, request, isAcrossAccounts(request, context)),
    policies: all.map(({ result }) => result),
  };
}

interface Evaluation {
  readonly request: Request;
  readonly context: Context;
  readonly unknownKey: (key: string) => string | undefined;
}

interface Evaluated {
  readonly result: PolicyResult;
  /** In which ways its Allows name who asks; one without a principal allows directly. */
  readonly grants: readonly Grant[];
}

const topLevel = new Set(["Version", "Id", "Statement"]);

function evaluatePolicy(kind: PolicyKind, { name, document }: NamedPolicy, evaluation: Evaluation): Evaluated {
  const unsupported = documentFault(document);
  if (unsupported !== undefined) return { result: { name, kind, unsupported, statements: [] }, grants: [] };
  const variables = document.Version === "2012-10-17";
  const list: readonly unknown[] = Array.isArray(document.Statement) ? document.Statement : [document.Statement];
  const evaluated = list.map((statement, index) =>
    evaluateStatement(statement, { ...evaluation, kind, index, variables }),
  );
  return {
    result: { name, kind, statements: evaluated.map(({ result }) => result) },
    grants: evaluated.filter(({ result }) => allows(result)).map(({ grant }) => grant),
  };
}

function documentFault(document: unknown): string | undefined {
  if (!isObject(document)) return "it is not a JSON object";
  const { Version: version = "2008-10-17", Statement: list } = document as Partial<PolicyDocument>;
  if (version !== "2012-10-17" && version !== "2008-10-17")
    return `its version ${JSON.stringify(version)} is not known`;
  const unknown = Object.keys(document).find((key) => !topLevel.has(key));
  if (unknown !== undefined) return `its element "${unknown}" is not known`;
  return list === undefined ? "it has no statement" : undefined;
}

function allows({ effect, verdict }: StatementResult): boolean {
  return effect === "Allow" && verdict === "matched";
}

function anyAllows(evaluated: readonly Evaluated[]): boolean {
  return evaluated.some(({ grants }) => grants.length > 0);
}

interface Layers {
  readonly identity: readonly Evaluated[];
  readonly resource: readonly Evaluated[];
  readonly boundary?: readonly Evaluated[];
  readonly session?: readonly Evaluated[];
  readonly all: readonly Evaluated[];
}

function combine(
  { identity, resource, boundary, session, all }: Layers,
  request: Request,
  acrossAccounts: boolean,
): Omit<Decision, "policies"> {
  const denied = findDeny(all);
  if (denied !== undefined) return denied;

  const named = new Set(resource.flatMap(({ grants }) => grants));
  const owned = anyAllows(identity);
  if (named.has("direct") && !acrossAccounts) return allowedBy(resource, request);

  const enough = acrossAccounts
    ? owned && named.size > 0
    : named.has("session-of") || (owned && (named.size > 0 || !resourceDecides(request, resource)));
  if (!enough) return refused("no-matching-allow", `no statement allows ${request.action}`, [...identity, ...resource]);
  for (const [reason, limit, what] of [
    ["boundary", boundary, "the permissions boundary does"],
    ["session", session, "the session policies do"],
  ] as const) {
    if (limit !== undefined && !anyAllows(limit)) {
      return refused(reason, `${what} not allow ${request.action}`, limit);
    }
  }
  return allowedBy([...identity, ...resource], request);
}

/** The account of a resource whose ARN does not say it, such as a bucket's, is told by `aws:ResourceAccount`. */
function isAcrossAccounts({ principal, resource }: Request, context: Context): boolean {
  const from = principal.kind === "AWS" ? accountOf(principal.id) : undefined;
  const to = accountOf(resource) ?? context.get("aws:resourceaccount")?.[0];
  return from !== undefined && to !== undefined && from !== to;
}

/**
 * Whether an identity policy alone is not enough: a role is assumed only if its trust policy allows it, and a KMS key is
 * used only if its key policy does. A key's policy that was not given is not judged.
 */
function resourceDecides({ action }: Request, resource: readonly Evaluated[]): boolean {
  return isTrustAction(action) || (/^kms:/i.test(action) && resource.length > 0);
}

function findDeny(all: readonly Evaluated[]): Omit<Decision, "policies"> | undefined {
  const denies = all.flatMap(({ result }) =>
    result.statements
      .filter(({ effect, verdict }) => effect !== "Allow" && verdict !== "not-matched")
      .map((statement) => ({ result, statement })),
  );
  const sure = denies.find(({ statement }) => statement.verdict === "matched");
  if (sure) return refusal("explicit-deny", `${describe(sure.result, sure.statement)} denies it`);
  const unsure = denies[0];
  if (unsure) {
    const where = describe(unsure.result, unsure.statement);
    return refusal("unsupported", `${where} may deny it and cannot be evaluated: ${unsure.statement.unsupported}`);
  }
  const unread = all.find(({ result }) => result.unsupported !== undefined);
  return (
    unread &&
    refusal("unsupported", `the policy "${unread.result.name}" cannot be evaluated: ${unread.result.unsupported}`)
  );
}

function allowedBy(evaluated: readonly Evaluated[], { action, resource }: Request): Omit<Decision, "policies"> {
  const { result } = evaluated.find(({ grants }) => grants.length > 0) as Evaluated;
  const statement = result.statements.find(allows) as StatementResult;
  return {
    outcome: "allowed",
    reason: "allowed",
    because: `${describe(result, statement)} allows ${action} on ${resource}`,
  };
}

/** A refusal for want of an Allow; if one could not be evaluated, that is the reason. */
function refused(reason: Reason, because: string, evaluated: readonly Evaluated[]): Omit<Decision, "policies"> {
  const candidates = evaluated.flatMap(({ result }) => result.statements.map((statement) => ({ result, statement })));
  const unsure = candidates.find(({ statement }) => statement.verdict === "unsupported");
  if (unsure !== undefined) {
    const where = describe(unsure.result, unsure.statement);
    return refusal("unsupported", `${because}; ${where} cannot be evaluated: ${unsure.statement.unsupported}`);
  }
  const allow = candidates.filter(({ statement }) => statement.effect === "Allow" && failures(statement).length > 0);
  const [nearest] = allow.sort((one, other) => failures(one.statement).length - failures(other.statement).length);
  if (nearest === undefined) return refusal(reason, because);
  const [failure] = failures(nearest.statement);
  return refusal(reason, `${because}; ${describe(nearest.result, nearest.statement)} does not match: ${failure}`);
}

/** What of a statement does not match, in words. */
function failures({ elements, conditions }: StatementResult): readonly string[] {
  const parts = [
    ...elements.map(({ element, ...part }) => ({ ...part, what: element })),
    ...conditions.map(({ operator, key, ...part }) => ({ ...part, what: `${operator} on ${key}` })),
  ];
  return parts
    .filter(({ verdict }) => verdict !== "matched")
    .map(({ what, wanted, actual, note }) => {
      const there = `the policy has ${quoted(wanted)}, the request ${quoted(asArray(actual))}`;
      return `${what}: ${there}${note === undefined ? "" : ` (${note})`}`;
    });
}

function quoted(values: readonly string[]): string {
  return values.length === 0 ? "nothing" : values.map((value) => JSON.stringify(value)).join(", ");
}

function refusal(reason: Reason, because: string): Omit<Decision, "policies"> {
  return { outcome: "refused", reason, because };
}

function describe({ name }: PolicyResult, { index, sid }: StatementResult): string {
  return `statement ${index + 1}${sid === undefined ? "" : ` (${sid})`} of the policy "${name}"`;
}
