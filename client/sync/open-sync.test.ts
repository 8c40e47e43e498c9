import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Conversation, Me, User } from '../../shared/api.ts';
import { systemClock, systemRandom } from '../../shared/clock.ts';
import { directConversationId, makeUuid } from '../../shared/ids.ts';
import { makeApi } from './api.ts';
import { type Sync, openSync } from './open-sync.ts';
import { openDeviceStorage } from './storage/device-storage.ts';
import { makeTestDevice } from './storage/test-device.ts';
import { makeTestLocks } from './test-locks.ts';

const [ana, ben] = [1, 2].map((n) => makeUuid(n, systemRandom)) as [string, string];
const user = (id: string, handle: string): User => ({ id, handle, displayName: handle, bio: '', avatarUrl: null });
const me: Me = { ...user(ana, 'ana'), document: `user:${ana}/1` };
const closers: (() => void)[] = [];
beforeEach(() => void (globalThis.indexedDB = new IDBFactory()));
afterEach(() => closers.splice(0).forEach((close) => close()));

/** A tab of Ana; no socket gets through, and HTTP answers when there is an answer for the path. */
function open(answers: Record<string, unknown> | null, locks?: LockManager): Sync & { asked: string[] } {
  const asked: string[] = [];
  class DeadSocket {
    onclose: ((event: { code: number; reason: string }) => void) | null = null;
    constructor() {
      setTimeout(() => this.onclose?.({ code: 1006, reason: '' }), 1);
    }
    close(): void {}
  }
  const sync = openSync({
    me,
    storage: openDeviceStorage(me.id, systemClock, systemRandom),
    url: 'ws://host/api/sync',
    WebSocket: DeadSocket as unknown as typeof WebSocket,
    locks,
    makeChannel: (name) => new BroadcastChannel(name),
    clock: systemClock,
    random: (size) => (size === 4 ? new Uint8Array(4) : systemRandom(size)),
    isOnline: () => answers !== null,
    onEnded: () => {},
    api: makeApi({
      async fetch(path, init) {
        asked.push(`${init?.method} ${path as string}`);
        // A document over HTTP: an exchange that says nothing.
        if (answers && (path as string).startsWith('/api/sync/')) return new Response(new Uint8Array());
        const answer = answers?.[path as string];
        if (answer === undefined) throw new TypeError('no network');
        return new Response(JSON.stringify(answer));
      },
    }),
  });
  closers.push(sync.close);
  return Object.assign(sync, { asked });
}

test('first contact, a draft and the list survive a cold start without a network, and the conversation is opened when there is one', async () => {
  const id = await directConversationId(ana, ben);
  const first = open(null);
  await expect.poll(first.isReady).toBe(true);
  expect(await first.openDirect(user(ben, 'ben'))).toBe(id);
  first.conversations.open(id).send('hello');
  first.drafts.set(id, 'and then');
  await expect.poll(() => first.outbox.entries().every((entry) => first.outbox.isKept(entry.id))).toBe(true);
  expect([first.asked, first.connection()]).toEqual([[], 'offline']);
  first.close();

  const row: Conversation = {
    id,
    kind: 'direct',
    title: null,
    members: [],
    lastMessage: null,
    unreadCount: 0,
    lastReadSeq: 0,
    openSegment: 1,
  };
  const cold = open(null);
  await expect.poll(cold.isReady).toBe(true);
  expect(
    cold.inbox
      .conversations()
      .get(id)
      ?.members.map(({ id: userId }) => userId),
  ).toEqual([ana, ben]);
  expect(cold.drafts.get(id)).toBe('and then');
  await expect.poll(() => cold.outbox.entries().map(({ kind }) => kind)).toEqual(['open', 'message', 'private']);
  cold.close();

  const again = open({ '/api/messaging/conversations': { conversation: row, conversations: [], nextBefore: null } });
  await expect.poll(() => again.outbox.entries().map(({ kind }) => kind)).toEqual(['message', 'private']);
  expect(again.asked).toContain('POST /api/messaging/conversations');
  await expect.poll(again.connection).toBe('http');
});

test('[F14] the tab that moves gives way to one that can read what waits, when its own storage fails', async () => {
  const locks = makeTestLocks();
  const opened: IDBDatabase[] = [];
  const { transaction } = IDBDatabase.prototype;
  let broken: IDBDatabase | undefined;
  IDBDatabase.prototype.transaction = function begin(...asked) {
    if (this.name === `homing/${ana}` && !opened.includes(this)) opened.push(this);
    if (this === broken) throw new DOMException('it is gone', 'UnknownError');
    return transaction.apply(this, asked);
  };
  closers.push(() => void (IDBDatabase.prototype.transaction = transaction));
  const row = { kind: 'direct', title: null, members: [], lastMessage: null, unreadCount: 0, lastReadSeq: 0, openSegment: 1 };
  const id = await directConversationId(ana, ben);
  const answers = { '/api/messaging/conversations': { conversation: { id, ...row }, conversations: [], nextBefore: null } };
  const first = open(answers, locks);
  await expect.poll(first.isReady).toBe(true);
  const second = open(answers, locks);
  await expect.poll(() => [first, second].map((sync) => sync.connection())).toEqual(['http', 'http']);

  [broken] = opened;
  await second.openDirect(user(ben, 'ben'));
  await expect.poll(() => second.outbox.entries()).toEqual([]);
  const calls = [first, second].map(({ asked }) => asked.filter((call) => call === 'POST /api/messaging/conversations').length);
  expect([calls, first.isMemoryOnly()]).toEqual([[0, 1], true]);
});

test('[F14] cleared in the middle of it, the device gets back what waits, what was begun and the list', async () => {
  const id = await directConversationId(ana, ben);
  const device = makeTestDevice();
  const first = open(null);
  await expect.poll(first.isReady).toBe(true);
  await first.openDirect(user(ben, 'ben'));
  first.conversations.open(id).send('hello');
  first.drafts.set(id, 'and then');
  const isAllKept = (): boolean => first.outbox.entries().every((entry) => first.outbox.isKept(entry.id));
  await expect.poll(isAllKept).toBe(true);
  device.wipe();
  await expect.poll(first.isMemoryOnly).toBe(true);
  await expect.poll(() => !first.isMemoryOnly() && isAllKept(), { timeout: 10_000 }).toBe(true);
  first.close();
  const cold = open(null);
  await expect.poll(() => cold.outbox.entries().map(({ kind }) => kind)).toEqual(['open', 'message', 'private']);
  await expect.poll(cold.isReady).toBe(true);
  expect([[...cold.inbox.conversations().keys()], cold.drafts.get(id)]).toEqual([[id], 'and then']);
});

test('[F14] without IndexedDB it says that nothing is kept, shows what the server tells, and sends', async () => {
  const { indexedDB } = globalThis;
  Reflect.deleteProperty(globalThis, 'indexedDB');
  closers.push(() => void (globalThis.indexedDB = indexedDB));
  const id = await directConversationId(ana, ben);
  const row = { kind: 'direct', title: null, members: [], lastMessage: null, unreadCount: 0, lastReadSeq: 0, openSegment: 1 };
  const sync = open({ '/api/messaging/conversations': { conversation: { id, ...row }, conversations: [], nextBefore: null } });
  await expect.poll(sync.isReady).toBe(true);
  await sync.openDirect(user(ben, 'ben'));
  expect(sync.isMemoryOnly()).toBe(true);
  expect(sync.outbox.entries().map((entry) => sync.outbox.isKept(entry.id))).toEqual([false]);
  await expect.poll(() => sync.outbox.entries()).toEqual([]);
  expect(sync.asked).toContain('POST /api/messaging/conversations');
  expect([sync.isMemoryOnly(), [...sync.inbox.conversations().keys()]]).toEqual([true, [id]]);
});
