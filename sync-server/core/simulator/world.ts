import * as Y from 'yjs';
import { type DocumentName, type MessageId, type Uuid, formatDocumentId, makeUuid } from '../../../shared/ids.ts';
import { readMessages } from '../../../shared/segment.ts';
import { createRoot } from '../../../shared/conversation.ts';
import { createSegment } from '../../../shared/segment.ts';
import { makeMemoryLog } from '../../memory/update-log.ts';
import { type MemoryStore, type StoredConversation, hasBlocked, makeMemoryStore } from '../../memory/store.ts';
import type { Member } from '../ports.ts';
import { freshState, writeAsServer } from '../room/server-write.ts';
import { type Chance, makeChance } from './chance.ts';
import { type Device, makeDevice } from './device.ts';
import { type Link, openLink } from './link.ts';
import { type NodeProcess, startProcess } from './node-process.ts';
import { type Scheduler, makeScheduler } from './scheduler.ts';

/** What one seed led to. `wrong` empty: every promise held. */
export interface Outcome {
  seed: number;
  steps: number;
  wrong: string[];
  /** What happened at least once, for the "sometimes" list. */
  reached: Set<string>;
}

const NODES = 2;
const DEVICES = 4;
const ACTIONS = 70;
/** Steps that the world may take to come to rest; more is a world that never does. */
const STEPS = 60_000;
/** Virtual time in which everything must be healed: quarantine, polls and compaction included. */
const HEAL_MS = 120_000;

/** What the world itself waits for does not come, whatever else still happens. */
class Stuck extends Error {
  override name = 'Stuck';
}

/** Runs one seeded world: two nodes, four devices of two or three people, one conversation in which they block each other, or from which they are taken and brought back, faults of all kinds; then heals it and compares. */
export async function runSeed(seed: number): Promise<Outcome> {
  try {
    return await runWorld(seed);
  } catch (error) {
    if (!(error instanceof Stuck)) throw error;
    return { seed, steps: STEPS, wrong: [error.message], reached: new Set() };
  }
}

async function runWorld(seed: number): Promise<Outcome> {
  const chance = makeChance(seed);
  const scheduler = makeScheduler(chance);
  const store = makeMemoryStore();
  const wrong: string[] = [];
  const reached = new Set<string>();
  const kind = chance.happens(0.3) ? 'direct' : 'group';
  const users = Array.from({ length: kind === 'direct' ? 2 : 3 }, () => makeUuid(scheduler.now(), chance.bytes));
  const conversationId = makeUuid(scheduler.now(), chance.bytes);
  const faults = {
    failed: chance.oneOf([0, 0.02, 0.1])!,
    unknownLost: chance.oneOf([0, 0.03])!,
    unknownCommitted: chance.oneOf([0, 0.03])!,
  };
  const links = new Map<Link, NodeProcess>();
  /** Whoever was taken out once. */
  const removed = new Set<Uuid>();
  const processes: NodeProcess[] = [];
  let steps = 0;

  async function settle<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const finished = work.finally(() => (done = true));
    finished.catch(() => {});
    while (!done && steps < STEPS) {
      steps++;
      if (!(await scheduler.step(Infinity))) break;
    }
    if (!done) throw new Stuck('something waits for ever');
    return finished;
  }

  async function start(): Promise<NodeProcess> {
    return settle(startProcess({ store, scheduler, chance, faults }));
  }

  await settle(createConversation(store, scheduler, chance, { id: conversationId, kind, users }));
  for (let i = 0; i < NODES; i++) processes.push(await start());

  const dial = (
    name: DocumentName,
    client: { receive(frame: Uint8Array): void; closed(code: number, reason: string): void },
    userId: Uuid,
  ): Link | null => {
    const process = chance.oneOf(processes.filter((each) => each.alive()));
    if (!process) return null;
    const visit = { userId, sid: userId, expiresAt: scheduler.now() + 1e9, name, acks: true };
    const link = openLink(scheduler, (socket) => process.node.open({ ...visit, socket }), {
      receive: client.receive,
      closed(code, reason) {
        links.delete(link);
        client.closed(code, reason);
      },
    });
    links.set(link, process);
    return link;
  };

  const devices = Array.from({ length: DEVICES }, (_, i) => {
    const userId = users[i % users.length]!;
    const refused = (document: string, code: number, reason: string): void => {
      if (code !== 4403 || !removed.has(userId)) wrong.push(`an honest device got ${code} ${reason} on ${document}`);
    };
    const blocked = (): void => void reached.add('block');
    const isMember = (): boolean => store.conversations.get(conversationId)!.members.has(userId);
    return makeDevice({
      userId,
      conversationId,
      chance,
      scheduler,
      dial: (name, client) => dial(name, client, userId),
      isMember,
      blocked,
      refused,
    });
  });
  for (const device of devices) device.connect();

  const row = store.conversations.get(conversationId)!;
  const checkRights = makeRights(row, devices);
  const checkBlocks = makeBlocks(store, row, users);
  const checkMessages = makeAlways(row, devices);
  const always = (): string[] => [...checkRights(), ...checkBlocks(), ...checkMessages()];
  let texts = 0;

  async function act(): Promise<void> {
    const device = chance.oneOf(devices)!;
    const dice = chance.int(105);
    if (dice < 45) device.write(`text-${texts++}-`);
    else if (dice < 55) device.edit(`text-${texts++}-`);
    else if (dice < 62) device.remove();
    else if (dice < 72) device.cut();
    else if (dice < 86) device.connect();
    else if (dice < 91) device.reload(chance.happens(0.7));
    else if (dice < 94) cutOne();
    else if (dice < 97) chance.oneOf(processes)!.setListening(chance.happens(0.5));
    else if (dice < 100) await killOne();
    else if (kind === 'group') changeMembers();
    else changeBlocks();
    reached.add(['write', 'fault'][dice < 62 ? 0 : 1]!);
  }

  function cutOne(): void {
    chance.oneOf([...links.keys()])?.cut();
  }

  async function killOne(): Promise<void> {
    const i = chance.int(processes.length);
    const process = processes[i]!;
    process.kill();
    reached.add('node killed');
    for (const [link, owner] of links) if (owner === process) link.cut();
    processes[i] = await start();
  }

  /** The owner takes somebody out, or back. */
  function changeMembers(): void {
    const process = chance.oneOf(processes.filter((each) => each.alive()));
    const [owner = '', ...others] = users;
    const userId = chance.oneOf(others)!;
    if (!process) return;
    const { members } = process.node.messaging;
    const isMember = row.members.has(userId);
    if (isMember) removed.add(userId);
    reached.add(isMember ? 'removal' : 'return');
    const change = isMember
      ? members.remove(owner, conversationId, userId)
      : members.put(owner, conversationId, { userId, role: undefined });
    // A change that failed, or of which nobody knows, is one that the owner asks for again or not.
    change.catch(() => {});
  }

  function changeBlocks(): void {
    const process = chance.oneOf(processes.filter((each) => each.alive()));
    const [one, other] = chance.happens(0.5) ? [users[0]!, users[1]!] : [users[1]!, users[0]!];
    process?.node.messaging.setBlocked(one, other, !hasBlocked(store, one, other)).catch(() => {});
  }

  async function bringAllBack(): Promise<void> {
    const [owner = ''] = users;
    const { messaging } = processes[0]!.node;
    for (const one of users) for (const other of users) if (one !== other) await settle(messaging.setBlocked(one, other, false));
    for (const userId of users)
      if (!row.members.has(userId)) await settle(messaging.members.put(owner, conversationId, { userId, role: undefined }));
    for (const device of devices) device.connect();
  }

  const isRight = (): boolean => wrong.length === 0;

  for (let i = 0; i < ACTIONS && isRight(); i++) {
    await act();
    for (let turns = chance.int(40); turns > 0 && isRight(); turns--) {
      steps++;
      if (!(await scheduler.step(scheduler.now() + 1_000))) break;
      wrong.push(...always());
    }
  }

  Object.assign(faults, { failed: 0, unknownLost: 0, unknownCommitted: 0 });
  for (const process of processes) process.setListening(true);
  for (const device of devices) device.connect();
  // Twice: whoever sits in a room that nobody serves any more learns of nothing when the others write once more.
  for (let round = 0; round < 2; round++) {
    const until = scheduler.now() + HEAL_MS;
    while (isRight() && steps++ < STEPS && (await scheduler.step(until)));
    if (round > 0 || !isRight()) continue;
    await bringAllBack();
    devices[0]!.write(`text-${texts++}-`);
  }
  if (steps >= STEPS) wrong.push('the world never came to rest');
  if (isRight()) wrong.push(...always(), ...checkAtRest(row, devices));

  if (row.documents.size > 2) reached.add('roll-over');
  for (const device of devices) device.cut();
  const end = scheduler.now() + 60_000;
  for (let i = 0; i < 2_000 && (await scheduler.step(end)); i++);
  for (const { node } of processes) {
    const { rooms, sessions } = node.counts();
    if (isRight() && rooms + sessions > 0) wrong.push(`${rooms} rooms and ${sessions} sessions are left open`);
  }
  return { seed, steps, wrong, reached };
}

async function createConversation(
  store: MemoryStore,
  scheduler: Scheduler,
  chance: Chance,
  { id, kind, users }: { id: Uuid; kind: 'direct' | 'group'; users: readonly Uuid[] },
): Promise<void> {
  const log = makeMemoryLog(store, { clock: scheduler.clock, pause: () => scheduler.pause(() => null) });
  const members = users.map((userId, i): Member => ({ userId, role: kind === 'group' && i === 0 ? 'owner' : 'member', since: 0 }));
  const root = {
    kind,
    title: 'Simulated',
    createdAt: scheduler.now(),
    members: new Map(members.map((member) => [member.userId, member])),
  };
  await log.create({
    id,
    kind,
    title: root.title,
    createdAt: root.createdAt,
    members,
    documents: [
      writeAsServer(freshState(0, 0, chance.bytes), [], (doc) => createRoot(doc, root)),
      writeAsServer(freshState(1, 1, chance.bytes), [], (doc) => createSegment(doc, 1, 1)),
    ],
  });
}

/** Who is no member receives nothing and writes nothing beyond the seq at which they left (G2); who is back dials again. */
function makeRights(row: StoredConversation, devices: readonly Device[]): () => string[] {
  const left = new Map<Uuid, number>();
  return () => {
    const wrong: string[] = [];
    for (const [i, device] of devices.entries()) {
      const { userId } = device;
      if (row.members.has(userId)) {
        if (!left.delete(userId)) continue;
        for (const own of devices) if (own.userId === userId) own.connect();
        continue;
      }
      const seq = left.get(userId) ?? row.state.seq;
      left.set(userId, seq);
      if (device.newest() > seq) wrong.push(`[G2] device ${i} left at ${seq} and holds ${device.newest()}`);
      const last = [...row.messages.values()].at(-1);
      if (last && last.seq > seq && last.senderId === userId) wrong.push(`[G2] ${userId} left at ${seq} and wrote ${last.seq}`);
    }
    return wrong;
  };
}

/** While one of a direct conversation's two has blocked the other nothing new is written (G1). */
function makeBlocks(store: MemoryStore, row: StoredConversation, users: readonly Uuid[]): () => string[] {
  let blockedAt: number | null = null;
  return () => {
    const isBlocked = row.state.kind === 'direct' && users.some((one) => users.some((other) => hasBlocked(store, one, other)));
    blockedAt = isBlocked ? (blockedAt ?? row.state.seq) : null;
    return blockedAt !== null && row.state.seq > blockedAt ? [`[G1] seq ${row.state.seq} was written after a block at ${blockedAt}`] : [];
  };
}

/** `checkAlways`, passed over while nothing that it looks at has changed. */
function makeAlways(row: StoredConversation, devices: readonly Device[]): () => string[] {
  let seen = '';
  return () => {
    const now = [row.messages.size, ...devices.map(({ sent }) => sent.size)].join();
    if (now === seen) return [];
    seen = now;
    return checkAlways(row, devices);
  };
}

/** What must hold after every event. */
function checkAlways(row: StoredConversation, devices: readonly Device[]): string[] {
  const wrong: string[] = [];
  const bySeq = new Map<number, MessageId>();
  for (const { id, seq } of row.messages.values()) {
    if (bySeq.has(seq)) wrong.push(`[D5] seq ${seq} was given twice`);
    bySeq.set(seq, id);
  }
  for (let seq = 1; seq <= row.messages.size; seq++) if (!bySeq.has(seq)) wrong.push(`[D5] seq ${seq} is missing`);
  for (const { sent } of devices)
    for (const [id, seq] of sent)
      if (row.messages.get(id)?.seq !== seq) wrong.push(`[L7] ${id} was shown as sent with seq ${seq} and is not in the log`);
  return wrong;
}

const rebuild = (rows: readonly { update: Uint8Array }[]): Y.Doc => {
  const doc = new Y.Doc();
  for (const { update } of rows) Y.applyUpdate(doc, update);
  return doc;
};

const show = (doc: Y.Doc): string =>
  JSON.stringify(readMessages(doc).map(({ id, seq, body, authorId }) => [id, seq, body, body === null ? null : authorId]));

/** What must hold when everything has healed and come to rest. */
function checkAtRest(row: StoredConversation, devices: readonly Device[]): string[] {
  const wrong: string[] = [];
  for (const [n, { rows }] of row.documents) {
    const truth = rebuild(rows);
    if (truth.store.pendingStructs || truth.store.pendingDs) wrong.push(`[A9] document ${n} has something pending`);
    const id = formatDocumentId(
      n === 0 ? { kind: 'root', conversationId: row.state.id, n: 0 } : { kind: 'segment', conversationId: row.state.id, n },
    );
    devices.forEach((device, i) => {
      const replica = device.replicas().get(id);
      if (!replica) return void wrong.push(`[L12] device ${i} lacks ${n}`);
      if (replica.doc.store.pendingStructs || replica.doc.store.pendingDs) wrong.push(`[A9] device ${i} has something pending in ${n}`);
      const same = Buffer.from(Y.encodeStateVector(replica.doc)).equals(Buffer.from(Y.encodeStateVector(truth)));
      if (!same && !sameVector(replica.doc, truth)) wrong.push(`[L12] device ${i} and the log differ in document ${n}`);
      else if (n > 0 && show(replica.doc) !== show(truth)) wrong.push(`[L7] device ${i} shows another segment ${n} than the log`);
    });
    if (n > 0) wrong.push(...checkSnapshot(row, n, truth));
  }
  for (const [i, device] of devices.entries()) {
    if (device.pending() > 0) wrong.push(`device ${i} still holds ${device.pending()} entries`);
    for (const [id, { text, deleted }] of device.written) {
      wrong.push(...checkWritten(row, id, text, deleted));
      if (row.messages.has(id) && row.messages.get(id)!.senderId !== device.userId) wrong.push(`[A4] ${id} stands under another name`);
    }
  }
  return wrong;
}

const sameVector = (a: Y.Doc, b: Y.Doc): boolean => {
  const [left, right] = [a, b].map((doc) => Y.decodeStateVector(Y.encodeStateVector(doc)));
  return left!.size === right!.size && [...left!].every(([client, clock]) => right!.get(client) === clock);
};

function checkSnapshot(row: StoredConversation, n: number, truth: Y.Doc): string[] {
  const rows = [...row.messages.values()].filter((message) => message.n === n).sort((a, b) => a.seq - b.seq);
  const snapshot = JSON.stringify(rows.map(({ id, seq, body, senderId }) => [id, seq, body, body === null ? null : senderId]));
  return snapshot === show(truth) ? [] : [`[L6] the snapshot of segment ${n} differs from its document`];
}

function checkWritten(row: StoredConversation, id: MessageId, text: string, deleted: boolean): string[] {
  const message = row.messages.get(id);
  if (!deleted && message?.body !== text && message?.deletedAt === null)
    return [`[D7] ${id} should read ${text} and reads ${message?.body}`];
  if (!deleted && !message) return [`${id} was written and is nowhere`];
  if (!deleted || !message) return [];
  if (message.body !== null) return [`[D7] ${id} was deleted and still reads ${message.body}`];
  return [];
}
