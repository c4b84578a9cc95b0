import tab from "@bomb.sh/tab/commander";
import type { Command } from "commander";
import type { Environment } from "../../config/resolved";
import { loadConfig } from "./load-config";

type Complete = (value: string, description: string) => void;

/**
 * Adds `keyless completion <shell>`, which prints a completion script, and the hidden `keyless complete`, which the script
 * calls. Completes commands and options, and the names of environments and roles from config.ts.
 */
export function addCompletion(program: Command): void {
  const { commands } = tab(program, { completionCommandName: "completion" });
  const own = program.commands.find((command) => command.name() === "completion");
  own?.description("print a script that completes commands, options and names of config.ts in a shell");
  for (const { arguments: parameters, options } of commands.values()) {
    for (const [name, parameter] of parameters) {
      if (name.startsWith("environment")) parameter.handler = completeEnvironments;
      if (name === "role") parameter.handler = completeRoles;
    }
    const live = options.get("live");
    if (live?.handler !== undefined) live.handler = completeEnvironments;
  }
}

function completeEnvironments(complete: Complete): void {
  for (const { name, accountId } of environments()) complete(name, `AWS account ${accountId}`);
}

/** The roles of the environment that the command line names. */
function completeRoles(complete: Complete): void {
  const environment = environments().find(({ name }) => process.argv.includes(name));
  for (const { name, description = "" } of environment?.roles ?? []) complete(name, description);
}

/** None if config.ts has an error: a completion must not print one. */
function environments(): readonly Environment[] {
  try {
    return loadConfig().environments;
  } catch {
    return [];
  }
}
