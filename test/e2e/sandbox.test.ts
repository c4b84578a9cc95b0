import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";

const root = join(__dirname, "../..");

/** Starts a process that starts a local AWS, says what belongs to it, and then does as it is told. */
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
  const [line] = await once(child.stdout, "data");
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

async function eventually(holds: () => boolean): Promise<boolean> {
  for (let tries = 0; tries < 100 && !holds(); tries++) await new Promise((resolve) => setTimeout(resolve, 50));
  return holds();
}

describe("the local AWS leaves nothing behind", () => {
  test.each([
    ["it is stopped", "await sandbox.stop();", undefined],
    ["its process ends without a word", "process.exit(0);", undefined],
    ["its process fails", "throw new Error('failed');", undefined],
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
    await expect(eventually(() => !isAlive(moto))).resolves.toBe(true);
    await expect(eventually(() => !existsSync(folder))).resolves.toBe(true);
    child.stdin.end();
    await ended;
  });
});
