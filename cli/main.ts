import { Command } from "commander";
import { register as bootstrap } from "./bootstrap";
import { register as credentials } from "./credentials";
import { register as demo } from "./demo";
import { register as pipeline } from "./pipeline";
import { register as review } from "./review";
import { register as sandbox } from "./sandbox";
import { register as terraform } from "./terraform";
import { register as verify } from "./verify";

const program = new Command("keyless")
  .description("Keyless access to AWS for CircleCI: set up, review and explain it")
  .showHelpAfterError();

for (const register of [bootstrap, credentials, demo, pipeline, review, sandbox, terraform, verify]) register(program);

program.parseAsync().catch((error: unknown) => {
  throw error;
});
