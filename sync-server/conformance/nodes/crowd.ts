import * as decoding from 'lib0/decoding';
import { WebSocket } from 'ws';
import * as Y from 'yjs';
import { decodeChannelFrame, encodeChannelFrame } from '../../../shared/channels.ts';
import type { MessageId, Uuid } from '../../../shared/ids.ts';
import { MESSAGE, decodeAck, decodeTold, encodeUpdate } from '../../../shared/protocol.ts';
import { SUB_PROTOCOL } from '../../../shared/protocol-version.ts';
import { addMessage } from '../../../shared/segment.ts';
import { newId, updateOf } from '../frames.ts';
import type { Ledger } from '../ledger.ts';

/** Very many who write at once, each over a socket of their own, one message after the other; they read nothing but what became of theirs. */
export interface Crowd {
  sent(): number;
  waiting(): number;
  /** Messages that were told `closed` and set again in the next segment. */
  moved(): number;
  /** Sockets and channels that were closed: there must be none. */
  refused(): string[];
  /** No further message is begun. */
  stop(): void;
  close(): void;
}

interface Member {
  id: Uuid;
  handle: string;
  token: string;
}

/** Each of `size` writers is one of the people, on one of the nodes. */
export function openCrowd(deps: {
  size: number;
  nodes: readonly { syncUrl: string }[];
  people: readonly Member[];
  conversationId: Uuid;
  ledger: Ledger;
}): Crowd {
  const { size, nodes, people, conversationId, ledger } = deps;
  const refused: string[] = [];
  const sockets: WebSocket[] = [];
  let stopped = false;
  let sent = 0;
  let waiting = 0;
  let moved = 0;

  function openWriter(name: string, person: Member, syncUrl: string): void {
    const socket = new WebSocket(syncUrl, [SUB_PROTOCOL], { headers: { authorization: `Bearer ${person.token}` } });
    sockets.push(socket);
    let doc = new Y.Doc();
    /** Segment n is channel n. */
    let n = 0;
    let count = 0;
    let entry: { id: MessageId; body: string; clock: number } | null = null;

    const say = (frame: Parameters<typeof encodeChannelFrame>[0]): void => {
      if (socket.readyState === WebSocket.OPEN) socket.send(encodeChannelFrame(frame));
    };

    function openNext(): void {
      if (n > 0) say({ op: 'close', channel: n, code: 1000, reason: '' });
      doc = new Y.Doc();
      say({ op: 'open', channel: ++n, documentId: `${conversationId}/${n}` });
    }

    function begin(): void {
      if (stopped) return;
      entry = { id: newId(), body: `${name} says ${count++}`, clock: 0 };
      waiting++;
      ledger.written({ id: entry.id, conversationId, writer: name, body: entry.body });
      set();
    }

    function set(): void {
      if (!entry) return begin();
      const { id, body } = entry;
      entry.clock = Y.getState(doc.store, doc.clientID);
      const update = updateOf((target) => addMessage(target, person.id, id, [body, null, null]), doc);
      say({ op: 'data', channel: n, payload: encodeUpdate(update) });
    }

    function hear(payload: Uint8Array): void {
      const decoder = decoding.createDecoder(payload);
      const type = decoding.readVarUint(decoder);
      if (type === MESSAGE.told) {
        if (!decodeTold(decoder).some(({ client, clock }) => client === doc.clientID && clock === entry?.clock)) return;
        moved++;
        openNext();
      } else if (type === MESSAGE.ack && entry) {
        const { id, clock } = entry;
        if (!decodeAck(decoder).some(([client, next]) => client === doc.clientID && next > clock)) return;
        ledger.acknowledged(id);
        entry = null;
        sent++;
        waiting--;
        begin();
      }
    }

    socket.on('open', openNext);
    socket.on('message', (bytes: Buffer) => {
      const frame = decodeChannelFrame(new Uint8Array(bytes));
      if (!frame || frame.channel !== n) return;
      if (frame.op === 'opened') set();
      else if (frame.op === 'data') hear(frame.payload);
      else if (frame.op === 'close') refused.push(`${name} on segment ${n}: ${frame.code} ${frame.reason}`);
    });
    socket.on('close', (code, reason) => refused.push(`${name}: ${code} ${reason.toString()}`));
    socket.on('error', () => {});
  }

  for (let i = 0; i < size; i++) {
    const person = people[i % people.length]!;
    openWriter(`${person.handle} ${i}`, person, nodes[i % nodes.length]!.syncUrl);
  }
  return {
    sent: () => sent,
    waiting: () => waiting,
    moved: () => moved,
    refused: () => refused,
    stop: () => void (stopped = true),
    close() {
      for (const socket of sockets) socket.removeAllListeners('close').terminate();
    },
  };
}
