import { Command } from "commander";
import { register as bootstrap } from "./bootstrap";
import { register as demo } from "./demo";
import { register as sandbox } from "./sandbox";

const program = new Command("keyless")
  .description("Keyless access to AWS for CircleCI: set up, review and explain it")
  .showHelpAfterError();

for (const register of [bootstrap, demo, sandbox]) register(program);

program.parseAsync().catch((error: unknown) => {
  throw error;
});
