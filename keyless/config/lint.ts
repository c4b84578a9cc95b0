import { UserError } from "../errors";
import { knownRoles, type RoleKnowledge, type RolePolicy } from "../policy/administrator";
import { decodeDocument, isObject, type PolicyDocument } from "../policy/document";
import { count } from "../text";
import { CIRCLECI_CLOUD, parseIssuer } from "../trust/circleci";
import { fixTrust, type LintInput, lintTrust } from "../trust/lint";
import type { LintFinding } from "../trust/lint/findings";
import { trustsCircleCi } from "../trust/statement";
import type { AcceptedFindings } from "./input";
import type { Config, Environment, Role } from "./resolved";
import { trustPolicyOf } from "./trust";

/** A finding, and whether the configuration accepts it. */
export interface JudgedFinding extends Omit<LintFinding, "name"> {
  readonly name: LintFinding["name"] | "unused-acceptance";
  /** The reason for which it is accepted. Absent if it is not accepted. */
  readonly accepted?: string;
}

/** The findings in one trust policy. */
export interface LintReport {
  /** A role as `<environment>/<role>`, or a file. */
  readonly subject: string;
  readonly findings: readonly JudgedFinding[];
  /** The policy with the findings fixed that are not accepted. Absent if nothing is to be fixed. */
  readonly fixed?: PolicyDocument;
}

/** The findings in the trust policies of all configured roles. */
export function lintConfig({ environments }: Config): LintReport[] {
  return environments.flatMap((environment) =>
    inputsOf(environment).map(({ role, input }) =>
      lintSubject(`${environment.name}/${role.name}`, input, role.acceptedFindings),
    ),
  );
}

/** The findings in a role of an environment's account. Undefined if it is not configured and does not trust CircleCI. */
export async function lintLiveRole(
  environment: Environment,
  { name, trustPolicy }: { readonly name: string; readonly trustPolicy: PolicyDocument },
  readPolicies: () => Promise<readonly RolePolicy[]>,
): Promise<LintReport | undefined> {
  const servers = serversOf(environment);
  const configured = environment.roles.find((role) => role.name === name);
  if (configured === undefined && !trustsCircleCi(trustPolicy, servers)) return undefined;
  const policies = await readPolicies();
  // What a role that is not configured is meant to have is not known.
  const configuredPolicies = (configured ? policiesOf(configured) : policies).map((policy) => policy.name);
  const { accountId } = environment;
  const input = { trustPolicy, policies, servers, accountId, configuredPolicies, roles: rolesOf(environment) };
  return lintSubject(`${environment.name}/${name}`, input, configured?.acceptedFindings);
}

/**
 * The findings in a file.
 *
 * @param json a trust policy, or the output of `aws iam get-role` or `aws iam list-roles`; of the latter, only the roles
 *   that trust a CircleCI issuer are checked
 * @param servers the hosts of CircleCI servers whose issuers are accepted in addition to circleci.com's
 */
export function lintFile(file: string, json: unknown, servers: readonly string[]): LintReport[] {
  if (!isObject(json) || !Array.isArray(json.Roles))
    return [lintSubject(file, { trustPolicy: trustPolicyIn(json), servers })];
  return json.Roles.map((role: unknown) => ({
    subject: `${file}: ${isObject(role) ? role.RoleName : ""}`,
    trustPolicy: trustPolicyIn(role),
  }))
    .filter(({ trustPolicy }) => trustsCircleCi(trustPolicy, servers))
    .map(({ subject, trustPolicy }) => lintSubject(subject, { trustPolicy, servers }));
}

function trustPolicyIn(json: unknown): unknown {
  if (!isObject(json)) return json;
  if (isObject(json.Role)) return trustPolicyIn(json.Role);
  const { AssumeRolePolicyDocument: policy = json } = json;
  return typeof policy === "string" ? decodeDocument(policy) : policy;
}

function lintSubject(subject: string, input: LintInput, accepted: AcceptedFindings = {}): LintReport {
  return { subject, findings: judge(input, accepted), fixed: fixTrust(input, Object.keys(accepted)) };
}

function inputsOf(environment: Environment): { readonly role: Role; readonly input: LintInput }[] {
  const [servers, roles] = [serversOf(environment), rolesOf(environment)];
  return environment.roles.map((role) => ({
    role,
    input: { trustPolicy: trustPolicyOf(environment, role.trust), policies: policiesOf(role), servers, roles },
  }));
}

/** Which roles of an environment are administrators according to the configuration, and whether its boundary limits one. */
export function rolesOf({ roles, permissionsBoundary: boundary }: Environment): RoleKnowledge {
  return knownRoles([
    ...roles.map((role) => ({ arn: role.arn, policies: policiesOf(role) })),
    ...(boundary === undefined ? [] : [{ arn: boundary.arn, policies: [boundary] }]),
  ]);
}

function policiesOf({ managedPolicyArns, inlinePolicies }: Role): RolePolicy[] {
  return [
    ...managedPolicyArns.map((name) => ({ name })),
    ...Object.entries(inlinePolicies).map(([name, document]) => ({ name, document })),
  ];
}

function serversOf({ circleci }: Environment): string[] {
  return [parseIssuer(circleci.issuer)?.host ?? CIRCLECI_CLOUD];
}

/** The findings, with the reasons of those that are accepted, and a warning for each acceptance without a finding. */
function judge(input: LintInput, accepted: AcceptedFindings): JudgedFinding[] {
  const findings = lintTrust(input);
  const unused = Object.keys(accepted).filter(
    (name) =>
      findings.every((found) => found.name !== name) &&
      // The configuration alone does not have this finding.
      (name !== "administrator-policy" || input.configuredPolicies !== undefined),
  );
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
 * Stops the synthesis if a trust policy of the configuration is overly permissive.
 *
 * @param warn prints a warning, one line; called for every unaccepted warning
 * @throws {UserError} with every unaccepted error
 */
export function enforceLint({ environments }: Config, warn: (line: string) => void): void {
  const open = environments.flatMap((environment) =>
    inputsOf(environment).flatMap(({ role, input }) =>
      judge(input, role.acceptedFindings)
        .filter(({ accepted }) => accepted === undefined)
        .map((found) => ({ ...found, where: `environments.${environment.name}.roles["${role.name}"]: ${found.name}` })),
    ),
  );
  for (const { severity, where, problem } of open) if (severity === "warning") warn(`warning: ${where}: ${problem}`);
  const errors = open
    .filter(({ severity }) => severity === "error")
    .map(
      ({ name, where, problem, attack }) =>
        `  ${where}: ${problem}\n    ${attack}\n    fix it (npx keyless lint suggests how), or accept it in the role: acceptedFindings: { "${name}": "<your reason>" }\n`,
    );
  if (errors.length === 0) return;
  throw new UserError(
    `the trust policies of config.ts have ${count(errors.length, "error")}; nothing was synthesized:\n\n${errors.join("")}`,
  );
}
