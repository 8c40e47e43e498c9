import { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import type { Clock } from '../../shared/clock.ts';
import type { Neutralised } from '../../shared/close-codes.ts';
import { createRoot, openSegment } from '../../shared/conversation.ts';
import { type MessageId, type Uuid, formatDocumentId, messageTime } from '../../shared/ids.ts';
import { LOG, createSegment, laneName, readLog, readUnlogged } from '../../shared/segment.ts';
import { OWN_CHANGE, type OpenProvider, type ProviderEvents } from './provider.ts';

interface Line {
  me: Uuid;
  doc: Y.Doc;
  on: ProviderEvents;
  isUp: boolean;
}

/** What this process has begun without the network is through. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 8; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A server in memory whose network is a queue that the test flushes by hand. It logs what arrives, as the real one does, or says why not. */
export function makeTestServer(conversationId: Uuid, members: readonly Uuid[]) {
  const documents = new Map<string, Y.Doc>();
  const lines = new Set<Line & { documentId: string }>();
  const network: (() => void)[] = [];
  let judge = (_id: MessageId, _n: number): Neutralised | null => null;
  let sayTold = true;
  const sent: { documentId: string; bytes: number }[] = [];

  const documentOf = (id: string): Y.Doc => {
    const doc = documents.get(id) ?? new Y.Doc();
    documents.set(id, doc);
    return doc;
  };
  const segmentOf = (n: number): Y.Doc => documentOf(formatDocumentId({ kind: 'segment', conversationId, n }));
  const root = documentOf(conversationId);
  createRoot(root, {
    kind: 'direct',
    title: null,
    createdAt: 0,
    members: new Map(members.map((id) => [id, { role: 'member' as const, since: 0 }])),
  });
  createSegment(segmentOf(1), 1, 1);

  /** Everybody connected gets what the document holds; then the writer its words about it, and its ack. */
  function publish(documentId: string): void {
    const update = Y.encodeStateAsUpdate(documentOf(documentId));
    for (const line of lines)
      if (line.documentId === documentId)
        network.push(() => {
          if (!line.isUp) return;
          Y.applyUpdate(line.doc, update, line);
          line.on.committed([...Y.parseUpdateMeta(update).to]);
        });
  }

  function receive(line: Line & { documentId: string }, update: Uint8Array): void {
    if (!line.isUp) return;
    sent.push({ documentId: line.documentId, bytes: update.length });
    const doc = documentOf(line.documentId);
    const n = Number(line.documentId.split('/')[1]);
    const before = Y.getState(doc.store, line.doc.clientID);
    Y.applyUpdate(doc, update);
    const written = readUnlogged(doc, line.me).sort((a, b) => messageTime(a.id) - messageTime(b.id));
    written.forEach(({ id }, i) => {
      const code = judge(id, n);
      if (!code) return doc.getArray(LOG).push([id]);
      doc.getMap(laneName(line.me)).delete(id);
      if (sayTold) network.push(() => line.on.told([{ client: line.doc.clientID, clock: before + i, code }]));
    });
    publish(line.documentId);
    network.push(() => line.on.committed([[line.doc.clientID, Y.getState(doc.store, line.doc.clientID)]]));
  }

  function connect(line: Line & { documentId: string }): void {
    const doc = documentOf(line.documentId);
    network.push(() => {
      line.isUp = true;
      const vector = Y.encodeStateVector(doc);
      line.on.committed([...Y.decodeStateVector(vector)]);
      const lacking = Y.encodeStateAsUpdate(line.doc, vector);
      if (lacking.length > 2) network.push(() => receive(line, lacking));
      const step2 = Y.encodeStateAsUpdate(doc, Y.encodeStateVector(line.doc));
      Y.applyUpdate(line.doc, step2, line);
      line.on.synced();
      line.on.committed([...Y.parseUpdateMeta(step2).to]);
    });
  }

  return {
    sent,
    log: (n: number) => readLog(segmentOf(n)),
    judgeBy(rule: typeof judge, told = true) {
      judge = rule;
      sayTold = told;
    },
    /** Opens the next segment. */
    rollOver(n: number, firstSeq: number) {
      createSegment(segmentOf(n), n, firstSeq);
      openSegment(root, n, firstSeq);
      publish(conversationId);
    },
    /** Writes as somebody whose replica is elsewhere. */
    write(n: number, userId: Uuid, id: MessageId, body: string) {
      segmentOf(n).getMap(laneName(userId)).set(id, [body, null, null]);
      segmentOf(n).getArray(LOG).push([id]);
      publish(formatDocumentId({ kind: 'segment', conversationId, n }));
    },
    /** Delivers everything, and what comes of it. */
    async flush() {
      await settled();
      for (let task = network.shift(); task; task = network.shift()) {
        task();
        if (network.length === 0) await settled();
      }
    },
    /** Delivers one thing, if there is one. */
    async step() {
      await settled();
      network.shift()?.();
    },
    isIdle: () => network.length === 0,
    cut() {
      network.length = 0;
      for (const line of lines) {
        line.isUp = false;
        line.on.lost();
      }
    },
    heal() {
      lines.forEach(connect);
    },
    opened: () => [...lines].map(({ documentId }) => documentId),
    openProvider: (me: Uuid): OpenProvider => {
      return (documentId, doc, on) => {
        const awareness = new Awareness(doc);
        awareness.setLocalState(null);
        const line = { me, documentId, doc, on, isUp: false };
        lines.add(line);
        doc.on('update', (update: Uint8Array, origin: unknown) => {
          if (origin === OWN_CHANGE) network.push(() => receive(line, update));
        });
        return {
          awareness,
          connect: () => connect(line),
          close() {
            lines.delete(line);
            awareness.destroy();
          },
        };
      };
    },
  };
}

/** A clock that the test moves. */
export function makeTestClock(): Clock & { pass(ms: number): void; putBack(ms: number): void } {
  let now = 1_000_000;
  let off = 0;
  let timers: { at: number; task: () => void }[] = [];
  return {
    now: () => now - off,
    /** As when somebody sets the clock of the machine: what waits goes on waiting as long as it would have. */
    putBack: (ms) => void (off += ms),
    after(delayMs, task) {
      const timer = { at: now + delayMs, task };
      timers.push(timer);
      return () => void (timers = timers.filter((other) => other !== timer));
    },
    pass(ms) {
      const end = now + ms;
      for (;;) {
        const next = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        timers = timers.filter((other) => other !== next);
        now = next.at;
        next.task();
      }
      now = end;
    },
  };
}
