/**
 * How many times as much processor time a function takes for eight times the size: about 8 if it is linear, 64 if it is
 * quadratic. Compare it with 25, which is between them. It is measured as the processor time of the fastest of several
 * runs, so other load on the machine hardly changes it.
 *
 * @param size The smaller size. At this size the function should take some milliseconds.
 */
export function growth(work: (size: number) => void, size: number): number {
  const fastest = (each: number, runs: number) =>
    Math.min(
      ...Array.from({ length: runs }, () => {
        const start = process.cpuUsage();
        work(each);
        const { user, system } = process.cpuUsage(start);
        return user + system;
      }),
    );
  const small = fastest(size, 10);
  return fastest(8 * size, 3) / Math.max(small, 1);
}
