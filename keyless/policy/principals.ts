import type { Context } from "./context";
import { type MatchResult, unsupported } from "./decision";
import type { NormalizedPrincipal } from "./normal-form";
import type { Request } from "./request";

/**
 * How a resource policy names the principal of a request. It determines which other policies must allow the request:
 * - `direct`: names the user or session, or `*`: sufficient by itself within the account;
 * - `session-of`: names the role or user of the session: limited by the permissions boundary and session policies;
 * - `account`: names the account, which delegates the decision to its identity policies.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 */
export type MatchStrength = "direct" | "session-of" | "account";

/** Whether a principal element names the principal of a request, and how. */
export interface PrincipalMatch extends MatchResult {
  readonly strength?: MatchStrength;
}

/** Whether one of the values names the principal of a request. The strongest match counts. */
export function matchPrincipals(
  wanted: readonly NormalizedPrincipal[],
  principal: Request["principal"],
  context: Context,
): PrincipalMatch {
  const found = wanted.map((each) => matchPrincipal(each, principal, context));
  const strongest = (["direct", "session-of", "account"] as const)
    .map((strength) => found.find((match) => match.strength === strength))
    .find((match) => match !== undefined);
  return strongest ?? found.find(({ verdict }) => verdict === "unsupported") ?? { verdict: "not-matched" };
}

/**
 * Whether NotPrincipal in a Deny exempts the principal of a request. For a user, it must contain the user and the
 * account; for a session, also its role or user. AWS documents that without the account, or without the role, "the policy
 * might deny access": this is unsupported. So is the account alone, or with the role.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
 */
export function matchExemption(
  wanted: readonly NormalizedPrincipal[],
  principal: Request["principal"],
  context: Context,
): MatchResult {
  const found = wanted.map((each) => matchPrincipal(each, principal, context));
  const has = (strength: MatchStrength) => found.some((match) => match.strength === strength);
  const isListed = wanted.some(({ kind, id }) => kind === principal.kind && id === principal.id);
  const isSession = session.test(principal.id);
  if (wanted.some(isEveryone) || (isListed && principal.kind !== "AWS")) return { verdict: "matched" };
  if (isListed && has("account") && (has("session-of") || !isSession)) return { verdict: "matched" };
  if (found.every(({ verdict }) => verdict === "not-matched")) return { verdict: "not-matched" };
  return unsupported("it must contain the principal, its account and, for a session, the role");
}

const isEveryone = ({ kind, id }: NormalizedPrincipal) => kind === "AWS" && id === "*";

const noMatch: PrincipalMatch = { verdict: "not-matched" };

function matchPrincipal(
  wanted: NormalizedPrincipal,
  principal: Request["principal"],
  context: Context,
): PrincipalMatch {
  const { kind, id } = wanted;
  if (isEveryone(wanted)) return { verdict: "matched", strength: "direct" };
  if (/[*?]/.test(id)) {
    return unsupported(`the principal "${id}" contains a wildcard: AWS supports only "*" by itself`);
  }
  if (kind === "CanonicalUser") return unsupported("a canonical user ID cannot be compared with an ARN");
  if (kind !== principal.kind) return noMatch;
  if (kind !== "AWS") return id === principal.id ? { verdict: "matched", strength: "direct" } : noMatch;
  return matchAws(id, principal.id, context);
}

/** The forms in which AWS accepts an account as a principal; without `:root`, the ARN is not documented. */
const accountForms = /^(?:\d{12}|arn:([^:]+):iam::(\d{12})(:root)?)$/;
const entity = /^arn:([^:]+):iam::(\d{12}):(role|user)\/(?:.*\/)?([^/]+)$/;
const session = /^arn:([^:]+):sts::(\d{12}):(assumed-role|federated-user)\/([^/]+)/;

function matchAws(wanted: string, actual: string, context: Context): PrincipalMatch {
  if (wanted === actual) {
    return { verdict: "matched", strength: entity.exec(wanted)?.[3] === "role" ? "session-of" : "direct" };
  }
  const form = accountForms.exec(wanted);
  if (form === null) return matchSessionOf(wanted, actual, context);
  const [, partition, account = wanted, root] = form;
  const isSamePartition = partition === undefined || partition === actual.split(":")[1];
  if (account !== accountOf(actual) || !isSamePartition) return noMatch;
  if (partition !== undefined && root === undefined) return unsupported(`"${wanted}" is an account without ":root"`);
  return { verdict: "matched", strength: "account" };
}

/**
 * The ARN of a session does not contain the path of its role; `aws:PrincipalArn` does. Role names are unique in an
 * account.
 */
function matchSessionOf(wanted: string, actual: string, context: Context): PrincipalMatch {
  const [, ...named] = entity.exec(wanted) ?? [];
  const [, partition, account, kind, name] = session.exec(actual) ?? [];
  const issuingEntity = [partition, account, kind === "assumed-role" ? "role" : "user", name];
  if (named.length === 0 || named.join() !== issuingEntity.join()) return noMatch;
  const principalArn = context.get("aws:principalarn")?.[0];
  const arn = principalArn !== undefined && entity.test(principalArn) ? principalArn : undefined;
  if (wanted === (arn ?? `arn:${partition}:iam::${account}:${issuingEntity[2]}/${name}`)) {
    return { verdict: "matched", strength: "session-of" };
  }
  if (arn !== undefined) return noMatch;
  return unsupported(`aws:PrincipalArn is required to compare the session with "${wanted}"`);
}

/** The account ID in an ARN; undefined if there is none, as in the ARN of a bucket. */
export function accountOf(arn: string): string | undefined {
  const account = arn.split(":")[4] ?? "";
  return /^\d{12}$/.test(account) ? account : undefined;
}
