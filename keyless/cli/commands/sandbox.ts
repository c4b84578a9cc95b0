import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { type Command, InvalidArgumentError } from "commander";
import { type Sandbox, startSandbox } from "../../sandbox";
import { leastPrivilegePolicy } from "../../sandbox/least-privilege";
import { note, outputFile, print, writeOutput } from "../lib/files";
import { shellLines } from "../lib/job-environment";

interface SandboxFlags {
  readonly account: string;
  readonly region: string;
  readonly leastPolicy?: true;
  readonly record?: string;
}

export function register(program: Command): void {
  program
    .command("sandbox")
    .argument("[command...]", "command to run, after -- (default: print how to use the sandbox, and wait for Ctrl-C)")
    .option("--account <id>", "account that the command administers", accountId, "123456789012")
    .option("--region <region>", "region of the command", "us-east-1")
    .option("--least-policy", "at the end, print a least-privilege policy for each role session")
    .option(
      "--record <file>",
      "at the end, write the permissions that role sessions required, with decisions, as JSON",
      outputFile,
    )
    .description("start a local AWS and a local CircleCI issuer, and run a command against them")
    .addHelpText("after", "\nWith a command, the exit status is the command's.")
    .action(async (command: string[], { account, region, leastPolicy, record }: SandboxFlags) => {
      const sandbox = await startSandbox({ accountId: account, region, progress: note });
      try {
        process.exitCode = command.length > 0 ? await runCommand(command, sandbox) : await waitForInterrupt(sandbox);
        if (leastPolicy) printLeastPrivilegePolicies(sandbox);
        if (record) writeOutput("--record", record, `${JSON.stringify(sandbox.proxy.recorded(), null, 2)}\n`);
      } finally {
        await sandbox.stop();
      }
    });
}

function accountId(value: string): string {
  if (/^\d{12}$/.test(value)) return value;
  throw new InvalidArgumentError("an account id has 12 digits.");
}

/** Runs a command in the sandbox. Returns its exit status, as a shell would. */
async function runCommand([file = "", ...args]: string[], { environment }: Sandbox): Promise<number> {
  const child = spawn(file, args, { env: environment, stdio: "inherit" });
  // The terminal sends Ctrl-C to the command too. The sandbox runs until the command exits, so that Terraform can save
  // its state.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  try {
    const [status, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    return signal ? 128 + constants.signals[signal] : (status ?? 1);
  } catch (error) {
    console.error(`cannot run ${file}: ${(error as Error).message}`);
    return 127;
  }
}

/**
 * Prints how another shell uses the sandbox, then waits for Ctrl-C or SIGTERM. Returns the exit status.
 *
 * @param shell the environment variables of that shell. Default: those of this process.
 */
export async function waitForInterrupt(
  { endpoint, issuer, environment }: Sandbox,
  shell: Sandbox["environment"] = process.env,
): Promise<number> {
  const stopped = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  console.log(`${shellLines(changedVariables(shell, environment)).join("\n")}

# The sandbox is at ${endpoint}. To administer its account, paste the lines above into another shell.
# To get a token of a job on branch main from the local issuer:
#   curl "${issuer.endpoint}/token?organization=<id>&project=<id>&origin=github.com/acme/site&ref=refs/heads/main"
# Ctrl-C stops the sandbox and removes its data.`);
  await stopped;
  return 0;
}

function changedVariables(shell: Sandbox["environment"], environment: Sandbox["environment"]): Sandbox["environment"] {
  const names = Object.keys({ ...shell, ...environment });
  const changed = names.filter((name) => environment[name] !== shell[name]);
  return Object.fromEntries(changed.map((name) => [name, environment[name]]));
}

function printLeastPrivilegePolicies({ proxy }: Sandbox): void {
  for (const session of new Set(proxy.recorded().map(({ session }) => session))) {
    print(`${session}\n${JSON.stringify(leastPrivilegePolicy(proxy.recorded(session)), null, 2)}\n`);
  }
}
