import type { IamRole } from "../aws/iam";
import type { Config } from "../config/resolved";
import { configuredTrust } from "../config/trust";
import { CIRCLECI_CLOUD, parseIssuer } from "../trust/circleci";
import { differences } from "../trust/explain/differences";
import {
  hasWildcardPrincipal,
  readStatements,
  trustedSubjects,
  trustStatements,
  trustsCircleCi,
} from "../trust/statement";

/**
 * `as-configured`: the account has the configured trust. `differs`: the role has another trust, path or maximum session.
 * `missing`: the account does not have the configured role. `not-configured`: the role trusts CircleCI and is in no
 * environment, for example because the environment was removed from config.ts before it was destroyed.
 */
export type LiveStatus = "as-configured" | "differs" | "missing" | "not-configured";

/** A role of an account that is configured or trusts CircleCI. */
export interface LiveRole {
  readonly name: string;
  readonly arn: string;
  /** The environment that configures the role. Absent: none. */
  readonly environment?: string;
  readonly status: LiveStatus;
  /** The subjects that the role trusts in the account, as patterns. A statement without any trusts a whole organization. */
  readonly subjects: readonly string[];
  /** How the role differs from the configuration, a sentence each. */
  readonly differences: readonly string[];
}

/**
 * Compares the roles of an account with the environments of that account.
 *
 * @param roles all roles of the account
 * @param names compares only these environments; a role of another environment is configured too. Default: all
 */
export function liveAccess(
  { environments }: Config,
  accountId: string,
  roles: readonly IamRole[],
  names: readonly string[] = [],
): LiveRole[] {
  const ofAccount = environments.filter((environment) => environment.accountId === accountId);
  const configured = ofAccount.flatMap((environment) => environment.roles.map((role) => ({ environment, role })));
  const servers = environments.map(({ circleci }) => parseIssuer(circleci.issuer)?.host ?? CIRCLECI_CLOUD);
  const found = new Map(roles.map((role) => [role.name.toLowerCase(), role]));
  const known = new Set(configured.map(({ role }) => role.name.toLowerCase()));
  const others = roles
    .filter(({ name, trustPolicy }) => !known.has(name.toLowerCase()) && trustsCircleCi(trustPolicy, servers))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    ...others.map(({ name, arn, trustPolicy }): LiveRole => {
      const subjects = subjectsOf(trustPolicy, servers);
      return { name, arn, status: "not-configured", subjects, differences: [] };
    }),
    ...configured
      .filter(({ environment }) => names.length === 0 || names.includes(environment.name))
      .map(({ environment, role }): LiveRole => {
        const { name, arn } = role;
        const live = found.get(name.toLowerCase());
        const which = { name, arn, environment: environment.name };
        if (live === undefined) return { ...which, status: "missing", subjects: [], differences: [] };
        const { trustPolicy, audiences } = configuredTrust(environment, role);
        const different = [
          ...differences({ trustPolicy: live.trustPolicy, audiences }, { trustPolicy, audiences }),
          ...unequal("ARN", live.arn, arn),
          ...unequal("maximum session in seconds", live.maxSessionSeconds, role.maxSessionSeconds),
        ];
        const status = different.length === 0 ? "as-configured" : "differs";
        return { ...which, status, subjects: subjectsOf(live.trustPolicy, servers), differences: different };
      }),
  ];
}

function unequal(what: string, live: string | number, configured: string | number): string[] {
  return live === configured ? [] : [`${what}: ${live} in the account, ${configured} in the configuration`];
}

function subjectsOf(document: unknown, servers: readonly string[]): string[] {
  const subjects = readStatements(document)
    .filter(({ normalized }) => normalized.Effect === "Allow")
    .flatMap((read) => {
      if (hasWildcardPrincipal(read.normalized)) return "*";
      return trustStatements(read, servers).flatMap((trust) => {
        const values = trustedSubjects(trust).map(({ value }) => value);
        return values.length > 0 ? values : `org/${trust.organization}/*`;
      });
    });
  return [...new Set(subjects)];
}
