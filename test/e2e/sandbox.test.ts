// @duration 18
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const root = join(__dirname, "../..");

/** Starts a process that starts a sandbox, prints its folder, and runs the code when it receives a line. */
async function startProcess(andThen: string) {
  const script = `
    const { dirname } = require("node:path");
    require("./dist/keyless/sandbox").startSandbox().then(async (sandbox) => {
      const { endpoint, environment } = sandbox;
      console.log(JSON.stringify({ endpoint, folder: dirname(environment.AWS_CONFIG_FILE) }));
      await new Promise((resolve) => process.stdin.once("data", resolve));
      ${andThen}
    });`;
  const child = spawn(process.execPath, ["-e", script], { cwd: root, stdio: ["pipe", "pipe", "ignore"] });
  const [line] = await once(createInterface(child.stdout), "line");
  const { folder } = JSON.parse(String(line)) as { folder: string };
  const [moto = ""] = execFileSync("pgrep", ["-P", String(child.pid)], { encoding: "utf8" })
    .trim()
    .split("\n");
  return { child, folder, moto: Number(moto) };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits until a condition is true. If it never is, the time limit for hangs ends the test. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 50));
}

describe("a sandbox leaves no process and no file behind", () => {
  test.each([
    ["stop()", "await sandbox.stop();", undefined],
    ["the process exits", "process.exit(0);", undefined],
    ["an uncaught error", "throw new Error('failed');", undefined],
    ["Ctrl-C", "", "SIGINT"],
    ["SIGTERM", "", "SIGTERM"],
    ["SIGKILL", "", "SIGKILL"],
  ] as const)("after %s", async (_, andThen, signal) => {
    const { child, folder, moto } = await startProcess(andThen);
    expect(isAlive(moto)).toBe(true);
    expect(existsSync(folder)).toBe(true);
    const ended = once(child, "exit");
    if (signal) child.kill(signal);
    else child.stdin.write("go\n");
    await until(() => !isAlive(moto));
    await until(() => !existsSync(folder));
    child.stdin.end();
    await ended;
  });
});
