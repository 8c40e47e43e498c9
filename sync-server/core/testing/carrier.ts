import { type ChannelFrame, INBOX_CHANNEL, decodeChannelFrame, encodeChannelFrame } from '../../../shared/channels.ts';
import { type InboxAnswer, type InboxRequest, decodeInboxAnswer, encodeInbox } from '../../../shared/inbox.ts';
import type { Uuid } from '../../../shared/ids.ts';
import type { Node } from '../node.ts';
import type { Session } from '../session/session.ts';
import { type FakeSocket, fakeSocket } from './fake-socket.ts';

/** A hand-driven client on the shared socket: everything that it was sent. */
export interface Carrier {
  readonly session: Session;
  readonly frames: ChannelFrame[];
  readonly closed: { code: number; reason: string } | null;
  readonly socket: FakeSocket;
  send(frame: ChannelFrame): void;
  say(request: InboxRequest): void;
  /** What the inbox said, in order. */
  inbox(): InboxAnswer[];
  /** What came on one channel: its ops in order. */
  ops(channel: number): string[];
}

export function makeCarrier(node: Node, userId: Uuid, { sid = 'sid', expiresAt = Infinity } = {}): Carrier {
  const frames: ChannelFrame[] = [];
  let closed: Carrier['closed'] = null;
  const socket = fakeSocket({
    send: (bytes) => void frames.push(decodeChannelFrame(bytes)!),
    close: (code, reason) => void (closed ??= { code, reason }),
  });
  const carrier: Carrier = {
    session: node.openChannels({ userId, sid, expiresAt: Math.min(expiresAt, Number.MAX_SAFE_INTEGER), socket }),
    frames,
    get closed() {
      return closed;
    },
    socket,
    send: (frame) => carrier.session.receive(encodeChannelFrame(frame)),
    say: (request) => carrier.send({ op: 'data', channel: INBOX_CHANNEL, payload: encodeInbox(request) }),
    inbox: () =>
      carrier.frames.flatMap((frame) =>
        frame.channel === INBOX_CHANNEL && frame.op === 'data' ? [decodeInboxAnswer(frame.payload)!] : [],
      ),
    ops: (channel) => carrier.frames.filter((frame) => frame.channel === channel).map(({ op }) => op),
  };
  return carrier;
}
