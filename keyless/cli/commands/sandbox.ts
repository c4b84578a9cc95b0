import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { type Command, InvalidArgumentError } from "commander";
import { shellLines } from "../../pipeline/shell";
import { type Sandbox, startSandbox } from "../../sandbox";
import { leastPrivilegePolicy } from "../../sandbox/least-privilege";
import { writeOutput } from "../lib/output";

interface SandboxFlags {
  readonly account: string;
  readonly region: string;
  readonly leastPolicy?: true;
  readonly record?: string;
}

export function register(program: Command): void {
  program
    .command("sandbox")
    .argument("[command...]", "what to run, after -- (default: say how to use the local AWS, and stay until Ctrl-C)")
    .option("--account <id>", "the account whose administrator the command is", accountId, "123456789012")
    .option("--region <region>", "the region that the command works in", "us-east-1")
    .option("--least-policy", "at the end, print for each session of a role the least policy that would have sufficed")
    .option("--record <file>", "at the end, write every permission that was asked for, with its decision, as JSON")
    .description("start a local AWS with a local CircleCI issuer, and run a command in it")
    .action(async (command: string[], options: SandboxFlags) => {
      const progress = (line: string) => console.error(line);
      const sandbox = await startSandbox({ accountId: options.account, region: options.region, progress });
      try {
        process.exitCode = command.length > 0 ? await runCommand(command, sandbox) : await stay(sandbox);
        if (options.leastPolicy) printLeastPrivilegePolicies(sandbox);
        if (options.record)
          writeOutput("--record", options.record, `${JSON.stringify(sandbox.proxy.recorded(), null, 2)}\n`);
      } finally {
        await sandbox.stop();
      }
    });
}

function accountId(value: string): string {
  if (/^\d{12}$/.test(value)) return value;
  throw new InvalidArgumentError(`an account id has 12 digits.`);
}

/** The exit status of the command, as a shell would tell it. */
async function runCommand([file = "", ...args]: string[], { environment }: Sandbox): Promise<number> {
  const child = spawn(file, args, { env: environment, stdio: "inherit" });
  // Ctrl-C reaches the command by itself: the local AWS stays until it has ended. Terraform saves its state then.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  try {
    const [status, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    return signal ? 128 + constants.signals[signal] : (status ?? 1);
  } catch (error) {
    console.error(`${file} cannot be run: ${(error as Error).message}`);
    return 127;
  }
}

/** Says how another shell uses the sandbox, and waits for Ctrl-C; the exit status. */
export async function stay({ endpoint, issuer, environment }: Sandbox): Promise<number> {
  const stopped = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  console.log(`${shellLines(changes(environment)).join("\n")}

# The local AWS is at ${endpoint}: paste the lines above into another shell to be its administrator there.
# A token as a job of main would have it, from the local issuer:
#   curl "${issuer.endpoint}/token?organization=<id>&project=<id>&origin=github.com/acme/site&ref=refs/heads/main"
# Ctrl-C ends it, and everything in it is gone.`);
  await stopped;
  return 0;
}

/** What makes another environment of a shell's own. */
function changes(environment: Sandbox["environment"]): Sandbox["environment"] {
  const names = Object.keys({ ...process.env, ...environment });
  const changed = names.filter((name) => environment[name] !== process.env[name]);
  return Object.fromEntries(changed.map((name) => [name, environment[name]]));
}

function printLeastPrivilegePolicies({ proxy }: Sandbox): void {
  for (const session of new Set(proxy.recorded().map(({ session }) => session))) {
    console.log(`${session}\n${JSON.stringify(leastPrivilegePolicy(proxy.recorded(session)), null, 2)}`);
  }
}
