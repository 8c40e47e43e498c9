import type { Action, Plan } from '../plan.ts';
import type { Answer } from './child.ts';
import type { Pool } from './pool.ts';

/** Which promise was broken: `[V1]` and the like. */
const promiseOf = ({ wrong }: Answer): string | undefined => wrong[0]?.split(' ')[0];

/** What a plan is without one of its troubles. */
const CALMER: readonly ((plan: Plan) => Plan)[] = [
  (plan) => ({ ...plan, commits: { failed: 0, lost: 0, unknown: 0 } }),
  (plan) => ({ ...plan, commits: { ...plan.commits, failed: 0 } }),
  (plan) => ({ ...plan, commits: { ...plan.commits, unknown: 0 } }),
  (plan) => ({ ...plan, hints: { dropped: 0, doubled: 0, off: false } }),
  (plan) => ({ ...plan, skews: plan.skews.map(() => 0) }),
  (plan) => ({ ...plan, nodes: 1 }),
  (plan) => ({ ...plan, groups: 0 }),
  (plan) => ({ ...plan, groups: 1 }),
  (plan) => ({ ...plan, browsers: plan.browsers.slice(0, -1), skews: plan.skews.slice(0, -1) }),
];

/** Looks for the smallest plan that still breaks the same promise: without some of its actions, then without some of its troubles. */
export async function shrink(pool: Pool, plan: Plan, tries = 400): Promise<{ plan: Plan; answer: Answer }> {
  let best = { plan, answer: await pool.ask({ plan }) };
  const promise = promiseOf(best.answer);
  let left = tries;

  async function take(next: Plan): Promise<boolean> {
    if (left-- <= 0) return false;
    const answer = await pool.ask({ plan: next });
    if (promiseOf(answer) !== promise) return false;
    best = { plan: next, answer };
    return true;
  }
  const without = (from: number, count: number): Action[] => best.plan.actions.toSpliced(from, count);

  if (promise === undefined) return best;
  for (let hasShrunk = true; hasShrunk && left > 0;) {
    hasShrunk = false;
    for (let size = Math.ceil(best.plan.actions.length / 2); size > 0; size = size === 1 ? 0 : Math.ceil(size / 2))
      for (let from = 0; from < best.plan.actions.length;) {
        const isSmaller = await take({ ...best.plan, actions: without(from, size) });
        hasShrunk ||= isSmaller;
        if (!isSmaller) from += size;
      }
    for (const calmer of CALMER) {
      const next = calmer(best.plan);
      if (JSON.stringify(next) !== JSON.stringify(best.plan) && next.browsers.length > 0) hasShrunk = (await take(next)) || hasShrunk;
    }
  }
  return best;
}
