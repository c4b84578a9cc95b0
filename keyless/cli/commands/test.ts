import type { Command } from "commander";
import { runTrustTests } from "../../access/trust-tests";
import { loadConfig } from "../lib/load-config";

export function register(program: Command): void {
  program.command("test").description("run the trustTests of config.ts; exit status 1 if one fails").action(testTrust);
}

function testTrust(): void {
  const results = runTrustTests(loadConfig());
  if (results.length === 0) {
    process.stdout.write("config.ts has no trustTests: add some that say which jobs must and must not get in\n");
    return;
  }
  for (const { name, failures } of results) {
    process.stdout.write(`${failures.length === 0 ? "pass" : "FAIL"}  ${name}\n`);
    for (const failure of failures) process.stdout.write(`      ${failure}\n`);
  }
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  process.stdout.write(`\n${results.length - failed} of ${results.length} trust tests passed\n`);
  if (failed > 0) process.exitCode = 1;
}
