import * as Y from 'yjs';
import type { Conversation, Me } from '../../../shared/api.ts';
import { ApiError } from '../../../client/sync/api.ts';
import { createRoot } from '../../../shared/conversation.ts';
import { type MessageId, type Uuid, directConversationId, makeUuid } from '../../../shared/ids.ts';
import { createSegment, readMessages } from '../../../shared/segment.ts';
import { makeMemoryInbox } from '../../memory/inbox.ts';
import { type MemoryStore, type StoredConversation, makeMemoryStore } from '../../memory/store.ts';
import { makeMemoryLog } from '../../memory/update-log.ts';
import type { Node } from '../node.ts';
import type { Member, Socket } from '../ports.ts';
import { freshState, writeAsServer } from '../room/server-write.ts';
import { type Shared, makeShared } from './browser.ts';
import { type Chance, makeChance } from './chance.ts';
import { type Disk, installDisks, makeDisk } from './disk.ts';
import { type Ledger, makeLedger } from './ledger.ts';
import type { Link } from './link.ts';
import { type Faults, type NodeProcess, startProcess } from './node-process.ts';
import { type Scheduler, makeScheduler } from './scheduler.ts';
import { type Tab, openTab } from './tab.ts';
import { installTimers } from './timers.ts';

/** What one seed led to. `wrong` empty: every promise held. */
export interface Outcome {
  seed: number;
  steps: number;
  wrong: string[];
  /** What happened at least once, for the "sometimes" list. */
  reached: Set<string>;
}

const ACTIONS = 60;
/** Steps that the world may take to come to rest; more is a world that never does. */
const STEPS = 120_000;
/** Virtual time in which everything must be healed: quarantine, polls and compaction included. */
const HEAL_MS = 120_000;
const LOOK_MS = 5_000;

/** A browser of one person: what outlives its tabs. */
interface Browser {
  me: Me;
  disk: Disk;
  shared: Shared;
  tabs: Tab[];
  isOnline: boolean;
  links: Set<Link>;
}

export async function runSeed(seed: number): Promise<Outcome> {
  const chance = makeChance(seed);
  const scheduler = makeScheduler(chance);
  const uninstall = [installDisks(), installTimers(scheduler)];
  try {
    return await runWorld(seed, chance, scheduler);
  } finally {
    for (const undo of uninstall.reverse()) undo();
  }
}

async function runWorld(seed: number, chance: Chance, scheduler: Scheduler): Promise<Outcome> {
  const store = makeMemoryStore();
  const reached = new Set<string>();
  const users = Array.from({ length: 3 }, () => makeUuid(scheduler.now(), chance.bytes));
  const group = makeUuid(scheduler.now(), chance.bytes);
  const direct = await directConversationId(users[0]!, users[1]!);
  const ledgers = new Map<Uuid, Ledger>([group, direct].map((id) => [id, makeLedger()]));
  const faults: Faults = {
    failed: chance.oneOf([0, 0.02, 0.1])!,
    unknownLost: chance.oneOf([0, 0.03])!,
    unknownCommitted: chance.oneOf([0, 0.03])!,
  };
  const nodes = new Map<Link, NodeProcess>();
  const processes: NodeProcess[] = [];
  let steps = 0;
  let texts = 0;

  async function settle<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const finished = work.finally(() => (done = true));
    finished.catch(() => {});
    while (!done && steps < STEPS) {
      steps++;
      if (!(await scheduler.step(Infinity))) break;
    }
    return finished;
  }

  const start = (): Promise<NodeProcess> => settle(startProcess({ store, scheduler, chance, faults }));
  await settle(createGroup(store, scheduler, chance, group, users));
  for (let i = 1 + chance.int(3); i > 0; i--) processes.push(await start());

  const alive = (): NodeProcess | undefined => chance.oneOf(processes.filter((one) => one.alive()));
  const lists = makeMemoryInbox(store, () => scheduler.pause(() => null));

  function networkOf(browser: Browser) {
    async function ask<T>(run: (node: Node) => Promise<T>): Promise<T> {
      const lost = new ApiError(0, 'unreachable', 'nobody answers');
      const isCut = (): Error | null => (browser.isOnline ? null : lost);
      await scheduler.pause(isCut);
      const process = alive();
      if (!process) throw lost;
      const answer = await run(process.node).catch(() => Promise.reject(lost));
      // It may have happened, and nobody is told.
      await scheduler.pause(isCut);
      return answer;
    }
    return {
      isOnline: () => browser.isOnline,
      ask,
      conversation: (id: Uuid) => asOpened(store.conversations.get(id)),
      conversations: () => ask(async () => (await lists.changes(browser.me.id, null)).changed),
      dial(socket: Socket) {
        const process = browser.isOnline && alive();
        if (!process) return null;
        dialled = process;
        return process.node.openChannels({ userId: browser.me.id, sid: browser.me.id, expiresAt: scheduler.now() + 1e9, socket });
      },
      onLink(link: Link) {
        browser.links.add(link);
        nodes.set(link, dialled!);
      },
    };
  }
  let dialled: NodeProcess | null = null;

  const browsers = [0, 0, 1, 2].map((i): Browser => ({
    me: { id: users[i]!, handle: users[i]!, displayName: users[i]!, bio: '', avatarUrl: null, document: `user:${users[i]!}/1` },
    disk: makeDisk(scheduler, chance),
    shared: makeShared(scheduler),
    tabs: [],
    isOnline: true,
    links: new Set(),
  }));

  async function open(browser: Browser): Promise<Tab> {
    const others = [users[0]!, users[1]!].filter((id) => id !== browser.me.id);
    const isDirect = others.length === 1 && chance.happens(0.25);
    const conversationId = isDirect ? direct : group;
    const tab = await openTab({
      ...browser,
      conversationId,
      other: isDirect ? others[0]! : null,
      network: networkOf(browser),
      ledger: ledgers.get(conversationId)!,
      scheduler,
      chance,
    });
    browser.tabs.push(tab);
    return tab;
  }
  for (const browser of browsers) await open(browser);

  function cut(browser: Browser): void {
    for (const link of browser.links) link.cut();
    browser.links.clear();
  }
  function setOnline(browser: Browser, isOnline: boolean): void {
    browser.isOnline = isOnline;
    if (!isOnline) cut(browser);
    for (const tab of browser.tabs) tab.setOnline(isOnline);
  }
  function leave(browser: Browser, tab: Tab | undefined, how: 'close' | 'kill'): void {
    if (!tab) return;
    browser.tabs.splice(browser.tabs.indexOf(tab), 1);
    tab[how]();
    reached.add(how === 'kill' ? 'tab killed' : 'tab closed');
  }

  async function act(): Promise<void> {
    const browser = chance.oneOf(browsers)!;
    const dice = chance.int(100);
    const tab = chance.oneOf(browser.tabs) ?? (await open(browser));
    if (dice < 42) tab.write(`text-${texts++}-`);
    else if (dice < 52) tab.edit(`text-${texts++}-`);
    else if (dice < 59) tab.remove();
    else if (dice < 64) tab.readOn();
    else if (dice < 70) setOnline(browser, !browser.isOnline);
    else if (dice < 74) chance.oneOf([...browser.links])?.cut();
    else if (dice < 80 && browser.tabs.length < 3) await open(browser);
    else if (dice < 84) leave(browser, tab, 'close');
    else if (dice < 89) leave(browser, tab, 'kill');
    else if (dice < 92) browser.disk.health = chance.happens(0.5) ? 'aborting' : 'well';
    else if (dice < 95) chance.oneOf(processes)!.setListening(chance.happens(0.5));
    else if (dice < 98) await killNode();
    else for (const { tabs } of browsers) for (const one of tabs) one.retry();
  }

  async function killNode(): Promise<void> {
    const i = chance.int(processes.length);
    const process = processes[i]!;
    process.kill();
    reached.add('node killed');
    for (const [link, owner] of nodes) if (owner === process) link.cut();
    processes[i] = await start();
  }

  const wrong: string[] = [];
  const isRight = (): boolean => wrong.length === 0;
  const always = makeAlways(store, ledgers);

  for (let i = 0; i < ACTIONS && isRight(); i++) {
    await act();
    for (let turns = chance.int(120); turns > 0 && isRight(); turns--) {
      steps++;
      if (!(await scheduler.step(scheduler.now() + 1_000))) break;
      wrong.push(...always());
    }
  }

  Object.assign(faults, { failed: 0, unknownLost: 0, unknownCommitted: 0 });
  for (const process of processes) process.setListening(true);
  for (const browser of browsers) {
    browser.disk.health = 'well';
    if (!browser.isOnline) setOnline(browser, true);
    if (browser.tabs.length === 0) await open(browser);
  }
  // Whatever is not healed by then never will be; most worlds are much sooner, and are left when nothing is wrong with them any more.
  const end = scheduler.now() + HEAL_MS;
  for (let until = scheduler.now() + LOOK_MS; isRight() && until <= end; until += LOOK_MS) {
    while (isRight() && steps++ < STEPS && (await scheduler.step(until)));
    if (isRight() && checkAtRest(store, ledgers, browsers).length === 0) break;
  }
  if (steps >= STEPS) wrong.push('the world never came to rest');
  if (isRight()) wrong.push(...always(), ...checkAtRest(store, ledgers, browsers));

  if ([...store.conversations.values()].some(({ documents }) => documents.size > 2)) reached.add('roll-over');
  for (const browser of browsers) for (const tab of [...browser.tabs]) leave(browser, tab, 'close');
  const ending = scheduler.now() + 60_000;
  for (let i = 0; i < 5_000 && (await scheduler.step(ending)); i++);
  for (const { node } of processes) {
    const { rooms, sessions } = node.counts();
    if (isRight() && rooms + sessions > 0) wrong.push(`[Q5] ${rooms} rooms and ${sessions} sessions are left open`);
  }
  return { seed, steps, wrong, reached };
}

function asOpened(row: StoredConversation | undefined): Conversation | null {
  if (!row) return null;
  return {
    id: row.state.id,
    kind: 'direct',
    title: null,
    members: [...row.members.values()].map(({ userId: id, role }) => ({ id, handle: id, displayName: id, bio: '', avatarUrl: null, role })),
    lastMessage: null,
    unreadCount: 0,
    lastReadSeq: 0,
    openSegment: row.state.open,
  };
}

async function createGroup(store: MemoryStore, scheduler: Scheduler, chance: Chance, id: Uuid, users: readonly Uuid[]): Promise<void> {
  const log = makeMemoryLog(store, { clock: scheduler.clock, pause: () => scheduler.pause(() => null) });
  const members = users.map((userId): Member => ({ userId, role: 'member', since: 0 }));
  const root = {
    kind: 'group' as const,
    title: 'Simulated',
    createdAt: scheduler.now(),
    members: new Map(members.map((member) => [member.userId, member])),
  };
  await log.create({
    id,
    kind: 'group',
    title: root.title,
    createdAt: root.createdAt,
    members,
    documents: [
      writeAsServer(freshState(0, 0, chance.bytes), [], (doc) => createRoot(doc, root)),
      writeAsServer(freshState(1, 1, chance.bytes), [], (doc) => createSegment(doc, 1, 1)),
    ],
  });
}

/** What must hold after every event; passed over while nothing that it looks at has changed. */
function makeAlways(store: MemoryStore, ledgers: ReadonlyMap<Uuid, Ledger>): () => string[] {
  let seen = '';
  return () => {
    const wrong = [...ledgers.values()].flatMap(({ faults }) => faults);
    const now = [...store.conversations.values()].map(({ messages }) => messages.size).join();
    if (now === seen || wrong.length > 0) return wrong;
    seen = now;
    for (const [id, ledger] of ledgers) {
      const row = store.conversations.get(id);
      wrong.push(...ledger.check(row), ...(row ? checkSeqs(row) : []));
    }
    return wrong;
  };
}

function checkSeqs(row: StoredConversation): string[] {
  const seqs = [...row.messages.values()].map(({ seq }) => seq).sort((a, b) => a - b);
  return seqs.every((seq, i) => seq === i + 1) ? [] : [`[V2] the seqs are ${seqs.join()}`];
}

/** What must hold when everything has healed and come to rest. */
function checkAtRest(store: MemoryStore, ledgers: ReadonlyMap<Uuid, Ledger>, browsers: readonly Browser[]): string[] {
  const wrong: string[] = [];
  for (const [id, ledger] of ledgers) {
    const row = store.conversations.get(id);
    const tabs = browsers.flatMap((browser) => browser.tabs);
    if (row) wrong.push(...checkDocuments(row));
    for (const [messageId, { kept, removed, texts, author }] of ledger.written) {
      const stored = row?.messages.get(messageId);
      const isFailed = tabs.some((tab) => tab.failed().includes(messageId));
      if (kept && removed === 'no' && !stored && !isFailed) wrong.push(`[Q3] ${messageId} of ${author} was kept and is nowhere`);
      if (stored && stored.body !== null && !texts.includes(stored.body)) wrong.push(`[V3] ${messageId} reads what nobody wrote`);
      if (stored && stored.body !== null && removed === 'kept') wrong.push(`[V8] ${messageId} was deleted and still reads ${stored.body}`);
      if (stored && stored.body === null && removed === 'no') wrong.push(`[V8] ${messageId} was deleted by nobody`);
    }
  }
  browsers.forEach(({ tabs, me }, i) =>
    tabs.forEach((tab, j) => {
      const row = store.conversations.get(tab.conversationId);
      if (tab.waiting().length > 0) wrong.push(`[Q3] tab ${i}.${j} still holds ${tab.waiting().join()}`);
      if (!row) return;
      const shown = tab.replica().messages();
      const first = shown[0]?.seq ?? 1;
      const stored = [...row.messages.values()].filter(({ seq }) => seq >= first).sort((a, b) => a.seq - b.seq);
      const [left, right] = [shown, stored].map((list) => JSON.stringify(list.map(({ id, seq, body }) => [id, seq, body])));
      if (left !== right) wrong.push(`[Q1] tab ${i}.${j} of ${me.id} shows ${left} and the log has ${right}`);
    }),
  );
  return wrong;
}

function checkDocuments(row: StoredConversation): string[] {
  const wrong: string[] = [];
  for (const [n, { rows }] of row.documents) {
    const truth = new Y.Doc();
    for (const { update } of rows) Y.applyUpdate(truth, update);
    if (truth.store.pendingStructs || truth.store.pendingDs) wrong.push(`[Q5] document ${n} has something pending`);
    if (n === 0) continue;
    const stored = [...row.messages.values()].filter((message) => message.n === n).sort((a, b) => a.seq - b.seq);
    const show = (list: readonly { id: MessageId; seq: number; body: string | null }[]): string =>
      JSON.stringify(list.map(({ id, seq, body }) => [id, seq, body]));
    if (show(stored) !== show(readMessages(truth))) wrong.push(`[L6] the snapshot of segment ${n} differs from its document`);
    truth.destroy();
  }
  return wrong;
}
