import type { Context } from "./context";
import type { Verdict } from "./decision";
import { asArray, type PrincipalElement } from "./document";
import type { Request } from "./request";

/**
 * How a resource policy names who asks, which decides what else must allow:
 * - `direct`: the very user or session, or everybody: enough by itself within the account;
 * - `session-of`: the role or user whose session asks: limited by the permissions boundary and session policies;
 * - `account`: the account, which only hands the decision to its identity policies.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 */
export type Grant = "direct" | "session-of" | "account";

/** Whether a principal element names who asks, and in which way. */
export interface PrincipalMatch {
  readonly verdict: Verdict;
  readonly grant?: Grant;
  readonly note?: string;
}

const kinds = new Set(["AWS", "Federated", "Service", "CanonicalUser"]);

/** The entries of a Principal element by kind, or undefined when it is not one. */
export function principalEntries(element: unknown): readonly [kind: string, id: string][] | undefined {
  if (element === "*") return [["AWS", "*"]];
  if (typeof element !== "object" || element === null || Array.isArray(element)) return undefined;
  const entries = Object.entries(element as Exclude<PrincipalElement, "*">).flatMap(([kind, ids]) =>
    asArray(ids).map((id): [string, string] => [kind, id]),
  );
  return entries.every(([kind, id]) => kinds.has(kind) && typeof id === "string") ? entries : undefined;
}

/** Whether one of the entries is about who asks, and in which way; the strongest way wins. */
export function matchPrincipals(
  entries: readonly [kind: string, id: string][],
  principal: Request["principal"],
  context: Context,
): PrincipalMatch {
  const found = entries.map(([kind, id]) => matchEntry(kind, id, principal, context));
  const strongest = (["direct", "session-of", "account"] as const)
    .map((grant) => found.find((match) => match.grant === grant))
    .find((match) => match !== undefined);
  return strongest ?? found.find(({ verdict }) => verdict === "unsupported") ?? { verdict: "not-matched" };
}

/**
 * Whether a NotPrincipal's Deny leaves the one who asks alone: only if it names them themselves. Naming the account or a
 * session's role does not exempt those in it, since AWS checks the account, the role and the session one after the other.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
 */
export function isExempt(entries: readonly [kind: string, id: string][], principal: Request["principal"]): boolean {
  return entries.some(
    ([kind, id]) => (kind === principal.kind && id === principal.id) || (kind === "AWS" && id === "*"),
  );
}

const none: PrincipalMatch = { verdict: "not-matched" };

function matchEntry(kind: string, id: string, principal: Request["principal"], context: Context): PrincipalMatch {
  if (kind === "AWS" && id === "*") return { verdict: "matched", grant: "direct" };
  if (/[*?]/.test(id)) {
    return { verdict: "unsupported", note: `the principal "${id}" has a wildcard: AWS knows only "*" for everybody` };
  }
  if (kind === "CanonicalUser") {
    return { verdict: "unsupported", note: "a canonical user id cannot be compared with an ARN" };
  }
  if (kind !== principal.kind) return none;
  if (kind !== "AWS") return id === principal.id ? { verdict: "matched", grant: "direct" } : none;
  return matchAws(id, principal.id, context);
}

const root = /^(?:arn:[^:]+:iam::)?(\d{12})(?::root)?$/;
const entity = /^arn:([^:]+):iam::(\d{12}):(role|user)\/(?:.*\/)?([^/]+)$/;
const session = /^arn:([^:]+):sts::(\d{12}):(assumed-role|federated-user)\/([^/]+)/;

function matchAws(wanted: string, actual: string, context: Context): PrincipalMatch {
  if (wanted === actual) {
    return { verdict: "matched", grant: entity.exec(wanted)?.[3] === "role" ? "session-of" : "direct" };
  }
  const account = root.exec(wanted)?.[1];
  if (account !== undefined) return account === accountOf(actual) ? { verdict: "matched", grant: "account" } : none;
  return matchSessionOf(wanted, actual, context);
}

/** A session's ARN lacks its role's path, which only `aws:PrincipalArn` tells. Names are unique in an account. */
function matchSessionOf(wanted: string, actual: string, context: Context): PrincipalMatch {
  const [, ...named] = entity.exec(wanted) ?? [];
  const [, partition, account, kind, name] = session.exec(actual) ?? [];
  const behind = [partition, account, kind === "assumed-role" ? "role" : "user", name];
  if (named.length === 0 || named.join() !== behind.join()) return none;
  const known = context.get("aws:principalarn")?.[0];
  const arn = known !== undefined && entity.test(known) ? known : undefined;
  if (wanted === (arn ?? `arn:${partition}:iam::${account}:${behind[2]}/${name}`)) {
    return { verdict: "matched", grant: "session-of" };
  }
  if (arn !== undefined) return none;
  return { verdict: "unsupported", note: `aws:PrincipalArn must tell whether the session is one of "${wanted}"` };
}

/** The account in an ARN; undefined where there is none, as in a bucket's. */
export function accountOf(arn: string): string | undefined {
  const account = arn.split(":")[4] ?? "";
  return /^\d{12}$/.test(account) ? account : undefined;
}
