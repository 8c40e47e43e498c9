import { type Nature, inNature } from './globals.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { act } from './actions.ts';
import type { Browser } from './browser/browser.ts';
import { step as where } from './browser/place.ts';
import { checkAtRest } from './oracle/at-rest.ts';
import { makeChance } from './chance.ts';
import type { Plan } from './plan.ts';
import { makeScheduler } from './scheduler.ts';
import { type World, makeWorld } from './world.ts';

/** What one plan led to. `wrong` empty: every promise held. */
export interface Outcome {
  seed: number;
  steps: number;
  wrong: string[];
  /** What happened at least once, for the "sometimes" list. */
  reached: string[];
  /** The same plan always leads to the same number. */
  trace: number;
}

/** Virtual time in which everything must be healed: quarantine, polls and compaction included. */
const HEAL_MS = 180_000;
const LOOK_MS = 5_000;

/** Runs a plan, from its first to its last moment, without giving way to anything else. It must not be called from a promise. */
export function runPlan(plan: Plan): Outcome {
  const chance = makeChance(plan.seed ^ 0x5eed);
  const scheduler = makeScheduler(chance);
  scheduler.hurry = plan.hurry;
  const asked: (() => void)[] = [];
  const nature: Nature = {
    now: scheduler.now,
    random: chance.bytes,
    after: (delayMs, task) => (where.place?.after ?? scheduler.clock.after)(delayMs, task),
    soon(task) {
      // One after another, as they were asked for: IndexedDB's stand-in counts on it. A killed tab's are done too, for others wait for them.
      const { place } = where;
      asked.push(() => (place ? place.here(task) : task()));
      scheduler.soon(() => asked.shift()!());
    },
  };
  return inNature(nature, () => live(makeWorld(structuredClone(plan), chance, scheduler)));
}

function live(world: World): Outcome {
  const { plan, scheduler, ledger, reached } = world;
  const isRight = (): boolean => ledger.faults.length === 0 && !world.isRestless();
  const wrong: string[] = [];
  try {
    plan.actions.forEach((action, i) => {
      if (!isRight()) return;
      act(world, action, i);
      for (let left = action.steps; left > 0 && isRight() && world.step(scheduler.now() + 1_000); left--);
    });
    if (isRight()) heal(world);
    let found = isRight() ? checkAtRest(allOf(world)) : [];
    const end = scheduler.now() + HEAL_MS;
    for (let until = scheduler.now() + LOOK_MS; isRight() && until <= end; until += LOOK_MS) {
      askForBlocks(world);
      while (isRight() && world.step(until));
      found = checkAtRest(allOf(world));
      if (found.length === 0) break;
    }
    if (isFirstContactOfBoth(world)) reached.add('first contact from both sides');
    wrong.push(...ledger.faults, ...found);
    if (world.isRestless()) wrong.push('[Q5] the world never comes to rest');
    if (wrong.length === 0) wrong.push(...leaveAll(world), ...ledger.faults);
  } catch (error) {
    wrong.push(`[V7] something threw: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  return { seed: plan.seed, steps: world.steps(), wrong, reached: [...reached], trace: world.trace() };
}

const isFirstContactOfBoth = ({ ledger, groups }: World): boolean => {
  const authors = new Map<string, Set<string>>();
  for (const { conversationId, author } of ledger.written.values())
    if (!groups.includes(conversationId)) authors.set(conversationId, (authors.get(conversationId) ?? new Set()).add(author));
  return [...authors.values()].some(({ size }) => size > 1);
};

const allOf = ({ backend, ledger, model, rights, reached, browsers }: World) => ({
  store: backend.store,
  ledger,
  model,
  rights,
  reached,
  tabs: browsers.flatMap((browser, i) => browser.tabs.map((tab) => ({ me: browser.me.id, browser: i, tab }))),
});

/** Of blocks that another device has set nobody is told: they are asked for when somebody looks. */
function askForBlocks({ browsers }: World): void {
  for (const { tabs } of browsers) for (const { place, sync } of tabs) place.here(() => void sync.blocks.refresh().catch(() => {}));
}

/** A group that its person belongs to. */
const groupOf = ({ groups, backend }: World, { me }: Browser): Uuid | undefined =>
  groups.find((id) => backend.store.conversations.get(id)?.members.has(me.id));

/** Every fault ends; every browser is online, with a tab that looks at something. */
function heal(world: World): void {
  const { backend, processes, browsers, hostile } = world;
  Object.assign(backend.commits, { failed: 0, lost: 0, unknown: 0 });
  backend.awayUntil = 0;
  Object.assign(backend.hints, { dropped: 0, doubled: 0 });
  hostile.leave();
  for (const process of processes) process?.setListening(true);
  for (const browser of browsers) {
    browser.keep.health = 'well';
    for (const { place } of browser.tabs) place.thaw();
    browser.network.isHttpOnly = false;
    if (!browser.network.isOnline) browser.setOnline(true);
    const group = groupOf(world, browser);
    const first = browser.tabs[0] ?? browser.open();
    if (first.conversationId() === null && group !== undefined) first.show(group);
  }
  // One that has never been here sees the same (Q6).
  const fresh = browsers[0]!.open();
  const known = groupOf(world, browsers[0]!) ?? browsers[0]!.tabs[0]!.conversationId();
  if (known !== null) fresh.show(known);
  if (backend.hints.off) world.reached.add('hints off and caught by the poll');
}

/** Everybody leaves: nothing may be left open, and nothing may go on (Q5). */
function leaveAll(world: World): string[] {
  const { browsers, processes, scheduler } = world;
  const wrong: string[] = [];
  for (const browser of browsers) for (const tab of [...browser.tabs]) browser.leave(tab, 'close');
  for (let until = scheduler.now() + 60_000; world.step(until););
  for (const process of processes) {
    const { rooms, sessions } = process?.node.counts() ?? { rooms: 0, sessions: 0 };
    if (rooms + sessions > 0) wrong.push(`[Q5] ${rooms} rooms and ${sessions} sessions are left open`);
    void process?.stop();
  }
  for (let left = 2_000; left > 0 && world.step(Infinity); left--);
  if (scheduler.timers() > 0) wrong.push(`[Q5] ${scheduler.timers()} timers go on`);
  return wrong;
}
