import type { Command } from "commander";
import { Demo } from "../../sandbox/demo";
import { runSteps } from "../lib/progress";
import { terminalOf } from "../lib/terminal";
import { waitForInterrupt } from "./sandbox";

export function register(program: Command): void {
  program
    .command("demo")
    .option("--keep", "keep the sandbox running at the end, until Ctrl-C, and print how to use it")
    .description(
      "bootstrap and deploy an example in a sandbox, then verify trust, permissions and drift; needs no AWS account and no config.ts",
    )
    .action(async ({ keep = false }: { keep?: boolean }) => {
      // The demo replaces the variables of this process.
      const shell = { ...process.env };
      const demo = new Demo();
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
