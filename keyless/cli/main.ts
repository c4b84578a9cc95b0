import { Command } from "commander";
import { register as access } from "./commands/access";
import { register as bootstrap } from "./commands/bootstrap";
import { register as credentials } from "./commands/credentials";
import { register as demo } from "./commands/demo";
import { register as explain } from "./commands/explain";
import { register as lint } from "./commands/lint";
import { register as pipeline } from "./commands/pipeline";
import { register as review } from "./commands/review";
import { register as sandbox } from "./commands/sandbox";
import { register as terraform } from "./commands/terraform";
import { register as test } from "./commands/test";
import { register as verify } from "./commands/verify";
import { addCompletion } from "./lib/completion";
import { EXIT_STATUS_HELP, runProgram } from "./lib/exit";
import { readProjectFile } from "./lib/files";

const all = [access, bootstrap, credentials, demo, explain, lint, pipeline, review, sandbox, terraform, test, verify];

const program = new Command("keyless")
  .description("set up, review and explain CircleCI's access to AWS without stored keys")
  .version(JSON.parse(readProjectFile("package.json")).version)
  .showHelpAfterError("Run with --help for usage")
  .configureHelp({ minWidthToWrap: 30 })
  .addHelpText("afterAll", EXIT_STATUS_HELP)
  // Throw instead of exiting: runProgram sets the exit status.
  .exitOverride();
for (const register of all) register(program);
addCompletion(program);

void runProgram(program);
