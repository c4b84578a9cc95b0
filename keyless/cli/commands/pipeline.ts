import type { Command } from "commander";
import { jobConfig } from "../../pipeline/job";
import { print, readProjectFile } from "../lib/files";
import { environmentNamed, loadConfig, roleNamed } from "../lib/load-config";

/** The pipeline that `keyless pipeline` fills in. */
const EXAMPLE = "examples/static-site/.circleci/config.yml";

export function register(program: Command): void {
  program
    .command("pipeline")
    .argument("<environment>", "an environment of config.ts")
    .argument("<role>", "a role of that environment")
    .description("print a .circleci/config.yml for a repository that uses a role, ready to paste")
    .action((environmentName: string, roleName: string) => {
      const environment = environmentNamed(loadConfig(), environmentName);
      print(jobConfig(readProjectFile(EXAMPLE), environment, roleNamed(environment, roleName)));
    });
}
