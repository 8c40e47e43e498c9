/** A line of the table: a median, and what it may be at most. */
export interface Row {
  measure: string;
  value: number;
  unit: string;
  /** Null: only to be seen. */
  limit: number | null;
  /** What explains the figure. */
  note?: string;
}

/** One measure: a file `<name>.bench.ts` whose default export it is. */
export type Measure = () => Row[] | Promise<Row[]>;

export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

/** CPU time of a synchronous task, milliseconds, the process's other threads included (collection of garbage, compilation). */
export function cpuOf(task: () => void): number {
  const before = process.cpuUsage();
  task();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** Collects what was left behind lately; called twice, what lives on is old. */
export function sweep(): void {
  if (!globalThis.gc) throw new Error('the measures need --expose-gc');
  globalThis.gc({ type: 'minor' });
}

/** The median CPU time of a task that needs a fresh start each time, milliseconds. */
export function medianCpu<T>(runs: number, prepare: () => T, task: (prepared: T) => void): number {
  return median(
    Array.from({ length: runs }, () => {
      const prepared = prepare();
      return cpuOf(() => task(prepared));
    }),
  );
}
