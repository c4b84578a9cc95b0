import { UserError } from "../errors";
import { CIRCLECI_CLOUD, parseIssuer } from "../trust/circleci";
import { type LintInput, lintTrust } from "../trust/lint";
import type { LintFinding } from "../trust/lint/findings";
import { trustPolicy } from "../trust/policy";
import type { AcceptedFindings } from "./input";
import type { Config, Environment, Role } from "./resolved";

/** A finding, and whether the configuration accepts it. */
export interface JudgedFinding extends Omit<LintFinding, "name"> {
  readonly name: LintFinding["name"] | "unused-acceptance";
  /** The reason for which it is accepted. */
  readonly accepted?: string;
}

/** A finding in a role of the configuration. */
export interface RoleFinding extends JudgedFinding {
  readonly environment: string;
  readonly role: string;
}

/** What is wrong with the trust of the configured roles, accepted or not. */
export function lintConfig(config: Config): RoleFinding[] {
  return config.environments.flatMap((environment) =>
    environment.roles.flatMap((role) =>
      lintRole(environment, role).map((found) => ({ ...found, environment: environment.name, role: role.name })),
    ),
  );
}

/** What is wrong with the trust of one configured role, accepted or not. */
function lintRole(environment: Environment, role: Role): JudgedFinding[] {
  return judge(lintTrust(lintInputOf(environment, role)), role.acceptedFindings);
}

/** A configured role as the lint wants it. */
export function lintInputOf(environment: Environment, role: Role): LintInput {
  const { circleci, oidcProvider } = environment;
  return {
    trustPolicy: trustPolicy({ ...circleci, providerArn: oidcProvider.arn, rules: role.trust }),
    policies: [
      ...role.managedPolicyArns.map((name) => ({ name })),
      ...Object.entries(role.inlinePolicies).map(([name, document]) => ({ name, document })),
    ],
    servers: serversOf(environment),
  };
}

/** The hosts whose issuers count as CircleCI's, beside circleci.com's: the configured server, if there is one. */
export function serversOf({ circleci }: Environment): string[] {
  return [parseIssuer(circleci.issuer)?.host ?? CIRCLECI_CLOUD];
}

/** Findings, those that are accepted with the reason; and a warning for each that is accepted and does not occur. */
export function judge(findings: readonly LintFinding[], accepted: AcceptedFindings): JudgedFinding[] {
  const unused = Object.keys(accepted).filter((name) => findings.every((found) => found.name !== name));
  return [
    ...findings.map((found) => {
      const reason = accepted[found.name];
      return reason === undefined ? found : { ...found, accepted: reason };
    }),
    ...unused.map((name) => ({
      name: "unused-acceptance" as const,
      severity: "warning" as const,
      where: `acceptedFindings["${name}"]`,
      problem: `${name} is accepted and does not occur: remove the acceptance`,
      attack: "a future occurrence would be accepted silently",
    })),
  ];
}

/**
 * Lints the trust of every configured role before anything is made of it.
 *
 * @param warn is told every finding that is neither an error nor accepted, a line each
 * @throws {UserError} with every error that is not accepted
 */
export function enforceLint(config: Config, warn: (line: string) => void): void {
  const open = lintConfig(config).filter(({ accepted }) => accepted === undefined);
  for (const found of open.filter(({ severity }) => severity === "warning")) warn(`warning: ${describe(found)}`);
  const errors = open.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return;
  const count = errors.length === 1 ? "an error" : `${errors.length} errors`;
  const listed = errors.map((found) => `  ${describe(found)}\n    ${found.attack}\n    ${wayOut(found)}\n`);
  throw new UserError(`the trust of the configuration has ${count}; nothing was synthesized:\n\n${listed.join("")}`);
}

function wayOut({ name }: RoleFinding): string {
  return `fix it (npx keyless lint shows how), or accept it in the role: acceptedFindings: { "${name}": "<your reason>" }`;
}

function describe({ environment, role, name, problem }: RoleFinding): string {
  return `environments.${environment}.roles["${role}"]: ${name}: ${problem}`;
}
