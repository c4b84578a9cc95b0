import type { Command } from "commander";
import { assumeRoleInJob } from "../../pipeline/credentials";
import { duration } from "../../text";
import { note } from "../lib/files";
import { exportToJob } from "../lib/job-environment";
import { environmentNamed, loadConfig, roleNamed } from "../lib/load-config";

export function register(program: Command): void {
  program
    .command("credentials")
    .argument("<environment>", "an environment of config.ts")
    .argument("<role>", "a role of that environment")
    .description("assume an AWS role with the token of a CircleCI job, for its later steps")
    .addHelpText(
      "after",
      "\nIn a long job, run it again before the token expires: it requests a new one\nwith `circleci run oidc get`.",
    )
    .action(async (environmentName: string, roleName: string) => {
      const environment = environmentNamed(loadConfig(), environmentName);
      const credentials = await assumeRoleInJob(environment, roleNamed(environment, roleName));
      const { variables, sessionArn, tokenExpires, warning } = credentials;
      exportToJob(variables);
      note(`AWS accepted the token: ${sessionArn}`);
      note(`The token expires in ${duration(tokenExpires - Date.now() / 1000)}.`);
      if (warning !== undefined) note(`warning: ${warning}`);
    });
}
