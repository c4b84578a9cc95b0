import type { Environment } from "../config/resolved";
import { evaluate } from "../policy/evaluate";
import { formatRef, formatSubject, type Ref, type TrustRule } from "../trust/circleci";
import { trustPolicy } from "../trust/policy";
import { type Claims, unknownKeyFor, webIdentityRequest } from "../trust/token";

/** What tells the tokens of one job from those of another one. */
export interface Job {
  readonly project: string;
  readonly user: string;
  /** The source of the pipeline. Absent: the job has only a V1 token. */
  readonly source?: { readonly repository: string; readonly ref: Ref };
  readonly audience: string;
}

/** A user whom no rule names. */
export const UNLISTED_USER = "00000000-0000-4000-8000-000000000000";

/** The claims of a job's tokens, V2 first if it has one: a job holds both, and AWS takes either. */
export function tokensOf({ circleci }: Environment, { project, user, source, audience }: Job): Claims[] {
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

/** Whether AWS trades the token for credentials of a role with these trust rules, its signature and lifetime apart. */
export function letsIn(environment: Environment, rules: readonly TrustRule[], claims: Claims): boolean {
  const { circleci, oidcProvider } = environment;
  const document = trustPolicy({ ...circleci, providerArn: oidcProvider.arn, rules });
  const request = webIdentityRequest(claims, environment, new Date());
  const unknownKey = unknownKeyFor(circleci.issuer);
  return evaluate({ resource: [{ name: "trust policy", document }] }, request, { unknownKey }).outcome === "allowed";
}
