import * as decoding from 'lib0/decoding';
import type { Refusal } from '../../shared/close-codes.ts';
import { parseDocumentId, type Uuid } from '../../shared/ids.ts';
import { MESSAGE, SYNC } from '../../shared/protocol.ts';
import { readLog } from '../../shared/segment.ts';
import { systemRandom } from '../../shared/clock.ts';
import { makeMemoryLog } from '../../sync-server/memory/update-log.ts';
import { reopen } from '../../sync-server/core/restore/reopen.ts';
import { startTestNode } from '../../sync-server/core/testing/test-node.ts';
import type { Permissions } from '../../sync-server/core/ports.ts';
import type { Session } from '../../sync-server/core/session/session.ts';
import * as Y from 'yjs';
import { type OpenProvider, makeOpenProvider } from './provider.ts';
import type { VirtualSocket } from './wire/virtual-socket.ts';
import { makeSocketFor } from './wire/virtual-socket.ts';
import type { Clock } from '../../shared/clock.ts';

/** Whether a message to the server is an update that holds structs. */
function bringsStructs(message: Uint8Array): boolean {
  const decoder = decoding.createDecoder(message);
  if (decoding.readVarUint(decoder) !== MESSAGE.sync || decoding.readVarUint(decoder) === SYNC.step1) return false;
  return Y.parseUpdateMeta(decoding.readVarUint8Array(decoder)).to.size > 0;
}

/** The real core over memory adapters behind virtual sockets, with a network that a test cuts. */
export async function startCore(clock: Clock, options: { permissions?: Permissions } = {}) {
  const world = await startTestNode(options);
  const { store, clock: serverClock } = world;
  let { node } = world;
  const sessions = new Map<VirtualSocket, Session>();
  const dialling = new Map<VirtualSocket, Uuid>();
  const refusals: { documentId: string; code: number; reason: string }[] = [];
  /** Of each document, how often the server has been brought something. */
  const updates = new Map<string, number>();
  let refuse = (_documentId: string, _update: string): Refusal | null => null;
  let isUp = true;
  let largest = 0;

  function open(socket: VirtualSocket, userId: Uuid): void {
    const name = parseDocumentId(socket.documentId)!;
    // What is under way when the line is cut is lost.
    const deliver = (run: () => void): void => void setImmediate(() => sessions.get(socket) === session && run());
    const session = node.open({
      userId,
      sid: 'sid',
      expiresAt: Number.MAX_SAFE_INTEGER,
      name,
      acks: true,
      socket: {
        send: (message) => deliver(() => socket.received(message)),
        close(code, reason) {
          refusals.push({ documentId: socket.documentId, code, reason });
          deliver(() => {
            sessions.delete(socket);
            socket.closed(code, reason);
          });
        },
        buffered: () => 0,
        drained: () => () => {},
        pause() {},
        resume() {},
      },
    });
    sessions.set(socket, session);
    deliver(() => socket.opened());
  }

  function cut(): void {
    isUp = false;
    const lost = [...sessions];
    sessions.clear();
    for (const [socket, session] of lost) {
      session.closed();
      socket.closed(1006, '');
    }
  }

  return {
    world,
    refusals,
    updates: (documentId: string) => updates.get(documentId) ?? 0,
    /** What the server refuses before it has looked at it, and why. */
    refuseBy: (rule: typeof refuse) => void (refuse = rule),
    /** All that the server holds of a document. */
    document(conversationId: Uuid, n: number): Y.Doc {
      const doc = new Y.Doc();
      for (const { update } of store.conversations.get(conversationId)?.documents.get(n)?.rows ?? []) Y.applyUpdate(doc, update);
      return doc;
    },
    isUp: () => isUp,
    /** Copies all that the server holds; answers the way back to it, as after a restored backup: with the network cut, on a fresh node. */
    backUp() {
      const kept = structuredClone([...store.conversations].map(([id, row]) => [id, { ...row, lock: null }] as const));
      return async () => {
        cut();
        await node.stop();
        store.conversations.clear();
        for (const [id, row] of structuredClone(kept)) store.conversations.set(id, { ...row, lock: Promise.resolve() });
        for (const [id] of kept) await reopen(makeMemoryLog(store, { clock: serverClock }), id, systemRandom);
        node = await world.anotherNode();
      };
    },
    /** What goes over HTTP and needs no answer but that it was done. */
    apiOf(userId: Uuid) {
      const done = async (): Promise<never> => undefined as never;
      return {
        async openDirect(otherId: Uuid) {
          await node.messaging.openDirect(userId, otherId);
          return done();
        },
        markRead: done,
        accept: done,
        hide: done,
        removeMember: done,
        setBlocked: done,
      };
    },
    largest: () => largest,
    openProviderOf(userId: Uuid): OpenProvider {
      const socketFor = makeSocketFor({
        add(socket) {
          if (isUp) open(socket, userId);
          else dialling.set(socket, userId);
        },
        send(socket, message) {
          largest = Math.max(largest, message.length);
          const session = sessions.get(socket);
          setImmediate(() => {
            if (!session || sessions.get(socket) !== session) return;
            if (!bringsStructs(message)) return session.receive(message);
            updates.set(socket.documentId, (updates.get(socket.documentId) ?? 0) + 1);
            const reason = refuse(socket.documentId, Buffer.from(message).toString('latin1'));
            if (reason) session.end('refused', reason);
            else session.receive(message);
          });
        },
        remove(socket) {
          sessions.get(socket)?.closed();
          sessions.delete(socket);
          dialling.delete(socket);
        },
      });
      return makeOpenProvider({ socketFor, renew: async () => 'renewed', clock });
    },
    cut,
    heal() {
      isUp = true;
      const waiting = [...dialling];
      dialling.clear();
      for (const [socket, userId] of waiting) open(socket, userId);
    },
    /** The bodies of a conversation in order of seq, as the log of the server has them; null: deleted. */
    history: (conversationId: Uuid): (string | null)[] =>
      [...store.conversations.get(conversationId)!.messages.values()].sort((a, b) => a.seq - b.seq).map(({ body }) => body),
    /** Per segment, how many messages its log has. */
    logs: (conversationId: Uuid): number[] =>
      [...store.conversations.get(conversationId)!.documents].flatMap(([n, { rows }]) => {
        if (n === 0) return [];
        const doc = new Y.Doc();
        for (const { update } of rows) Y.applyUpdate(doc, update);
        return [readLog(doc).length];
      }),
  };
}
