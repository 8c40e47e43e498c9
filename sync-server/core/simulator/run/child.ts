import '../globals.ts';
import type { Plan } from '../plan.ts';
import { type Outcome, runPlan } from '../run-plan.ts';

/** What a child is asked. */
export interface Asked {
  plan: Plan;
}
/** What it answers, with the milliseconds of work that it took. */
export type Answer = Outcome & { ms: number };

// What libraries leave unheard counts only where nothing was done to their storage on purpose.
let unheard: string[] = [];
// Each provider listens for the end of the process.
process.setMaxListeners(0);
process.on('unhandledRejection', (error) => void unheard.push(error instanceof Error ? (error.stack ?? error.message) : String(error)));

process.on('message', ({ plan }: Asked) => {
  const isModel = plan.disk === 'model';
  const started = process.cpuUsage();
  unheard = [];
  const outcome = runPlan(plan);
  const { user, system } = process.cpuUsage(started);
  const ms = (user + system) / 1_000;
  setImmediate(() => {
    if (isModel) outcome.wrong.push(...unheard.slice(0, 3).map((what) => `[V7] nobody heard of: ${what}`));
    const answer: Answer = { ...outcome, ms };
    process.send!(answer);
  });
});
