import { type ChannelFrame, INBOX_CHANNEL } from '../../../shared/channels.ts';
import type { Clock, RandomBytes } from '../../../shared/clock.ts';
import { CLOSE, decodeSpread } from '../../../shared/close-codes.ts';
import { type InboxAnswer, type InboxRequest, decodeInboxAnswer, encodeInbox } from '../../../shared/inbox.ts';
import { PROTOCOL_VERSION } from '../../../shared/protocol-version.ts';
import type { Renewal } from '../api.ts';
import { backOffMs } from './back-off.ts';
import { type Exchange, type Poll, pollDocument } from './exchange.ts';
import { ABNORMAL, type Line, openLine } from './line.ts';
import { type VirtualSocket, makeSocketFor } from './virtual-socket.ts';

/** `http`: no WebSocket gets through, but answers do. `ended`: there is no coming back without a new session or a new app. */
export type ConnectionState = 'offline' | 'connecting' | 'open' | 'http' | 'ended';

/** The browser's one way to the server, over which every document and the inbox go. */
export interface Connection {
  state: () => ConnectionState;
  socketFor: (documentId: string, step1: () => Uint8Array) => typeof WebSocket;
  /** Tells the inbox something; false while there is no line. */
  tell: (request: InboxRequest) => boolean;
  /** The browser's word about the network. */
  setOnline: (isOnline: boolean) => void;
  /** Somebody is looking, or asks for it: tries now. */
  wake: () => void;
  subscribe: (listener: () => void) => () => void;
  close: () => void;
}

export interface ConnectionDeps {
  /** `ws://host/api/sync` */
  url: string;
  WebSocket: typeof WebSocket;
  exchange: Exchange;
  renew: () => Promise<Renewal>;
  clock: Clock;
  random: RandomBytes;
  isOnline: boolean;
  /** Where the list stands; null: there is none. */
  cursor: () => string | null;
  onInbox: (answer: InboxAnswer) => void;
  /** Over HTTP the inbox is asked for; whether that was answered. */
  pollInbox: () => Promise<boolean>;
  /** Signed out, or too old. */
  onEnded: (code: number) => void;
}

/** After so many dials that never got through it is tried over HTTP. */
const FAILED_DIALS = 3;
/** Over HTTP a socket is tried again this often, and the inbox is asked for. */
const DIAL_AGAIN_MS = 30_000;
const POLL_INBOX_MS = 5_000;

/** Opens the connection: one socket, which comes back by itself with full jitter, and HTTP where no socket gets through. */
export function openConnection(deps: ConnectionDeps): Connection {
  const { clock, random } = deps;
  const listeners = new Set<() => void>();
  const sockets = new Set<VirtualSocket>();
  /** Of the present line. */
  let byChannel = new Map<number, VirtualSocket>();
  let channelOf = new Map<VirtualSocket, number>();
  const polls = new Map<VirtualSocket, Poll>();
  let line: Line | null = null;
  let isOnline = deps.isOnline;
  let overHttp = false;
  let failures = 0;
  /** Within which time the server wants everybody back, until it has served us again. */
  let spreadMs = 0;
  let failedDials = 0;
  let ended = false;
  let told: ConnectionState = 'connecting';
  let cancelDial = (): void => {};
  let cancelInbox = (): void => {};

  function state(): ConnectionState {
    if (ended) return 'ended';
    if (line?.isOpen()) return 'open';
    if (!isOnline) return 'offline';
    return overHttp ? 'http' : 'connecting';
  }

  function notify(): void {
    if (told === state()) return;
    told = state();
    for (const listener of listeners) listener();
  }

  function dial(): void {
    cancelDial();
    if (line || ended || !isOnline) return;
    line = openLine({ ...deps, onOpen, ask, onFrame, onClosed });
  }

  function dialIn(delayMs: number): void {
    cancelDial();
    if (!ended && isOnline) cancelDial = clock.after(delayMs, dial);
  }

  function onOpen(): void {
    failedDials = 0;
    leaveHttp();
    tell({ hello: { version: PROTOCOL_VERSION, cursor: deps.cursor() } });
    for (const socket of sockets) openChannel(socket);
    notify();
  }

  function openChannel(socket: VirtualSocket): void {
    const channel = nextChannel();
    byChannel.set(channel, socket);
    channelOf.set(socket, channel);
    line?.send({ op: 'open', channel, documentId: socket.documentId });
  }
  /** Opens what is no document: the end of that channel comes at once, wherever the server's rooms and database are (W9, D1). */
  function ask(): number {
    const channel = nextChannel();
    line?.send({ op: 'open', channel, documentId: '' });
    return channel;
  }
  let lastChannel = INBOX_CHANNEL;
  const nextChannel = (): number => ++lastChannel;

  function onFrame(frame: ChannelFrame): void {
    if (frame.channel === INBOX_CHANNEL) {
      const answer = frame.op === 'data' ? decodeInboxAnswer(frame.payload) : null;
      // It has served us: a server that accepts and closes at once is waited for like one that does not answer.
      if (answer) failures = spreadMs = 0;
      if (answer) deps.onInbox(answer);
      return;
    }
    // Late frames of a channel that was closed name nobody.
    const socket = byChannel.get(frame.channel);
    if (!socket) return;
    if (frame.op === 'opened') socket.opened();
    else if (frame.op === 'data') socket.received(frame.payload);
    else if (frame.op === 'close') {
      forget(socket);
      socket.closed(frame.code, frame.reason);
    }
  }

  function forget(socket: VirtualSocket): number | undefined {
    const channel = channelOf.get(socket);
    sockets.delete(socket);
    channelOf.delete(socket);
    if (channel !== undefined) byChannel.delete(channel);
    return channel;
  }

  /** Those that had a channel end; their providers make new ones, which wait for the next line. */
  function endChannels(): void {
    const had = [...channelOf.keys()];
    byChannel = new Map();
    channelOf = new Map();
    lastChannel = INBOX_CHANNEL;
    for (const socket of had) {
      if (!socket.isOpen()) continue;
      sockets.delete(socket);
      socket.closed(ABNORMAL, '');
    }
  }

  function onClosed(code: number, reason: string, wasOpen: boolean): void {
    line = null;
    endChannels();
    if (!wasOpen) failedDials += 1;
    if (code === CLOSE.restart.code) spreadMs = decodeSpread(reason);
    if (code === CLOSE.expired.code) void renewAndDial();
    else if (code >= 4400 && code <= 4499 && code !== CLOSE.refused.code && code !== CLOSE.tooLarge.code) end(code);
    else if (overHttp) dialIn(DIAL_AGAIN_MS);
    else dialIn(backOffMs(failures++, random, spreadMs));
    if (failedDials >= FAILED_DIALS && isOnline) void enterHttp();
    notify();
  }

  async function renewAndDial(): Promise<void> {
    const renewal = await deps.renew();
    if (renewal === 'signed-out') end(CLOSE.unauthorized.code);
    else dialIn(renewal === 'renewed' ? 0 : backOffMs(failures++, random));
  }

  function end(code: number): void {
    if (ended) return;
    ended = true;
    hangUp();
    leaveHttp();
    deps.onEnded(code);
    notify();
  }

  function hangUp(): void {
    cancelDial();
    line?.close();
    line = null;
    endChannels();
  }

  async function enterHttp(): Promise<void> {
    if (overHttp || ended || !(await deps.pollInbox())) return;
    if (overHttp || ended || line?.isOpen() || !isOnline) return;
    overHttp = true;
    for (const socket of sockets) poll(socket);
    cancelInbox = clock.after(POLL_INBOX_MS, () => void askInbox());
    dialIn(DIAL_AGAIN_MS);
    notify();
  }

  async function askInbox(): Promise<void> {
    const isReached = await deps.pollInbox();
    if (!overHttp) return;
    if (isReached) cancelInbox = clock.after(POLL_INBOX_MS, () => void askInbox());
    else giveUpHttp();
  }

  function poll(socket: VirtualSocket): void {
    polls.set(socket, pollDocument({ ...deps, socket, onReached: (isReached) => isReached || giveUpHttp() }));
  }

  function leaveHttp(): void {
    overHttp = false;
    cancelInbox();
    const carried = [...polls];
    polls.clear();
    for (const [socket, { stop }] of carried) {
      stop();
      if (!socket.isOpen()) continue;
      sockets.delete(socket);
      socket.closed(ABNORMAL, '');
    }
  }

  /** Nothing answers any more: it is tried by socket again, and over HTTP only after that has failed. */
  function giveUpHttp(): void {
    if (!overHttp) return;
    failedDials = 0;
    leaveHttp();
    dialIn(backOffMs(failures++, random));
    notify();
  }

  function tell(request: InboxRequest): boolean {
    if (!line?.isOpen()) return false;
    line.send({ op: 'data', channel: INBOX_CHANNEL, payload: encodeInbox(request) });
    return true;
  }

  dialIn(0);

  return {
    state,
    tell,
    socketFor: makeSocketFor({
      add(socket) {
        sockets.add(socket);
        if (line?.isOpen()) openChannel(socket);
        else if (overHttp) poll(socket);
      },
      send(socket, message) {
        const channel = channelOf.get(socket);
        if (channel !== undefined) line?.send({ op: 'data', channel, payload: message });
        else polls.get(socket)?.send(message);
      },
      remove(socket) {
        const channel = forget(socket);
        if (channel !== undefined) line?.send({ op: 'close', channel, code: 1000, reason: '' });
        polls.get(socket)?.stop();
        polls.delete(socket);
      },
    }),
    setOnline(next) {
      if (next === isOnline) return;
      isOnline = next;
      failures = failedDials = 0;
      if (isOnline) dialIn(0);
      else {
        // The browser keeps a socket open through a break and says nothing of it.
        hangUp();
        leaveHttp();
      }
      notify();
    },
    wake() {
      line?.check();
      failures = 0;
      for (const one of polls.values()) one.now();
      if (!line) dialIn(0);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      ended = true;
      hangUp();
      leaveHttp();
      listeners.clear();
    },
  };
}
