import type { Person } from './person.ts';

/** Measures how long somebody's page computes: processor time since, in milliseconds, which other work on the machine does not lengthen. */
export async function startMeter({ page }: Person): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  return async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')!.value * 1_000;
  };
}
