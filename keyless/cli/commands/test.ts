import type { Command } from "commander";
import { runTrustTests, type TrustTestResult } from "../../access/trust-tests";
import { EXIT_STATUS } from "../../errors";
import { oneLineValues } from "../../text";
import { wrap } from "../../wrap";
import { print, toEnvelope } from "../lib/files";
import { loadConfigWithWarnings } from "../lib/load-config";
import { terminalOf } from "../lib/terminal";

export function register(program: Command): void {
  program
    .command("test")
    .description("run the trustTests of config.ts")
    .option("--json", "print JSON")
    .action(({ json }: { json?: true }) => {
      const results = runTrustTests(loadConfigWithWarnings());
      print(json ? toEnvelope("test", results) : renderResults(oneLineValues(results), terminalOf().columns));
      if (results.some(hasFailed)) process.exitCode = EXIT_STATUS.refused;
    });
}

function renderResults(results: readonly TrustTestResult[], columns: number): string {
  if (results.length === 0) {
    return `${wrap("config.ts has no trustTests: list there which jobs each role must and must not trust", columns)}\n`;
  }
  const lines = results.flatMap((result) => [
    `${hasFailed(result) ? "FAIL" : "pass"}  ${wrap(result.name, columns, "      ")}`,
    ...result.failures.map((failure) => `      ${wrap(failure, columns, "      ")}`),
  ]);
  const passed = results.filter((result) => !hasFailed(result)).length;
  return `${lines.join("\n")}\n\n${passed} of ${results.length} trust tests passed\n`;
}

function hasFailed({ failures }: TrustTestResult): boolean {
  return failures.length > 0;
}
