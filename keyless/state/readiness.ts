import { openAccount } from "../aws/iam";
import type { Config, Environment, StateBackend } from "../config/resolved";
import { StateStore } from "./store";

/**
 * Whether an environment can be deployed. `provider-missing`: it uses the provider of another environment of the account,
 * or of another tool, and the account has none. `state-elsewhere`: the account has resources of the environment, and the
 * bucket has no state of them, so that a deployment would fail with EntityAlreadyExists.
 */
export type Readiness =
  | { readonly kind: "ready" }
  | { readonly kind: "provider-missing"; readonly createdBy: readonly string[] }
  | { readonly kind: "state-elsewhere"; readonly hasProvider: boolean; readonly roles: readonly string[] };

/**
 * Compares what an account and a state backend have of an environment. Reads IAM and the bucket; never writes.
 *
 * @throws {UserError} if AWS refuses a request or cannot be reached
 */
export async function readinessOf(
  { environments }: Config,
  environment: Environment,
  backend: StateBackend,
): Promise<Readiness> {
  const { accountId, circleci, oidcProvider, roles, state } = environment;
  const account = await openAccount(environment);
  const hasProvider = (await account.audiences(oidcProvider.arn)) !== undefined;
  if (oidcProvider.mode === "existing" && !hasProvider) {
    const creators = environments.filter(
      (other) =>
        other.accountId === accountId &&
        other.circleci.issuer === circleci.issuer &&
        other.oidcProvider.mode === "create",
    );
    return { kind: "provider-missing", createdBy: creators.map(({ name }) => name) };
  }
  if (await new StateStore(backend).has(state.key)) return { kind: "ready" };
  const found = await Promise.all(roles.map(({ name }) => account.role(name)));
  const existing = {
    hasProvider: oidcProvider.mode === "create" && hasProvider,
    roles: found.flatMap((role) => (role === undefined ? [] : role.name)),
  };
  const isNew = !existing.hasProvider && existing.roles.length === 0;
  return isNew ? { kind: "ready" } : { kind: "state-elsewhere", ...existing };
}
