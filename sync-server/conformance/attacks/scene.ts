import { readFileSync } from 'node:fs';
import { WebSocket } from 'ws';
import { expect, vi } from 'vitest';
import * as Y from 'yjs';
import { encodeChannelFrame, decodeChannelFrame } from '../../../shared/channels.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { SUB_PROTOCOL } from '../../../shared/protocol-version.ts';
import { addMessage, laneName, readMessages } from '../../../shared/segment.ts';
import { type Sql, connect } from '../../postgres/connect.ts';
import { findPostgres } from '../../postgres/launcher/launcher.ts';
import { newId } from '../frames.ts';
import { type Person, register } from '../person.ts';
import { type Replica, openReplica } from '../replica.ts';
import { type Server, startServer } from '../server-process.ts';

const PATIENCE = { timeout: 20_000, interval: 5 };
export const until = (check: () => void): Promise<void> => vi.waitFor(check, PATIENCE);

export interface Ending {
  code: number;
  reason: string;
}

/** The attacker's way to a document: a socket of its own, or a channel of the shared one. */
export interface Way {
  send(frame: Uint8Array | string): void;
  frames: Uint8Array[];
  /** Settles when the server ended the way. */
  ended: Promise<Ending>;
  /** Null while it stands. */
  ending(): Ending | null;
  close(): void;
}

export type Road = 'socket' | 'channel';

/** Ada and Bert talk in a group over stock providers; Mallory is a member too, and has every byte of it. Nobody else knows the server. */
export interface Scene {
  server: Server;
  ada: Person;
  bert: Person;
  mallory: Person;
  groupId: Uuid;
  /** Segment 1 and root, in unmodified providers. */
  adas: Replica;
  berts: Replica;
  adasRoot: Replica;
  bertsRoot: Replica;
  /** A client id under which the server writes in segment 1. */
  serverClient: number;
  sql: Sql;
  /** Opens a document as Mallory, and waits for the server's first word or the end. */
  open(road: Road, path: string): Promise<Way>;
  /** The shared socket itself. */
  openShared(): Promise<Way>;
  /** Ada says something; it comes to Bert and to a stock client that has nothing yet, which holds nothing pending. */
  honestMessageArrives(): Promise<void>;
  /** What a stock client that has nothing yet is served. */
  freshState(documentId?: string): Promise<Uint8Array>;
  /** What the tables hold of all conversations, but for Mallory's own rows where so asked. */
  rows(options?: { withoutMallory: boolean }): Promise<string>;
  /** How long another socket waits for the answer to a ping, milliseconds. */
  ping(): Promise<number>;
  /** CPU time of the server's event loop, milliseconds. */
  cpu(): number;
  close(): Promise<void>;
}

export async function openScene(): Promise<Scene> {
  const server = await startServer();
  const [ada, bert, mallory] = await Promise.all(['ada', 'bert', 'mallory'].map((handle) => register(server.origin, handle)));
  const created = await ada!.call('POST', '/api/messaging/conversations', { title: 'Talk', memberIds: [bert!.id, mallory!.id] });
  const groupId = (created.body as { conversation: { id: string } }).conversation.id;
  const sql = await connect((await findPostgres(server.dataDir))!, { max: 1 });
  const replicas: Replica[] = [];
  const ways = new Set<Way>();
  const replica = (who: Person, documentId: string): Replica => {
    const opened = openReplica(server, who, documentId);
    replicas.push(opened);
    return opened;
  };
  const [adas, berts, adasRoot, bertsRoot] = [
    replica(ada!, `${groupId}/1`),
    replica(bert!, `${groupId}/1`),
    replica(ada!, groupId),
    replica(bert!, groupId),
  ];
  bertsRoot.provider.awareness.setLocalState({ typing: true });
  await until(() => expect([adas, berts, adasRoot, bertsRoot].every(({ provider }) => provider.synced)).toBe(true));
  const serverClient = [...adas.doc.store.clients.keys()][0]!;
  // Who was asked into a group by somebody unknown is seen there from the first word on.
  addMessage(berts.doc, bert!.id, newId(), ['hello', null, null]);
  await until(() => expect(readMessages(adas.doc)).toHaveLength(1));
  const watch = new WebSocket(`${server.syncUrl}/${groupId}`, { headers: { authorization: `Bearer ${bert!.token}` } });
  await new Promise((resolve) => watch.once('open', resolve));

  function dial(path: string, protocols: string[]): Way {
    const socket = new WebSocket(server.syncUrl + path, protocols, { headers: { authorization: `Bearer ${mallory!.token}` } });
    const frames: Uint8Array[] = [];
    const waiting: (Uint8Array | string)[] = [];
    let ending: Ending | null = null;
    socket.on('message', (frame: Buffer) => frames.push(Uint8Array.from(frame)));
    socket.on('open', () => waiting.splice(0).forEach((frame) => socket.send(frame)));
    socket.on('error', () => {});
    const ended = new Promise<Ending>((resolve) => {
      socket.on('close', (code, reason) => {
        ending = { code, reason: reason.toString() };
        resolve(ending);
      });
    });
    const way: Way = {
      frames,
      ended,
      ending: () => ending,
      send(frame) {
        if (socket.readyState === WebSocket.CONNECTING) waiting.push(frame);
        else if (socket.readyState === WebSocket.OPEN) socket.send(frame);
      },
      close: () => socket.terminate(),
    };
    ways.add(way);
    return way;
  }

  /** Channel 1 of a shared socket; text cannot travel in a channel, and is sent beside it. */
  function channel(documentId: string): Way {
    const shared = dial('', []);
    shared.send(encodeChannelFrame({ op: 'open', channel: 1, documentId }));
    const closing = (): Ending | null => {
      for (const bytes of shared.frames) {
        const frame = decodeChannelFrame(bytes);
        if (frame?.op === 'close') return { code: frame.code, reason: frame.reason };
      }
      return shared.ending();
    };
    const ended = until(() => expect(closing()).not.toBeNull()).then(() => closing()!);
    ended.catch(() => {});
    return {
      get frames() {
        return shared.frames.flatMap((bytes) => {
          const frame = decodeChannelFrame(bytes);
          return frame?.op === 'data' && frame.channel === 1 ? [frame.payload] : [];
        });
      },
      ended,
      ending: closing,
      send: (frame) => shared.send(typeof frame === 'string' ? frame : encodeChannelFrame({ op: 'data', channel: 1, payload: frame })),
      close: shared.close,
    };
  }

  const scene: Scene = {
    server,
    ada: ada!,
    bert: bert!,
    mallory: mallory!,
    groupId,
    adas,
    berts,
    adasRoot,
    bertsRoot,
    serverClient,
    sql,
    async open(road, path) {
      const way = road === 'socket' ? dial(`/${path}`, [SUB_PROTOCOL]) : channel(path);
      await until(() => expect(way.frames.length > 0 || way.ending() !== null).toBe(true));
      return way;
    },
    async openShared() {
      return dial('', []);
    },
    async honestMessageArrives() {
      const id = newId();
      addMessage(adas.doc, ada!.id, id, ['still here', null, null]);
      await until(() => expect(readMessages(berts.doc).some((message) => message.id === id)).toBe(true));
      await until(() => expect(readMessages(adas.doc).some((message) => message.id === id)).toBe(true));
      for (const { doc, closes } of [adas, berts, adasRoot, bertsRoot]) {
        expect(doc.store.pendingStructs ?? doc.store.pendingDs).toBeNull();
        expect(closes).toEqual([]);
      }
      // The tables are read as well; a connection that was kept may have been closed by a body too large.
      await vi.waitFor(async () => {
        const page = await ada!.call('GET', `/api/messaging/conversations/${groupId}/messages?limit=50`);
        expect(page.status).toBe(200);
      }, PATIENCE);
    },
    async freshState(documentId = `${groupId}/1`) {
      const fresh = openReplica(server, ada!, documentId);
      await until(() => expect(fresh.provider.synced).toBe(true));
      expect(fresh.doc.store.pendingStructs ?? fresh.doc.store.pendingDs).toBeNull();
      const state = Y.encodeStateAsUpdate(fresh.doc);
      fresh.close();
      return state;
    },
    async rows({ withoutMallory } = { withoutMallory: false }) {
      const nobody = '00000000-0000-0000-0000-000000000000';
      const left = withoutMallory ? mallory!.id : nobody;
      const [found] = await sql`select
        (select md5(string_agg(m::text, ',' order by conversation_id, seq)) from messages m where sender_id <> ${left}) as messages,
        (select count(*) from reactions where user_id <> ${left}) as reactions,
        (select md5(string_agg(c::text, ',' order by conversation_id, n, client)) from claims c where user_id <> ${left}) as claims,
        (select md5(string_agg(c::text, ',' order by id)) from conversations c where ${withoutMallory} is false) as conversations,
        (select sum(position) from documents where ${withoutMallory} is false) as positions`;
      return JSON.stringify(found, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
    },
    async ping() {
      const started = performance.now();
      await new Promise<void>((resolve) => {
        watch.once('pong', () => resolve());
        watch.ping();
      });
      return performance.now() - started;
    },
    cpu: () => Number(readFileSync(`/proc/${server.process().pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6,
    async close() {
      for (const way of ways) way.close();
      for (const one of replicas) one.close();
      watch.terminate();
      await sql.end();
      await server.close();
    },
  };
  return scene;
}

/** Everything of a segment that is not Mallory's: lanes, log and meta, as a reader sees them. */
export function othersOf(state: Uint8Array, mallory: Uuid): string {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, state);
  const messages = readMessages(doc).filter(({ authorId }) => authorId !== mallory && authorId !== null);
  const roots = [...doc.share.keys()].filter((name) => name !== laneName(mallory)).sort();
  const lanes = roots
    .filter((name) => name.startsWith('u:'))
    .map((name) => [name, Object.entries(doc.getMap(name).toJSON() as Record<string, unknown>).sort(([a], [b]) => (a < b ? -1 : 1))]);
  return JSON.stringify({ roots, lanes, messages: messages.map((message) => ({ ...message, reactions: [...message.reactions] })) });
}
