import type { Config, Environment, Role } from "../../config/resolved";
import { UserError } from "../../errors";

/** The configuration in `config.ts`. Read when asked for, so that a mistake in it does not keep `--help` from working. */
export function loadConfig(): Config {
  return (require("../../../config") as { default: Config }).default;
}

/** @throws {UserError} naming the environments that there are */
export function environmentNamed(config: Config, name: string): Environment {
  const environment = config.environments.find((candidate) => candidate.name === name);
  if (environment === undefined) {
    throw new UserError(
      `there is no environment "${name}" in config.ts: ${config.environments.map(({ name }) => name).join(", ")}`,
    );
  }
  return environment;
}

/** @throws {UserError} naming the roles that the environment has */
export function roleNamed(environment: Environment, name: string): Role {
  const role = environment.roles.find((candidate) => candidate.name === name);
  if (role === undefined) {
    throw new UserError(
      `there is no role "${name}" in environment ${environment.name}: ${environment.roles.map(({ name }) => name).join(", ")}`,
    );
  }
  return role;
}
