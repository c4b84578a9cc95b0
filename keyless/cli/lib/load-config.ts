import type { Config, Environment, Role, StateBackend } from "../../config/resolved";
import { UsageError, UserError } from "../../errors";
import { closestName, didYouMean, oneLine } from "../../text";

/**
 * The configuration in `config.ts`. Loaded on demand: `--help` and shell completion work with an error in it.
 *
 * @throws {UsageError} if config.ts has an error
 */
export function loadConfig(): Config {
  try {
    return (require("../../../config") as { default: Config }).default;
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UsageError(`config.ts cannot be loaded: ${error instanceof Error ? error.stack : error}`);
  }
}

/** {@link loadConfig}, and prints the warnings of the configuration to standard error. */
export function loadConfigWithWarnings(): Config {
  const config = loadConfig();
  for (const warning of config.warnings) process.stderr.write(`warning: ${oneLine(warning)}\n`);
  return config;
}

/** @throws {UsageError} if there is no such environment: lists the environments and suggests one with a similar name */
export function environmentNamed(config: Config, name: string): Environment {
  return itemNamed(config.environments, name, `there is no environment "${name}" in config.ts`);
}

/** @throws {UsageError} if there is no such role: lists the environment's roles and suggests one with a similar name */
export function roleNamed(environment: Environment, name: string): Role {
  return itemNamed(environment.roles, name, `there is no role "${name}" in environment ${environment.name}`);
}

/** @throws {UsageError} if the configuration has no stack of this name */
export function requireStack({ environments, stateBackends }: Config, name: string): void {
  itemNamed(
    [...environments, ...stateBackends],
    name,
    `config.ts has no environment "${name}", nor a stack of that name`,
  );
}

/** The backend that stores the state of an environment. */
export function stateBackendOf({ stateBackends }: Config, { state }: Environment): StateBackend {
  return stateBackends.find((backend) => backend.state.bucket === state.bucket) as StateBackend;
}

function itemNamed<T extends { readonly name: string }>(items: readonly T[], name: string, problem: string): T {
  const found = items.find((item) => item.name === name);
  if (found !== undefined) return found;
  const names = items.map((item) => item.name);
  throw new UsageError(
    `${oneLine(problem)}: ${names.join(", ") || "none is defined"}${didYouMean(closestName(name, names))}`,
  );
}
