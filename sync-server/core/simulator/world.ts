import type { Me } from '../../../shared/api.ts';
import { createRoot } from '../../../shared/conversation.ts';
import { type Uuid, directConversationId, makeUuid } from '../../../shared/ids.ts';
import { createSegment } from '../../../shared/segment.ts';
import { makeMemoryStore } from '../../memory/store.ts';
import { makeMemoryLog } from '../../memory/update-log.ts';
import type { Member } from '../ports.ts';
import { freshState, writeAsServer } from '../room/server-write.ts';
import { type Browser, makeBrowser } from './browser/browser.ts';
import { makeDisk } from './browser/disk.ts';
import { makeIndexedDb } from './browser/indexed-db.ts';
import type { Keep } from './browser/keep.ts';
import { makeNetwork } from './browser/network.ts';
import { makeStorage } from './browser/storage.ts';
import type { Chance } from './chance.ts';
import { type Hostile, makeHostile } from './hostile.ts';
import { type Ledger, makeLedger } from './oracle/ledger.ts';
import { type Model, makeModel } from './oracle/model.ts';
import { type Rights, makeRights } from './oracle/rights.ts';
import type { Plan } from './plan.ts';
import type { Scheduler } from './scheduler.ts';
import { type Backend, type NodeProcess, startProcess } from './server/node-process.ts';

/** Everything there is while a seed runs. */
export interface World {
  plan: Plan;
  chance: Chance;
  scheduler: Scheduler;
  backend: Backend;
  ledger: Ledger;
  model: Model;
  rights: Rights;
  users: readonly Uuid[];
  groups: readonly Uuid[];
  browsers: readonly Browser[];
  /** Of each place for a node, the one that runs there; null while it restarts. */
  processes: (NodeProcess | null)[];
  hostile: Hostile;
  reached: Set<string>;
  /** What happens next; what must always hold is looked at afterwards. False: nothing is left before that time, or it never comes to rest. */
  step(until: number): boolean;
  steps(): number;
  /** It has taken as many steps as a world may. */
  isRestless(): boolean;
  /** Everything that has happened, in one number. */
  trace(): number;
  /** Puts a new node in a place. */
  start(i: number): void;
}

/** Steps that a world may take; more is one that never comes to rest. */
const STEPS = 60_000;
const LONG_MS = 1e9;
const SHORT_MS = 20_000;
/** In so many groups everybody is. */
const WHOLE = 0.5;

export function makeWorld(plan: Plan, chance: Chance, scheduler: Scheduler): World {
  const reached = new Set<string>();
  const store = makeMemoryStore();
  const { commits, hints } = plan;
  const backend: Backend = { store, scheduler, chance, reached, commits, hints, awayUntil: 0, underway: new Set() };
  const users = Array.from({ length: plan.people }, () => makeUuid(scheduler.now(), chance.bytes));
  const groups = Array.from({ length: plan.groups }, () => makeUuid(scheduler.now(), chance.bytes));
  const [enemy, outsider] = [makeUuid(scheduler.now(), chance.bytes), makeUuid(scheduler.now(), chance.bytes)];
  const isHostile = plan.actions.some((action) => action.do === 'hostile');
  const ledger = makeLedger(new Set(isHostile ? [enemy] : []));
  const model = makeModel(ledger);
  const rights = makeRights(store, ledger);
  const processes: (NodeProcess | null)[] = Array.from({ length: plan.nodes }, () => null);
  const sessionMs = plan.actions.some((action) => action.do === 'expiry') ? SHORT_MS : LONG_MS;
  let steps = 0;
  let trace = 0;
  const note = (number: number): void => void (trace = (Math.imul(trace, 31) + number) | 0);

  const aNode = (): NodeProcess | null => chance.oneOf(processes.filter((one) => one?.isAlive())) ?? null;
  const hostile = makeHostile({
    scheduler,
    chance,
    store,
    ledger,
    rights,
    reached,
    isMember: isHostile,
    aNode,
    member: enemy,
    outsider,
    groups,
  });

  const keepOf: (account: Uuid) => Keep =
    plan.disk === 'model' ? () => makeStorage(makeDisk(scheduler, chance, reached)) : makeIndexedDb(scheduler, chance, reached);
  const browsers = plan.browsers.map((owner, i): Browser => {
    const id = users[owner]!;
    const me: Me = { id, handle: id, displayName: id, bio: '', avatarUrl: null, document: `user:${id}/1` };
    const onSent = (frame: Uint8Array): void => frame.forEach(note);
    const network = makeNetwork({ me, scheduler, chance, store, ledger, rights, aNode, sessionMs, reached, onSent });
    return makeBrowser({ me, keep: keepOf(id), network, scheduler, chance, ledger, rights, store, reached, skew: plan.skews[i] ?? 0 });
  });

  /** What has been committed by this step, in the model as well. */
  function takeCommits(): void {
    for (const writes of backend.underway) {
      const isDone = writes.every(({ conversationId, documents }) =>
        documents.every(({ state }) => store.conversations.get(conversationId)?.documents.get(state.n)?.state === state),
      );
      if (!isDone || writes.length === 0) continue;
      backend.underway.delete(writes);
      for (const write of writes) {
        note(write.seq);
        if (store.conversations.get(write.conversationId)?.state.kind === 'private') continue;
        model.commit(write);
        rights.commit(write);
        for (const { kind } of write.members ?? []) reached.add(`member: ${kind}`);
        if (write.documents.some(({ fresh }) => fresh)) reached.add('roll-over');
      }
    }
  }

  const isRestless = (): boolean => steps >= STEPS;

  function step(until: number): boolean {
    if (isRestless() || !scheduler.step(until)) return false;
    steps++;
    takeCommits();
    rights.ended();
    for (const { tabs } of browsers) for (const tab of tabs) tab.look();
    return true;
  }

  function settle(work: Promise<unknown>): void {
    let isDone = false;
    void work.finally(() => (isDone = true));
    while (!isDone && step(Infinity));
  }

  function start(i: number): void {
    settle(startProcess(backend).then((process) => (processes[i] = process)));
  }

  for (const [i, id] of groups.entries()) {
    const isWhole = chance.happens(WHOLE);
    const members = users.filter((_, n) => n === i % users.length || isWhole || chance.happens(0.5));
    const owner = users[i % users.length]!;
    settle(createGroup(backend, { id, owner, members: [...members, ...(isHostile ? [enemy] : [])] }));
    rights.without(
      id,
      users.filter((user) => !members.includes(user)),
    );
  }
  for (let i = 0; i < plan.nodes; i++) start(i);
  return {
    ...{ plan, chance, scheduler, backend, ledger, model, rights, users, groups, browsers, processes, hostile, reached },
    ...{ step, start, steps: () => steps, isRestless, trace: () => trace },
  };
}

async function createGroup(
  { store, scheduler, chance }: Backend,
  { id, owner, members: users }: { id: Uuid; owner: Uuid; members: readonly Uuid[] },
): Promise<void> {
  const log = makeMemoryLog(store, { clock: scheduler.clock, pause: () => scheduler.pause(() => null) });
  const members = users.map((userId): Member => ({ userId, role: userId === owner ? 'owner' : 'member', since: 0 }));
  const history = chance.happens(0.5) ? 'joined' : 'all';
  const about = { kind: 'group', title: 'Simulated', history, createdAt: scheduler.now() } as const;
  const root = writeAsServer(freshState(0, 0, chance.bytes), [], (doc) =>
    createRoot(doc, { ...about, members: new Map(members.map((member) => [member.userId, member])) }),
  );
  const segment = writeAsServer(freshState(1, 1, chance.bytes), [], (doc) => createSegment(doc, 1, 1));
  await log.create({ ...about, id, members, documents: [root, segment] });
}

/** The direct conversation of two people. */
export function directOf(world: World, a: Uuid, b: Uuid): Uuid | null {
  let id: Uuid | null = null;
  world.scheduler.run(() => void directConversationId(a, b).then((made) => (id = made)));
  return id;
}
