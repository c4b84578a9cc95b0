import type { Command } from "commander";
import { Demo } from "../../sandbox/demo";
import { environmentNamed, loadConfig, roleNamed, stateBackendOf } from "../lib/load-config";
import { runSteps } from "../lib/progress";
import { terminalOf } from "../lib/terminal";
import { waitForInterrupt } from "./sandbox";

export function register(program: Command): void {
  program
    .command("demo")
    .option("--keep", "keep the sandbox running at the end, until Ctrl-C, and print how to use it")
    .description(
      "bootstrap and deploy dev in a sandbox, then verify trust, permissions and drift; needs no AWS account",
    )
    .action(async ({ keep = false }: { keep?: boolean }) => {
      const config = loadConfig();
      const environment = environmentNamed(config, "dev");
      const publisher = roleNamed(environment, "circleci-site-publisher");
      // The demo replaces the variables of this process.
      const shell = { ...process.env };
      const demo = new Demo(environment, stateBackendOf(config, environment), publisher);
      const interrupted = () => demo.interruption.abort();
      process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
      try {
        await runSteps(demo.steps());
        console.log(demo.summary(terminalOf().columns));
        if (keep) process.exitCode = await waitForInterrupt(demo.sandbox, shell);
      } catch (error) {
        if (!demo.interruption.signal.aborted) throw error;
        console.error("interrupted: the sandbox was stopped and its data removed");
        process.exitCode = 130;
      } finally {
        await demo.stop();
      }
    });
}
