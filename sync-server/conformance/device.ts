import * as Y from 'yjs';
import { readRoot } from '../../shared/conversation.ts';
import type { MessageId, Uuid } from '../../shared/ids.ts';
import { SUB_PROTOCOL } from '../../shared/protocol-version.ts';
import { LOG, addMessage, laneName, readLogElement, readSegmentMeta } from '../../shared/segment.ts';
import { newId } from './frames.ts';
import type { Ledger } from './ledger.ts';
import type { Person } from './person.ts';
import { type Heard, type Replica, openReplica } from './replica.ts';
import type { Server } from './server-process.ts';

/** Somebody who writes, whatever happens to the server, and never gives up. */
export interface Writer {
  write(body: string): void;
  /** How many messages are sent, how many are not yet, and what was in the way of the first at last. */
  state(): { sent: number; waiting: number; because?: string };
  /** Connections that were closed for good: there must be none. */
  refused(): string[];
  close(): void;
}

interface Entry {
  number: number;
  id: MessageId;
  body: string;
  /** Where it was set, and as which struct. */
  set: { n: number; client: number; clock: number } | null;
}

interface Segment {
  n: number;
  replica: Replica;
  logged: Set<MessageId>;
}

/** Unacknowledged messages in a document at most. */
const WINDOW = 64;

/**
 * A conversation on a device: stock providers on its root and newest segments, with an outbox before them. Without `acks` it knows what
 * any stock client does: its message is sent when the log has it, and was not taken when its own lane has lost it.
 */
export function openDevice(
  server: Pick<Server, 'syncUrl'>,
  person: Person,
  conversationId: Uuid,
  ledger: Ledger,
  { acks = true }: { acks?: boolean } = {},
): Writer {
  const segments = new Map<number, Segment>();
  const refused: string[] = [];
  let outbox: Entry[] = [];
  let inFlight: Entry[] = [];
  const unacked = new Set<Entry>();
  let number = 0;
  let sent = 0;
  const root = openReplica(server, person, conversationId);
  root.doc.on('update', follow);
  watch(conversationId, root);

  function watch(documentId: string, { provider }: Replica): void {
    provider.on('closed', ({ code, reason }) => refused.push(`${person.handle} on ${documentId}: ${code} ${reason}`));
  }

  /** Opens the segment that takes new messages, and lets go of those in which nothing can happen any more. */
  function follow(): void {
    const state = readRoot(root.doc);
    if (!state) return;
    if (!segments.has(state.open)) openSegment(state.open);
    for (const [n, firstSeq] of state.segments) {
      const segment = segments.get(n - 1);
      const meta = segment && readSegmentMeta(segment.replica.doc);
      if (!segment || !meta || meta.firstSeq + segment.logged.size < firstSeq) continue;
      if ([...unacked, ...inFlight].some((entry) => entry.set?.n === n - 1)) continue;
      segment.replica.close();
      segments.delete(n - 1);
    }
  }

  function openSegment(n: number): void {
    const documentId = `${conversationId}/${n}`;
    const options = { protocols: acks ? [SUB_PROTOCOL] : [], onHeard: (heard: Heard) => hear(segment, heard) };
    const segment: Segment = { n, replica: openReplica(server, person, documentId, options), logged: new Set() };
    segments.set(n, segment);
    watch(documentId, segment.replica);
    segment.replica.doc.on('update', (_: Uint8Array, origin: unknown) => {
      // An own write comes by here before the next one is set.
      if (origin !== segment.replica.provider) return;
      note(segment);
      settle(segment);
      pump();
      follow();
    });
  }

  function note({ replica: { doc }, logged }: Segment): void {
    const meta = readSegmentMeta(doc);
    if (!meta) return;
    for (const element of doc.getArray(LOG).slice(logged.size)) {
      const { id } = readLogElement(element)!;
      ledger.shown(conversationId, id, meta.firstSeq + logged.size);
      logged.add(id);
    }
  }

  function hear({ n }: Segment, heard: Heard): void {
    const mine = [...unacked].flatMap((entry) => (entry.set?.n === n ? [{ entry, ...entry.set }] : []));
    if (heard.kind === 'told') {
      for (const { client, clock } of heard.entries)
        for (const one of mine) if (one.client === client && one.clock === clock) unacked.delete(one.entry);
    } else {
      for (const [client, next] of heard.committed)
        for (const one of mine) {
          if (one.client !== client || one.clock >= next) continue;
          unacked.delete(one.entry);
          ledger.acknowledged(one.entry.id);
        }
    }
  }

  /** What is in the log is sent; what became a tombstone is set again in the next segment. */
  function settle({ n, replica: { doc }, logged }: Segment): void {
    const lane = doc.getMap(laneName(person.id));
    const isThere = (entry: Entry): boolean => entry.set?.n === n;
    const back = inFlight.filter((entry) => isThere(entry) && !logged.has(entry.id) && !lane.has(entry.id));
    for (const entry of back) unacked.delete(entry);
    const before = inFlight.length;
    inFlight = inFlight.filter((entry) => !isThere(entry) || (!logged.has(entry.id) && lane.has(entry.id)));
    sent += before - back.length - inFlight.length;
    outbox = [...back, ...outbox].toSorted((a, b) => a.number - b.number);
  }

  function pump(): void {
    const open = segments.get(readRoot(root.doc)?.open ?? 0);
    if (!open || !readSegmentMeta(open.replica.doc) || inFlight.some((entry) => entry.set?.n !== open.n)) return;
    const { doc } = open.replica;
    for (const entry of outbox.splice(0, WINDOW - inFlight.length)) {
      entry.set = { n: open.n, client: doc.clientID, clock: Y.getState(doc.store, doc.clientID) };
      inFlight.push(entry);
      if (acks) unacked.add(entry);
      addMessage(doc, person.id, entry.id, [entry.body, null, null]);
    }
  }

  return {
    write(body) {
      const entry: Entry = { number: number++, id: newId(), body, set: null };
      ledger.written({ id: entry.id, conversationId, writer: person.handle, body });
      outbox.push(entry);
      pump();
    },
    state: () => ({ sent, waiting: outbox.length + inFlight.length }),
    refused: () => refused,
    close() {
      for (const { replica } of segments.values()) replica.close();
      root.close();
    },
  };
}
