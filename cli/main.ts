import { Command } from "commander";
import { register as access } from "./access";
import { register as bootstrap } from "./bootstrap";
import { register as credentials } from "./credentials";
import { register as demo } from "./demo";
import { register as explain } from "./explain";
import { register as lint } from "./lint";
import { register as pipeline } from "./pipeline";
import { register as review } from "./review";
import { register as sandbox } from "./sandbox";
import { register as terraform } from "./terraform";
import { register as test } from "./test";
import { register as verify } from "./verify";

const program = new Command("keyless")
  .description("set up, review and explain CircleCI's access to AWS without stored keys")
  .showHelpAfterError("(--help lists what there is)");

const commands = [
  access,
  bootstrap,
  credentials,
  demo,
  explain,
  lint,
  pipeline,
  review,
  sandbox,
  terraform,
  test,
  verify,
];
for (const register of commands) register(program);

void program.parseAsync();
