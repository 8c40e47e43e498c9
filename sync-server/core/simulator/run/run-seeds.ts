import { drawPlan } from '../plan.ts';
import type { Answer } from './child.ts';
import type { Pool } from './pool.ts';

/** What many seeds came to. */
export interface Run {
  seeds: number;
  /** Milliseconds of work, all processes together. */
  ms: number;
  steps: number;
  failed: Answer[];
  /** In how many seeds each thing happened. */
  reached: ReadonlyMap<string, number>;
}

/** What has to happen at least once in 1,000 seeds; else the world has become too quiet to find anything. */
export const SOMETIMES = [
  ...['crash between local write and send', 'commit answer lost', 'commit lost', 'commit failed', 'duplicate dropped', 'gap fetched'],
  ...['slow reader cut', 'leading tab died', 'quota hit', 'node killed', 'upgrade with unsent text', 'hostile frame refused'],
  ...['hints off and caught by the poll', 'roll-over', 'session renewed', 'over HTTP', 'first contact from both sides'],
  ...['member: leave', 'member: join', 'member: role', 'member: accept', 'failed: blocked', 'failed: refused'],
  ...['revocation while frames queued', 'signed out'],
] as const;

/** Runs seeds from `first` on, until `count` of them are done or `isOver` says so; it stops at as many failures as `most`. `onSeed` hears each. */
export async function runSeeds(
  pool: Pool,
  plan: { first: number; count: number; most?: number; isOver?: () => boolean; onSeed?: (run: Run, answer: Answer) => void },
): Promise<Run> {
  const { first, count, most = Infinity, isOver = () => false, onSeed } = plan;
  const reached = new Map<string, number>();
  const run: Run = { seeds: 0, ms: 0, steps: 0, failed: [], reached };
  let next = first;
  async function work(): Promise<void> {
    while (next < first + count && run.failed.length < most && !isOver()) {
      const answer = await pool.ask({ plan: drawPlan(next++) });
      run.seeds += 1;
      run.ms += answer.ms;
      run.steps += answer.steps;
      for (const what of answer.reached) reached.set(what, (reached.get(what) ?? 0) + 1);
      if (answer.wrong.length > 0) run.failed.push(answer);
      onSeed?.(run, answer);
    }
  }
  await Promise.all(Array.from({ length: pool.size }, work));
  return run;
}
