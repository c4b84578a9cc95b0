/**
 * How many times as much processor time a work takes for twice the size: about 2 for linear, 4 for quadratic growth. Of
 * processor time and not of elapsed time, and of the fastest of several runs, so that a busy machine changes little.
 */
export function growth(work: (size: number) => void, size: number): number {
  const fastest = (each: number) =>
    Math.min(
      ...[1, 2, 3, 4, 5].map(() => {
        const start = process.cpuUsage();
        work(each);
        const { user, system } = process.cpuUsage(start);
        return user + system;
      }),
    );
  const [once, twice] = [fastest(size), fastest(2 * size)];
  return twice / Math.max(once, 1);
}
