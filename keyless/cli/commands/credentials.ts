import { type Command, Option } from "commander";
import type { Environment, Role } from "../../config/resolved";
import { UsageError } from "../../errors";
import { pipelineRole } from "../../pipeline/administrator";
import { assumeRoleInJob } from "../../pipeline/credentials";
import { duration } from "../../text";
import { note } from "../lib/files";
import { exportToJob } from "../lib/job-environment";
import { environmentNamed, loadConfig, roleNamed } from "../lib/load-config";

interface CredentialsFlags {
  readonly plan?: true;
  readonly apply?: true;
}

export function register(program: Command): void {
  program
    .command("credentials")
    .argument("<environment>", "an environment of config.ts")
    .argument("[role]", "a role of that environment")
    .addOption(new Option("--plan", "assume the environment's role with planEnvironment").conflicts("apply"))
    .option("--apply", "assume the environment's role with applyEnvironment")
    .description("assume an AWS role with the token of a CircleCI job, for its later steps")
    .addHelpText(
      "after",
      "\nIn a long job, run it again before the token expires: it requests a new one\nwith `circleci run oidc get`.",
    )
    .action(async (environmentName: string, roleName: string | undefined, flags: CredentialsFlags) => {
      const environment = environmentNamed(loadConfig(), environmentName);
      const credentials = await assumeRoleInJob(environment, roleOf(environment, roleName, flags));
      const { variables, sessionArn, tokenExpires, warning } = credentials;
      exportToJob(variables);
      note(`AWS accepted the token: ${sessionArn}`);
      note(`The token expires in ${duration(tokenExpires - Date.now() / 1000)}.`);
      if (warning !== undefined) note(`warning: ${warning}`);
    });
}

/** The role that the arguments name, or the role of the pipeline. */
function roleOf(environment: Environment, name: string | undefined, { plan, apply }: CredentialsFlags): Role {
  if (plan === undefined && apply === undefined) {
    if (name === undefined) throw new UsageError("name a role, or give --plan or --apply");
    return roleNamed(environment, name);
  }
  if (name !== undefined) throw new UsageError(`give either the role ${name} or --${plan ? "plan" : "apply"}`);
  return pipelineRole(environment, plan ? "plan" : "apply");
}
