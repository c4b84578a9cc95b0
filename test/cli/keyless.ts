import { spawn } from "node:child_process";
import { join } from "node:path";
import { exampleProject } from "../example/project";

export interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Options {
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Close the pipe of standard output before the command writes to it. */
  readonly closed?: boolean;
  /** The current folder. Default: the example project. */
  readonly cwd?: string;
  /** The script to run. Default: the command of the example project. */
  readonly script?: string;
}

/** Runs a command without a terminal. */
export function keyless(
  args: readonly string[],
  { input = "", env = {}, closed, cwd = exampleProject, script }: Options = {},
): Promise<Run> {
  const child = spawn(process.execPath, [script ?? join(exampleProject, "keyless/cli/keyless.js"), ...args], {
    cwd,
    env: { ...process.env, CIRCLE_PR_NUMBER: "", ...env },
  });
  let [stdout, stderr] = ["", ""];
  if (closed) child.stdout.destroy();
  else
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  // A command that does not read its input may exit before all of it is written.
  child.stdin.on("error", () => {}).end(input);
  return new Promise((resolve, reject) => {
    child.on("error", reject).on("close", (status) => resolve({ status, stdout, stderr }));
  });
}
