import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { jobConfig } from "../../pipeline/job";
import { environmentNamed, loadConfig, roleNamed } from "../lib/load-config";

export function register(program: Command): void {
  program
    .command("pipeline")
    .argument("<environment>", "an environment of config.ts")
    .argument("<role>", "a role of that environment")
    .description("print a .circleci/config.yml for a repository that uses a role, ready to paste")
    .action((environmentName: string, roleName: string) => {
      const environment = environmentNamed(loadConfig(), environmentName);
      // Compiled, this file is one folder deeper than in the sources: below dist/.
      const example = join(__dirname, "..", "..", "..", "..", "examples", "static-site", ".circleci", "config.yml");
      process.stdout.write(jobConfig(readFileSync(example, "utf8"), environment, roleNamed(environment, roleName)));
    });
}
