import type { TrustRule } from "../../keyless/trust/circleci";
import { formatIssuer, formatSubject, PROJECT_CLAIM } from "../../keyless/trust/circleci";
import { trustPolicy } from "../../keyless/trust/policy";
import type { Claims } from "../../keyless/trust/token";

export const organization = "11111111-2222-4333-8444-555555555555";
export const otherOrganization = "99999999-2222-4333-8444-555555555555";
export const project = "66666666-7777-4888-9999-00000000abcd";
export const otherProject = "77777777-7777-4888-9999-00000000abcd";
export const user = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
export const otherUser = "ffffffff-bbbb-4ccc-8ddd-eeeeeeeeeeee";
export const repository = "github.com/acme/site";
export const account = { accountId: "123456789012", partition: "aws" };
export const issuer = formatIssuer({ organization });
export const provider = `arn:aws:iam::123456789012:oidc-provider/${issuer}`;
export const now = new Date("2026-06-01T12:00:00Z");

/** The claims of a V2 token for main, with changes. */
export function claims({
  sub,
  ref = "refs/heads/main",
  v1 = false,
  ...other
}: Partial<Claims> & {
  ref?: string;
  v1?: boolean;
  repository?: string;
  project?: string;
  user?: string;
} = {}): Claims {
  const source = v1 ? {} : { repository: other.repository ?? repository, ref };
  const { repository: _repository, project: given = project, user: who = user, ...rest } = other;
  return {
    iss: `https://${issuer}`,
    aud: organization,
    sub: sub ?? formatSubject({ organization, project: given, user: who, ...source }),
    iat: now.getTime() / 1000 - 60,
    exp: now.getTime() / 1000 + 3540,
    [PROJECT_CLAIM]: given,
    ...rest,
  };
}

export function trusting(...rules: TrustRule[]) {
  return trustPolicy({ providerArn: provider, issuer, organizationId: organization, audiences: [organization], rules });
}

/** A trust policy with one statement and these conditions. */
export function handMade(condition: object | undefined, statement: object = {}) {
  return {
    Version: "2012-10-17" as const,
    Statement: [
      {
        Effect: "Allow" as const,
        Principal: { Federated: provider },
        Action: "sts:AssumeRoleWithWebIdentity",
        ...(condition !== undefined && { Condition: condition as never }),
        ...statement,
      },
    ],
  };
}

export const aud = { StringEquals: { [`${issuer}:aud`]: organization } };

/** Conditions with the correct audience and these subjects. */
export function subjects(...patterns: string[]) {
  return { ...aud, StringLike: { [`${issuer}:sub`]: patterns } };
}
