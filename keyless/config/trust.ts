import type { PolicyDocument } from "../policy/document";
import type { TrustRule } from "../trust/circleci";
import type { Question } from "../trust/explain/types";
import { trustPolicy } from "../trust/policy";
import type { Environment, Role } from "./resolved";

/** The trust policy of a role of an environment with these rules. */
export function trustPolicyOf({ circleci, oidcProvider }: Environment, rules: readonly TrustRule[]): PolicyDocument {
  return trustPolicy({ ...circleci, providerArn: oidcProvider.arn, rules });
}

/** A role's trust as configured, to explain tokens with. */
export type ConfiguredTrust = Pick<Question, "trustPolicy" | "configPath" | "account"> & {
  readonly audiences: readonly string[];
};

/** The trust of a role as configured. */
export function configuredTrust(environment: Environment, { name, trust }: Role): ConfiguredTrust {
  return {
    trustPolicy: trustPolicyOf(environment, trust),
    configPath: `environments.${environment.name}.roles["${name}"].trust`,
    account: environment,
    audiences: environment.circleci.audiences,
  };
}
