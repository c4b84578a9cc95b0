import type { Environment } from "../config/resolved";
import { trustPolicyOf } from "../config/trust";
import { formatRef, formatSubject, type Ref, type TrustRule } from "../trust/circleci";
import { decideTrust } from "../trust/decide";
import type { Claims } from "../trust/token";

/** The properties of a job that its tokens contain. */
export interface TokenJob {
  readonly project: string;
  readonly user: string;
  /** The source of the pipeline. Absent: the job has only a V1 token. */
  readonly source?: { readonly repository: string; readonly ref: Ref };
  readonly audience: string;
}

/** The id of a user that no rule lists. */
export const UNLISTED_USER = "00000000-0000-4000-8000-000000000000";

/** The claims of a job's tokens, V2 first if it has one: a job has both, and AWS accepts either. */
export function tokensOf(
  { circleci }: { readonly circleci: Pick<Environment["circleci"], "organizationId" | "issuer"> },
  { project, user, source, audience }: TokenJob,
): Claims[] {
  const subject = { organization: circleci.organizationId, project, user };
  const subjects = [
    ...(source === undefined
      ? []
      : [formatSubject({ ...subject, repository: source.repository, ref: formatRef(source.ref) })]),
    formatSubject(subject),
  ];
  return subjects.map((sub) => ({
    iss: `https://${circleci.issuer}`,
    aud: audience,
    sub,
    "oidc.circleci.com/project-id": project,
  }));
}

/** Whether a role with these trust rules trusts a token with these claims. Its signature and lifetime are not checked. */
export function isTrusted(environment: Environment, rules: readonly TrustRule[], claims: Claims): boolean {
  return decideTrust(trustPolicyOf(environment, rules), claims, environment).outcome === "allowed";
}
