import type { PolicyDocument } from "../policy/document";
import type { TrustRule } from "../trust/circleci";
import { trustPolicy } from "../trust/policy";
import type { Environment, Role } from "./resolved";

/** The trust policy of a role of an environment with these rules. */
export function trustPolicyOf({ circleci, oidcProvider }: Environment, rules: readonly TrustRule[]): PolicyDocument {
  return trustPolicy({ ...circleci, providerArn: oidcProvider.arn, rules });
}

/** The trust of a role as configured: the input of `explain` apart from the token. */
export function configuredTrust(environment: Environment, { name, trust }: Role) {
  return {
    trustPolicy: trustPolicyOf(environment, trust),
    configPath: `environments.${environment.name}.roles["${name}"].trust`,
    account: environment,
    audiences: environment.circleci.audiences,
  };
}
