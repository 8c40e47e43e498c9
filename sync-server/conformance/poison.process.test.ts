import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { conversationAnswer } from '../../shared/api.ts';
import { CLOSE } from '../../shared/close-codes.ts';
import type { Uuid } from '../../shared/ids.ts';
import { addMessage, laneName } from '../../shared/segment.ts';
import { type Sql, connect } from '../postgres/connect.ts';
import { findPostgres } from '../postgres/launcher/launcher.ts';
import { newId } from './frames.ts';
import { type Person, register } from './person.ts';
import { openRaw } from './raw-socket.ts';
import { type Replica, openReplica } from './replica.ts';
import { type Server, startServer } from './server-process.ts';

/** Stored rows that somebody, or a disk, has spoilt: under a running server, and under one that starts. */
const PATIENCE = { timeout: 30_000, interval: 20 };
const until = (check: () => void | Promise<void>): Promise<void> => vi.waitFor(check, PATIENCE);

let server: Server;
let sql: Sql;
let ada: Person;
let grace: Person;
const toClose: { close(): void }[] = [];
beforeAll(async () => {
  server = await startServer({ LOG_LEVEL: 'warn' });
  sql = await connect((await findPostgres(server.dataDir))!, { max: 2 });
  [ada, grace] = await Promise.all([register(server.origin, 'ada'), register(server.origin, 'grace')]);
  await ada.converse(grace);
});
afterEach(() => {
  for (const one of toClose.splice(0)) one.close();
});
afterAll(async () => {
  await sql.end();
  await server.close();
});

/** Everything that a document with `write` in it would say. */
function updateOf(write: (doc: Y.Doc) => void): Uint8Array {
  const doc = new Y.Doc();
  write(doc);
  return Y.encodeStateAsUpdate(doc);
}
function nested(depth: number): Uint8Array {
  return updateOf((doc) => {
    let map = doc.getMap<unknown>('meta');
    for (let i = 0; i < depth; i++) {
      const inner = new Y.Map<unknown>();
      map.set('x', inner);
      map = inner;
    }
  });
}

/** Each spoils the first segment of one conversation, in which two messages are. */
const POISONS: Record<string, (id: Uuid) => Promise<unknown>> = {
  'bytes of chance': (id) => sql`update updates set bytes = '\\xdeadbeef' where conversation_id = ${id} and n = 1 and position = 2`,
  'an empty row': (id) => sql`update updates set bytes = '' where conversation_id = ${id} and n = 1 and position = 2`,
  'a row cut short': (id) =>
    sql`update updates set bytes = substring(bytes from 1 for 20) where conversation_id = ${id} and n = 1 and position = 2`,
  'a row that is gone': (id) => sql`delete from updates where conversation_id = ${id} and n = 1 and position = 2`,
  'all rows gone': (id) => sql`delete from updates where conversation_id = ${id} and n = 1`,
  'a count of 32 million structs': (id) =>
    sql`update updates set bytes = '\\x01ffffff0f0100' where conversation_id = ${id} and n = 1 and position = 2`,
  'another log client': (id) => sql`update documents set log_client = 1 where conversation_id = ${id} and n = 1`,
  'a clock of the log from nowhere': (id) => sql`update documents set log_clock = 400 where conversation_id = ${id} and n = 1`,
  'a position from nowhere': (id) => sql`update documents set position = 99 where conversation_id = ${id} and n = 1`,
  'a number that no number holds': (id) =>
    sql`update documents set first_seq = 9223372036854775807 where conversation_id = ${id} and n = 1`,
  'more messages than there are': (id) => sql`update documents set messages = 300 where conversation_id = ${id} and n = 1`,
  'maps in maps, 5,000 deep': (id) =>
    sql`update updates set bytes = ${Buffer.from(nested(5_000))} where conversation_id = ${id} and n = 1 and position = 2`,
};

const text = (replica: Replica): (string | null)[] => replica.messages().map(({ body }) => body);

async function group(title: string): Promise<Uuid> {
  const made = await ada.call('POST', '/api/messaging/conversations', { title, memberIds: [grace.id] });
  const { id } = conversationAnswer.parse(made.body).conversation;
  await ada.send(id, 'one');
  await grace.send(id, 'two');
  return id;
}

function open(who: Person, documentId: string): Replica {
  const replica = openReplica(server, who, documentId);
  toClose.push(replica);
  return replica;
}

/** Opens all spoilt documents, some of them often, while Ada and Grace go on in another conversation. */
async function looksAfterOthers(spoilt: readonly Uuid[], healthy: Uuid): Promise<void> {
  const [a, g] = [open(ada, `${healthy}/1`), open(grace, `${healthy}/1`)];
  await until(() => expect(a.provider.synced && g.provider.synced).toBe(true));
  const before = text(a);
  let count = 0;
  const timer = setInterval(() => addMessage(a.doc, ada.id, newId(), [`live ${count++}`, null, null]), 50);
  try {
    for (const who of [ada, grace, ada]) {
      const ends = spoilt.map((id) => openRaw(server, `${id}/1`, { token: who.token }));
      for (const { closed, frames } of ends) {
        expect(await closed).toMatchObject({ code: CLOSE.tryLater.code });
        expect(frames).toEqual([]);
      }
    }
    for (const id of spoilt) {
      await expect(ada.send(id, 'three')).rejects.toThrow('send: 503');
      // What the tables hold can be read, and the list is whole.
      expect((await ada.history(id)).map(({ content }) => content)).toEqual(['one', 'two']);
    }
    expect((await ada.call('GET', '/api/messaging/conversations?limit=50')).status).toBe(200);
    await until(() => expect(text(g).length).toBeGreaterThan(before.length + 20));
  } finally {
    clearInterval(timer);
  }
  await until(() => expect(text(g)).toEqual([...before, ...Array.from({ length: count }, (_, i) => `live ${i}`)]));
  expect([...a.closes, ...g.closes]).toEqual([]);
  for (const replica of toClose.splice(0)) replica.close();
}

test('[F20] [R3] spoilt conversations are quarantined one by one, under a running server and at its start; all others go on', async () => {
  const healthy = await group('healthy');
  const spoilt: Uuid[] = [];
  for (const [name, poison] of Object.entries(POISONS)) {
    const id = await group(name);
    spoilt.push(id);
    await poison(id);
    // Deleted text waits in each of them: what cannot be compacted must not stand before the others.
    await sql`update documents set compact_asked_at = now() - interval '1 hour' where conversation_id = ${id}`;
  }
  await sql`update documents set compact_asked_at = now() - interval '1 minute' where conversation_id = ${healthy} and n = 1`;
  await looksAfterOthers(spoilt, healthy);
  await until(async () => {
    const [row] = await sql<{ asked: Date | null }[]>`
      select compact_asked_at as asked from documents where conversation_id = ${healthy} and n = 1`;
    expect(row!.asked).toBeNull();
  });
  expect(server.process().hasEnded()).toBe(false);
  expect(server.process().said.err).toBe('');
  // Each is named in the log, and not at each knock.
  const log = server.process().said.out.split('\n');
  const quarantined = spoilt.map(
    (id) => log.filter((line) => line.includes(`"document":"${id}/1"`) && line.includes('quarantined')).length,
  );
  expect(quarantined.filter((times) => times > 2)).toEqual([]);

  await server.process().signal('SIGTERM');
  await server.start();
  await sql.end();
  sql = await connect((await findPostgres(server.dataDir))!, { max: 2 });
  await looksAfterOthers(spoilt, healthy);
  expect(server.process().hasEnded()).toBe(false);
});

test('[F20] a poisoned root leaves its segments, and everybody else’s conversations, as they are', async () => {
  const id = await group('rootless');
  await sql`update updates set bytes = '\\xdeadbeef' where conversation_id = ${id} and n = 0`;
  expect(await openRaw(server, id, { token: ada.token }).closed).toEqual({ code: CLOSE.tryLater.code, reason: 'quarantined' });
  const [a, g] = [open(ada, `${id}/1`), open(grace, `${id}/1`)];
  await until(() => expect(text(g)).toEqual(['one', 'two']));
  addMessage(a.doc, ada.id, newId(), ['three', null, null]);
  await until(() => expect(text(g)).toEqual(['one', 'two', 'three']));
  expect(g.doc.getMap(laneName(ada.id)).size).toBe(2);
  // Its members cannot be changed: that is written in the root.
  const renamed = await ada.call('PATCH', `/api/messaging/conversations/${id}`, { title: 'new' });
  expect(renamed.status).toBeGreaterThanOrEqual(500);
  expect(server.process().hasEnded()).toBe(false);
});
