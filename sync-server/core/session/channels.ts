import { INBOX_CHANNEL, type ChannelFrame, decodeChannelFrame, encodeChannelFrame } from '../../../shared/channels.ts';
import type { Clock } from '../../../shared/clock.ts';
import { CLOSE, type CloseName } from '../../../shared/close-codes.ts';
import { parseDocumentId } from '../../../shared/ids.ts';
import { LIMITS, RATES } from '../../../shared/limits.ts';
import type { Inbox, InboxWay } from './inbox.ts';
import { makeBucket } from './limiter.ts';
import type { Socket } from '../ports.ts';
import type { Session, Visit } from './session.ts';
import { watchReader } from './slow-reader.ts';

/** Who opens the shared socket. `expiresAt` in milliseconds. */
export type ChannelsVisit = Pick<Visit, 'userId' | 'sid' | 'socket'> & { expiresAt: number };

/**
 * The server's side of one socket with many documents (W9 to W11): each channel is a session of its own over a socket within the socket,
 * with its own limits and end; channel 0 is the inbox. The socket's own end (a bad frame, sign-out, expiry) is the end of them all.
 */
export function openChannels(
  deps: {
    clock: Clock;
    /** Opens the session of one channel. */
    open(visit: Visit): Session;
    openInbox(way: InboxWay): Inbox;
    /** Called once, when the connection has ended. */
    onEnd(session: Session): void;
  },
  { userId, sid, expiresAt, socket: raw }: ChannelsVisit,
): Session {
  const { clock } = deps;
  const socket = watchReader(raw, clock, () => end('tryLater', 'too slow'));
  const channels = new Map<number, Session>();
  /** Channels on which more waits than is to be read. */
  const paused = new Set<number>();
  const opens = makeBucket(RATES.opens);
  const inbox = deps.openInbox({
    userId,
    send: sendInbox,
    isFull: () => socket.buffered() > LIMITS.unsentLive,
    drained: socket.drained,
    end,
  });
  const session: Session = { userId, sid, receive, closed: finish, end, extend };
  let lastChannel = INBOX_CHANNEL;
  let ended = false;
  let stopExpiry = clock.after(expiresAt - clock.now(), expire);

  function receive(bytes: Uint8Array): void {
    if (ended) return;
    const frame = decodeChannelFrame(bytes);
    if (!frame || !take(frame)) end('refused', 'malformed');
  }

  /** False: a frame that no honest client sends. One for a channel that was closed meanwhile is late, and dropped. */
  function take(frame: ChannelFrame): boolean {
    const { channel } = frame;
    switch (frame.op) {
      case 'open':
        if (channel <= lastChannel) return false;
        lastChannel = channel;
        openChannel(channel, frame.documentId);
        return true;
      case 'data':
        if (channel > lastChannel) return false;
        if (channel === INBOX_CHANNEL) inbox.receive(frame.payload);
        else channels.get(channel)?.receive(frame.payload);
        return true;
      case 'close':
        if (channel > lastChannel || channel === INBOX_CHANNEL) return false;
        channels.get(channel)?.closed();
        channels.delete(channel);
        return true;
      case 'opened':
        return false;
    }
  }

  function openChannel(channel: number, documentId: string): void {
    if (channels.size >= LIMITS.channels || opens.take(clock.elapsed()) > 0)
      return closeChannel(channel, CLOSE.tryLater.code, 'too many documents');
    const name = parseDocumentId(documentId);
    if (!name) return closeChannel(channel, CLOSE.notFound.code, CLOSE.notFound.means);
    channels.set(channel, deps.open({ userId, sid, expiresAt: null, name, acks: true, socket: within(channel) }));
  }

  /** The socket of one channel. It says that it is open with the first message: nothing comes before rights were looked at. */
  function within(channel: number): Socket {
    let opened = false;
    return {
      send(payload) {
        if (!opened) socket.send(encodeChannelFrame({ op: 'opened', channel }));
        opened = true;
        socket.send(encodeChannelFrame({ op: 'data', channel, payload }));
      },
      close: (code, reason) => closeChannel(channel, code, reason),
      buffered: socket.buffered,
      drained: socket.drained,
      pause() {
        paused.add(channel);
        socket.pause();
      },
      resume: () => resume(channel),
    };
  }

  function resume(channel: number): void {
    paused.delete(channel);
    if (paused.size === 0) socket.resume();
  }

  function closeChannel(channel: number, code: number, reason: string): void {
    channels.delete(channel);
    if (!ended) socket.send(encodeChannelFrame({ op: 'close', channel, code, reason }));
  }

  function sendInbox(payload: Uint8Array): void {
    if (!ended) socket.send(encodeChannelFrame({ op: 'data', channel: INBOX_CHANNEL, payload }));
  }

  function expire(): void {
    end('expired');
  }

  function extend(until: number): void {
    stopExpiry();
    if (!ended) stopExpiry = clock.after(until - clock.now(), expire);
  }

  function end(close: CloseName, reason?: string): void {
    if (ended) return;
    const { code, means } = CLOSE[close];
    finish();
    socket.close(code, reason ?? means);
  }

  function finish(): void {
    if (ended) return;
    ended = true;
    stopExpiry();
    inbox.stop();
    for (const channel of channels.values()) channel.closed();
    channels.clear();
    deps.onEnd(session);
  }

  return session;
}
