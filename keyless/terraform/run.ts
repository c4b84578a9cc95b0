import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import * as v from "valibot";
import { UserError } from "../errors";

/** A run of Terraform in one folder. */
export interface TerraformRun {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Called with a line of text for each resource operation of `apply -json`, and for its result. */
  readonly progress: (line: string) => void;
  /** Called with Terraform's process ID when it has started. */
  readonly onStart?: (pid: number) => void;
  /** Kills Terraform without waiting for it to save the state. Use it for temporary state only. */
  readonly signal?: AbortSignal;
}

/**
 * A line of Terraform's machine-readable output.
 *
 * @see https://developer.hashicorp.com/terraform/internals/machine-readable-ui
 */
const messageSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    "@message": v.string(),
    type: v.string(),
    hook: v.optional(v.object({ action: v.optional(v.string()) })),
    changes: v.optional(v.object({ operation: v.string() })),
    diagnostic: v.optional(v.object({ detail: v.string() })),
  }),
);

const OPERATIONS = ["apply_start", "apply_progress", "apply_complete", "apply_errored"];

function isProgress({ type, changes, hook }: v.InferOutput<typeof messageSchema>): boolean {
  if (type === "change_summary") return changes?.operation === "apply";
  return OPERATIONS.includes(type) && hook?.action !== "read";
}

/**
 * Passes on the lines of cdktf about operations on resources and the result, without the name of the stack. cdktf has no
 * machine-readable output.
 */
export function cdktfProgress(progress: (line: string) => void): (line: string) => void {
  return (line) => {
    if (/: (Still )?(Creat|Modif|Destr|Import)|complete!|No changes/.test(line))
      progress(line.replace(/^\S*\s{2,}/, ""));
  };
}

/** Runs Terraform. Returns its exit status and its output; of `-json`, the output is the diagnostics. */
export async function runTerraform(run: TerraformRun, ...args: string[]): Promise<{ status: number; output: string }> {
  const binary = run.env.TERRAFORM_BINARY_NAME ?? "terraform";
  const env = { ...run.env, TF_IN_AUTOMATION: "1", TF_INPUT: "0", CHECKPOINT_DISABLE: "1" };
  const child = spawn(binary, [...args, "-no-color"], { cwd: run.folder, env, stdio: ["ignore", "pipe", "pipe"] });
  // The terminal sends Ctrl-C to Terraform too. Wait until Terraform has saved the state and released the lock.
  const wait = () => {};
  const forward = () => child.kill("SIGTERM");
  process.on("SIGINT", wait).on("SIGTERM", forward);
  // At the second interrupt, Terraform and its provider exit immediately.
  run.signal?.addEventListener("abort", () => {
    for (const delay of [0, 200, 400]) setTimeout(() => child.kill("SIGINT"), delay);
  });
  let output = "";
  const onLine = (line: string) => {
    const { success, output: message } = v.safeParse(messageSchema, line);
    // Other lines are the output of a command without `-json`, or a provider's log.
    if (!success) output += `${line}\n`;
    else if (isProgress(message)) run.progress(message["@message"]);
    else if (message.diagnostic) output += `${message["@message"]}\n${message.diagnostic.detail}\n`;
  };
  for (const input of [child.stdout, child.stderr]) createInterface({ input }).on("line", onLine);
  try {
    return await new Promise((resolve, reject) => {
      child.on("error", () =>
        reject(new UserError(`${binary} cannot be run: install Terraform, or set TERRAFORM_BINARY_NAME`)),
      );
      child.on("spawn", () => run.onStart?.(child.pid as number));
      child.on("close", (status, signal) => resolve({ status: status ?? (signal === null ? 1 : 128), output }));
    });
  } finally {
    process.off("SIGINT", wait).off("SIGTERM", forward);
  }
}

/** Runs Terraform and returns its output. Throws a {@link UserError} with the output if Terraform fails. */
export async function terraformOrFail(run: TerraformRun, ...args: string[]): Promise<string> {
  const { status, output } = await runTerraform(run, ...args);
  if (status !== 0) throw new UserError(`terraform ${args[0]} failed in ${run.folder}:\n\n${output.trim()}`);
  return output;
}
