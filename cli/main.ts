import { Command } from "commander";

const program = new Command("keyless")
  .description("Keyless access to AWS for CircleCI: set up, review and explain it")
  .showHelpAfterError();

program.parseAsync().catch((error: unknown) => {
  throw error;
});
