import type { Environment } from "../config/resolved";
import { trustPolicyOf } from "../config/trust";
import { formatRef, formatSubject, PROJECT_CLAIM, type Ref, type TrustRule } from "../trust/circleci";
import { decideTrust } from "../trust/decide";
import type { Claims } from "../trust/token";

/** The id of a user that no rule lists. */
const UNLISTED_USER = "00000000-0000-4000-8000-000000000000";

/** The properties of a job that its tokens contain. */
export interface TokenJob {
  readonly project: string;
  /** Default: a user that no rule lists. */
  readonly user?: string;
  /** The repository and the ref of a V2 token. Default: the job has only a V1 token. */
  readonly repository?: string;
  readonly ref?: Ref;
  /** Default: the first audience of the configuration. */
  readonly audience?: string;
}

/** The claims of a job's tokens, V2 first if it has one: a job has both, and AWS accepts either. */
export function jobClaims(
  { circleci }: { readonly circleci: Pick<Environment["circleci"], "organizationId" | "issuer" | "audiences"> },
  { project, user = UNLISTED_USER, repository, ref, audience = circleci.audiences[0] ?? "" }: TokenJob,
): Claims[] {
  const v1 = { organization: circleci.organizationId, project, user };
  const subjects = [...(repository && ref ? [{ ...v1, repository, ref: formatRef(ref) }] : []), v1];
  return subjects.map((subject) => ({
    iss: `https://${circleci.issuer}`,
    aud: audience,
    sub: formatSubject(subject),
    [PROJECT_CLAIM]: project,
  }));
}

/** Whether a role with these trust rules trusts a token with these claims. Its signature and lifetime are not checked. */
export function isTrusted(environment: Environment, rules: readonly TrustRule[], claims: Claims): boolean {
  return decideTrust(trustPolicyOf(environment, rules), claims, environment).outcome === "allowed";
}
