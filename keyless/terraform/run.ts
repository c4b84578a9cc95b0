import { spawn } from "node:child_process";
import { UserError } from "../errors";

/** A run of Terraform in one folder. */
export interface TerraformRun {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Called with each line that Terraform prints, as it prints it. */
  readonly onLine: (line: string) => void;
  /** Called with the id of Terraform's process once it runs. */
  readonly onStart?: (pid: number) => void;
  /** Ends Terraform at once, whatever it is about to save: for what is thrown away anyway. */
  readonly signal?: AbortSignal;
}

/** Passes on what Terraform or cdktf says of each resource and of the end of its work, and nothing else that it prints. */
export function events(progress: (line: string) => void): (line: string) => void {
  return (line) => {
    if (/: (Still )?(Creat|Modif|Destr|Import)|complete!|No changes/.test(line)) progress(line.replace(/^\w*\s+/, ""));
  };
}

/** Runs Terraform and waits for its end; what it printed and its exit status. */
export async function terraform(run: TerraformRun, ...args: string[]): Promise<{ status: number; output: string }> {
  const binary = run.env.TERRAFORM_BINARY_NAME ?? "terraform";
  const env = { ...run.env, TF_IN_AUTOMATION: "1", TF_INPUT: "0", CHECKPOINT_DISABLE: "1" };
  const child = spawn(binary, [...args, "-no-color"], { cwd: run.folder, env, stdio: ["ignore", "pipe", "pipe"] });
  // Ctrl-C reaches Terraform as well, which then saves the state and gives the lock back: wait for it.
  const wait = () => {};
  const passOn = () => child.kill("SIGTERM");
  process.on("SIGINT", wait).on("SIGTERM", passOn);
  // Terraform ends at its second interrupt without waiting for its provider, which it takes along.
  run.signal?.addEventListener("abort", () => {
    for (const delay of [0, 200, 400]) setTimeout(() => child.kill("SIGINT"), delay);
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      for (const line of text.split("\n")) if (line.trim() !== "") run.onLine(line);
    });
  }
  try {
    return await new Promise((resolve, reject) => {
      child.on("error", () =>
        reject(new UserError(`${binary} cannot be run: install Terraform, or name it in TERRAFORM_BINARY_NAME`)),
      );
      child.on("spawn", () => run.onStart?.(child.pid as number));
      child.on("close", (status, signal) => resolve({ status: status ?? (signal === null ? 1 : 128), output }));
    });
  } finally {
    process.off("SIGINT", wait).off("SIGTERM", passOn);
  }
}

/** Runs Terraform; a failure is an error with what Terraform said. */
export async function terraformOrFail(run: TerraformRun, ...args: string[]): Promise<string> {
  const { status, output } = await terraform(run, ...args);
  if (status !== 0) throw new UserError(`terraform ${args[0]} failed in ${run.folder}:\n\n${output.trim()}`);
  return output;
}
