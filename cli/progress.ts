import { Listr } from "listr2";

/** Shows that a long work goes on, with the newest line of what it says; where there is no terminal, each line. */
export async function withProgress<T>(
  title: string,
  work: (progress: (line: string) => void) => Promise<T>,
): Promise<T> {
  let result: T | undefined;
  const task = {
    title,
    task: async (_: unknown, wrapper: { output: string }) => {
      result = await work((line) => {
        wrapper.output = line;
      });
    },
  };
  await new Listr([task], {
    rendererOptions: { timer: { condition: true, field: (ms: number) => `${Math.round(ms / 1000)} s` } } as object,
  }).run();
  return result as T;
}
