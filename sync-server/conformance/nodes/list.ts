import { WebSocket } from 'ws';
import type { Conversation } from '../../../shared/api.ts';
import { INBOX_CHANNEL, decodeChannelFrame, encodeChannelFrame } from '../../../shared/channels.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { decodeInboxAnswer, encodeInbox } from '../../../shared/inbox.ts';
import { PROTOCOL_VERSION, SUB_PROTOCOL } from '../../../shared/protocol-version.ts';

/** Somebody's conversation list, kept by the inbox (I1, I2). */
export interface List {
  get(conversationId: Uuid): Conversation | undefined;
  /** This device has stored so far. */
  report(delivered: Record<Uuid, number>): void;
  /** The code with which the socket was closed. */
  closed(): number | null;
  close(): void;
}

export function openList({ syncUrl }: { syncUrl: string }, { token }: { token: string }): List {
  const rows = new Map<Uuid, Conversation>();
  let closed: number | null = null;
  const socket = new WebSocket(syncUrl, [SUB_PROTOCOL], { headers: { authorization: `Bearer ${token}` } });
  const say = (payload: Uint8Array): void => socket.send(encodeChannelFrame({ op: 'data', channel: INBOX_CHANNEL, payload }));
  socket.on('open', () => say(encodeInbox({ hello: { version: PROTOCOL_VERSION, cursor: null } })));
  socket.on('message', (bytes: Buffer) => {
    const frame = decodeChannelFrame(new Uint8Array(bytes));
    const answer = frame?.op === 'data' && frame.channel === INBOX_CHANNEL ? decodeInboxAnswer(frame.payload) : null;
    if (!answer || 'hello' in answer) return;
    for (const id of answer.gone) rows.delete(id);
    for (const row of answer.changed) rows.set(row.id, row);
  });
  socket.on('close', (code) => void (closed = code));
  socket.on('error', () => {});
  return {
    get: (conversationId) => rows.get(conversationId),
    report: (delivered) => say(encodeInbox({ delivered })),
    closed: () => closed,
    close: () => socket.terminate(),
  };
}
