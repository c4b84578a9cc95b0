import { Command } from "commander";
import { register as access } from "./access";
import { register as bootstrap } from "./bootstrap";
import { register as demo } from "./demo";
import { register as explain } from "./explain";
import { register as lint } from "./lint";
import { register as review } from "./review";
import { register as sandbox } from "./sandbox";
import { register as test } from "./test";

const program = new Command("keyless")
  .description("Keyless access to AWS for CircleCI: set up, review and explain it")
  .showHelpAfterError();

for (const register of [access, bootstrap, demo, explain, lint, review, sandbox, test]) register(program);

program.parseAsync().catch((error: unknown) => {
  throw error;
});
