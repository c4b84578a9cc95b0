import { Command } from "commander";
import { register as bootstrap } from "./bootstrap";
import { register as explain } from "./explain";

const program = new Command("keyless")
  .description("Keyless access to AWS for CircleCI: set up, review and explain it")
  .showHelpAfterError();

for (const register of [bootstrap, explain]) register(program);

program.parseAsync().catch((error: unknown) => {
  throw error;
});
