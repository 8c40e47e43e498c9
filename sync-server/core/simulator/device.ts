import * as Y from 'yjs';
import { readRoot } from '../../../shared/conversation.ts';
import { type DocumentName, type MessageId, type Uuid, formatDocumentId, makeMessageId } from '../../../shared/ids.ts';
import type { Told } from '../../../shared/protocol.ts';
import { LOG, addMessage, deleteMessage, editMessage, laneName, readLog, readSegmentMeta } from '../../../shared/segment.ts';
import type { Chance } from './chance.ts';
import type { Link } from './link.ts';
import { type Replica, makeReplica } from './replica.ts';
import type { Scheduler } from './scheduler.ts';

/** An own change that the log does not show yet; the device's only truth about what is pending. */
type Entry =
  | { kind: 'message'; id: MessageId; text: string }
  | { kind: 'edit'; id: MessageId; text: string }
  | { kind: 'deletion'; id: MessageId };

type Dial = (name: DocumentName, client: { receive(frame: Uint8Array): void; closed(code: number, reason: string): void }) => Link | null;

/** A person's device: replicas of root and segments, an outbox, and what it has shown as sent. */
export interface Device {
  readonly userId: Uuid;
  write(text: string): void;
  edit(text: string): void;
  remove(): void;
  /** Dials for what is not connected. */
  connect(): void;
  cut(): void;
  /** The tab is closed and opened again; `keep` false: its cache is lost. */
  reload(keep: boolean): void;
  /** Own entries that wait. */
  pending(): number;
  /** The last seq that any of its replicas holds. */
  newest(): number;
  replicas(): ReadonlyMap<string, Replica>;
  /** Every id that this device has shown as sent, with the seq it showed. */
  readonly sent: Map<MessageId, number>;
  readonly written: Map<MessageId, { text: string; deleted: boolean }>;
}

const RETRY_MS = 200;

export function makeDevice(deps: {
  userId: Uuid;
  conversationId: Uuid;
  chance: Chance;
  scheduler: Scheduler;
  dial: Dial;
  isMember(): boolean;
  /** A message of this device was not taken. */
  blocked(): void;
  /** A close code that no honest client should ever get. */
  refused(document: string, code: number, reason: string): void;
}): Device {
  const { userId, conversationId, chance, scheduler } = deps;
  const replicas = new Map<string, Replica>();
  const outbox: Entry[] = [];
  const placed = new Set<MessageId>();
  const sent = new Map<MessageId, number>();
  const written = new Map<MessageId, { text: string; deleted: boolean }>();
  const logs = new WeakMap<Y.Doc, ReadonlyMap<MessageId, number>>();
  let online = true;

  const rootName: DocumentName = { kind: 'root', conversationId, n: 0 };
  const segmentName = (n: number): DocumentName => ({ kind: 'segment', conversationId, n });

  function open(name: DocumentName, stored: Uint8Array | null = null): Replica {
    const id = formatDocumentId(name);
    const before = replicas.get(id);
    if (before) return before;
    const replica = makeReplica(chance.int(2 ** 32), stored, {
      told: (entries) => giveUp(replica, entries),
      changed: flush,
      closed(code, reason) {
        if (code >= 4400 && code < 4500) deps.refused(id, code, reason);
        // Who is no member dials again when they are one: `connect`.
        if (online) scheduler.clock.after(RETRY_MS, () => deps.isMember() && dialAgain(name, replica));
      },
    });
    replicas.set(id, replica);
    dialAgain(name, replica);
    return replica;
  }

  /** What the server will not take is not tried again: it is shown as failed. */
  function giveUp({ doc }: Replica, entries: readonly Told[]): void {
    for (const { client, clock, code } of entries) {
      if (code !== 'blocked') continue;
      for (const [key, newest] of doc.getMap(laneName(userId))._map)
        for (let item: Y.Item | null = newest; item; item = item.left)
          if (item.id.client === client && item.id.clock <= clock && clock < item.id.clock + item.length) forget(key);
    }
  }

  function forget(id: MessageId): void {
    if (sent.has(id)) return;
    written.delete(id);
    for (let i = outbox.length - 1; i >= 0; i--) if (outbox[i]!.id === id) outbox.splice(i, 1);
    deps.blocked();
  }

  function dialAgain(name: DocumentName, replica: Replica): void {
    if (!online || replica.connected() || replicas.get(formatDocumentId(name)) !== replica) return;
    replica.connect((client) => {
      const link = deps.dial(name, client);
      if (link) return link;
      scheduler.soon(() => client.closed(1006, 'no node'));
      return { send: () => {}, cut: () => {} };
    });
  }

  const segments = (): Replica[] => [...replicas].filter(([id]) => id !== conversationId).map(([, replica]) => replica);

  /** Moves the outbox into the documents, in order (design: the outbox alone is the truth about what is pending). */
  function flush(): void {
    const root = readRoot(open(rootName).doc);
    if (!root) return;
    for (const n of root.segments.keys()) open(segmentName(n));
    noteSent();
    const target = open(segmentName(root.open));
    if (!open(rootName).synced() || !segments().every((replica) => replica.synced())) return;
    for (const entry of [...outbox]) {
      if (isDone(entry)) outbox.splice(outbox.indexOf(entry), 1);
      else place(entry, target);
    }
  }

  /** The log of a replica as id → seq, read anew only when it has grown. */
  function logOf({ doc }: Replica): ReadonlyMap<MessageId, number> {
    const known = logs.get(doc);
    if (known?.size === doc.getArray(LOG).length) return known;
    const firstSeq = readSegmentMeta(doc)?.firstSeq ?? 0;
    const log = new Map(readLog(doc).map((id, index): [MessageId, number] => [id, firstSeq + index]));
    logs.set(doc, log);
    return log;
  }

  function noteSent(): void {
    for (const id of written.keys()) {
      if (sent.has(id)) continue;
      const replica = home(id);
      if (replica) sent.set(id, logOf(replica).get(id)!);
    }
  }

  const home = (id: MessageId): Replica | undefined => segments().find((replica) => logOf(replica).has(id));

  const itemOf = (replica: Replica, id: MessageId): Y.Item | undefined => replica.doc.getMap(laneName(userId))._map.get(id);

  function isDone(entry: Entry): boolean {
    const replica = home(entry.id);
    if (entry.kind === 'message') return replica !== undefined;
    // Absence proves nothing: this node may be behind. A message that is gone is in the log and in no lane.
    if (!replica) return false;
    const item = itemOf(replica, entry.id);
    if (!item || item.deleted) return true;
    const value = item.content.getContent()[0] as unknown;
    if (entry.kind === 'edit' && value === 0) return true;
    const isOwn = entry.kind === 'deletion' ? value === 0 : Array.isArray(value) && value[0] === entry.text;
    return isOwn && replica.held(item.id.client) > item.id.clock;
  }

  function place(entry: Entry, target: Replica): void {
    if (entry.kind === 'message') {
      const stands = segments().some((replica) => itemOf(replica, entry.id)?.deleted === false);
      placed.add(entry.id);
      if (!stands) addMessage(target.doc, userId, entry.id, [entry.text, null, null]);
      return;
    }
    const replica = home(entry.id);
    const item = replica && itemOf(replica, entry.id);
    if (!replica || !item || item.deleted) return;
    const value = item.content.getContent()[0] as unknown;
    if (entry.kind === 'deletion' && value !== 0) deleteMessage(replica.doc, userId, entry.id);
    if (entry.kind === 'edit' && Array.isArray(value) && value[0] !== entry.text)
      editMessage(replica.doc, userId, entry.id, entry.text, scheduler.now());
  }

  const ownLiving = (): MessageId | undefined => chance.oneOf([...written].filter(([, { deleted }]) => !deleted).map(([id]) => id));

  return {
    userId,
    sent,
    written,
    write(text) {
      const id = makeMessageId(scheduler.now(), chance.bytes);
      written.set(id, { text, deleted: false });
      outbox.push({ kind: 'message', id, text });
      flush();
    },
    edit(text) {
      const id = ownLiving();
      if (id === undefined) return;
      const waiting = outbox.findLast((entry) => entry.id === id && entry.kind !== 'deletion');
      // What was placed once may have left, even if the replica that held it was lost since.
      const hasLeft = waiting?.kind === 'message' && placed.has(id);
      written.set(id, { text, deleted: false });
      if (waiting && waiting.kind !== 'deletion' && !hasLeft) waiting.text = text;
      else outbox.push({ kind: 'edit', id, text });
      flush();
    },
    remove() {
      const id = ownLiving();
      if (id === undefined) return;
      written.set(id, { text: '', deleted: true });
      outbox.push({ kind: 'deletion', id });
      flush();
    },
    connect() {
      online = true;
      flush();
      for (const [id, replica] of replicas) dialAgain(id === conversationId ? rootName : segmentName(Number(id.split('/')[1])), replica);
    },
    cut() {
      online = false;
      for (const replica of replicas.values()) replica.cut();
    },
    reload(keep) {
      const stored = [...replicas].map(([id, { doc }]): [string, Uint8Array] => [id, Y.encodeStateAsUpdate(doc)]);
      for (const replica of replicas.values()) {
        replica.cut();
        replica.doc.destroy();
      }
      replicas.clear();
      for (const [id, update] of stored)
        open(id === conversationId ? rootName : segmentName(Number(id.split('/')[1])), keep ? update : null);
    },
    pending: () => outbox.length,
    newest: () => Math.max(0, ...segments().map(({ doc }) => (readSegmentMeta(doc)?.firstSeq ?? 1) + doc.getArray(LOG).length - 1)),
    replicas: () => replicas,
  };
}
