import { Listr, PRESET_TIMER } from "listr2";
import { oneLine } from "../../text";

/** One step of a long-running command. */
export interface Step {
  readonly title: string;
  readonly run: (progress: (line: string) => void) => Promise<void>;
}

/**
 * Runs steps in order and shows their progress; without a terminal, prints a line for each event. Throws the error of a
 * step that fails without printing it.
 */
export async function runSteps(steps: readonly Step[]): Promise<void> {
  let failure: unknown;
  const tasks = steps.map(({ title, run }) => ({
    title,
    task: (_: unknown, task: { output: string }) =>
      run((line) => {
        task.output = oneLine(line);
      }).catch((error: unknown) => {
        failure = error;
        throw new Error("see below");
      }),
  }));
  const options = { timer: PRESET_TIMER };
  const list = new Listr(tasks, {
    // Its handler would end this process at Ctrl-C, while Terraform runs and before anything is cleaned up.
    registerSignalListeners: false,
    rendererOptions: { ...options, showErrorMessage: false },
    fallbackRendererOptions: options,
    collectErrors: false,
  });
  await list.run().catch((error: unknown) => {
    throw failure ?? error;
  });
}

/** Runs one step with its progress. Returns its result. */
export async function withProgress<T>(
  title: string,
  work: (progress: (line: string) => void) => Promise<T>,
): Promise<T> {
  const results: T[] = [];
  await runSteps([{ title, run: async (progress) => void results.push(await work(progress)) }]);
  return results[0] as T;
}
