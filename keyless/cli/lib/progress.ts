import { Listr, PRESET_TIMER } from "listr2";

/** One step of a long work. */
export interface Step {
  readonly title: string;
  readonly run: (progress: (line: string) => void) => Promise<void>;
}

/**
 * Runs steps one after the other and shows how each goes on; where there is no terminal, by a line for each event. The
 * error of a step that fails is thrown and not shown: whoever catches it says it, once.
 */
export async function runSteps(steps: readonly Step[]): Promise<void> {
  let failure: unknown;
  const tasks = steps.map(({ title, run }) => ({
    title,
    task: (_: unknown, task: { output: string }) =>
      run((line) => {
        task.output = line;
      }).catch((error: unknown) => {
        failure = error;
        throw new Error("see below");
      }),
  }));
  const options = { timer: PRESET_TIMER };
  const list = new Listr(tasks, {
    // Its own handler would end this process at Ctrl-C, with Terraform at work and nothing put away.
    registerSignalListeners: false,
    rendererOptions: { ...options, showErrorMessage: false },
    fallbackRendererOptions: options,
    collectErrors: false,
  });
  await list.run().catch((error: unknown) => {
    throw failure ?? error;
  });
}

/** Runs one long step; what it results in. */
export async function withProgress<T>(
  title: string,
  work: (progress: (line: string) => void) => Promise<T>,
): Promise<T> {
  const results: T[] = [];
  await runSteps([{ title, run: async (progress) => void results.push(await work(progress)) }]);
  return results[0] as T;
}
