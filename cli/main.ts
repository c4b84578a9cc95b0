import { Command } from "commander";
import { register as bootstrap } from "./bootstrap";

const program = new Command("keyless")
  .description("Keyless access to AWS for CircleCI: set up, review and explain it")
  .showHelpAfterError();

for (const register of [bootstrap]) register(program);

program.parseAsync().catch((error: unknown) => {
  throw error;
});
