import type { Conversation, Me } from '../../shared/api.ts';
import type { Clock, RandomBytes } from '../../shared/clock.ts';
import type { Uuid } from '../../shared/ids.ts';
import { type Api, ApiError } from './api.ts';
import type { AnswerEntry, BlockEntry, Entry, OpenEntry, ReadEntry } from './outbox/entry.ts';
import type { Outbox } from './outbox/outbox.ts';
import { backOffMs } from './wire/back-off.ts';

interface Options {
  me: Pick<Me, 'id'>;
  outbox: Outbox;
  api: Pick<Api, 'openDirect' | 'markRead' | 'accept' | 'hide' | 'removeMember' | 'setBlocked'>;
  clock: Clock;
  random: RandomBytes;
  /** Whether it is this tab that moves an entry. */
  moves: (entry: Entry) => boolean;
  /** The server answers. */
  isReachable: () => boolean;
  /** A conversation's row of now. */
  row: (id: Uuid) => Conversation | undefined;
  /** The answer about a row, as it was when this was asked: the row as the server has it, or null where it left the list. */
  onAnswered: (before: Conversation, now: Conversation | null) => void;
  /** The server has taken a block, or its end: settles when this device knows whom this person has blocked. */
  onBlocked: () => Promise<void>;
}

/** Reading on makes one request, not one for each message. */
const READ_PAUSE_MS = 1_000;

/** Neither the network nor the moment is at fault: it will never be taken. */
const isFinal = (error: unknown): boolean =>
  error instanceof ApiError && error.status >= 400 && error.status < 500 && ![401, 408, 425, 429].includes(error.status);

/** Without a word to say: what it was about is settled otherwise, such as by a deleted account. */
const isForgotten = ({ kind }: Entry): boolean => kind !== 'open';

/** Moves the entries that go over HTTP: opened conversations, read positions, answers to requests, blocks. One after another of a kind is not needed: each is idempotent. */
export function openRequestMover(options: Options): { move: () => void; close: () => void } {
  const { me, outbox, api, clock, random, moves, isReachable, row, onAnswered, onBlocked } = options;
  const busy = new Set<string>();
  let failures = 0;
  let closed = false;
  /** Ends the wait after a failure; null: there is none. */
  let cancelWait: (() => void) | null = null;

  /** Asks for what changes a row. */
  async function ask(id: Uuid, request: Promise<Conversation | null>): Promise<void> {
    const before = row(id);
    const now = await request;
    if (before) onAnswered(before, now);
  }

  async function open(entry: OpenEntry): Promise<void> {
    await ask(entry.conversationId, api.openDirect(entry.userId));
    outbox.done([entry]);
  }

  async function read(entry: ReadEntry): Promise<void> {
    await new Promise<void>((resolve) => void clock.after(READ_PAUSE_MS, resolve));
    const now = outbox.get(entry.id);
    if (now?.kind !== 'read') return;
    await api.markRead(now.conversationId, now.seq);
    outbox.done([now]);
  }

  async function answer(entry: AnswerEntry): Promise<void> {
    await ask(entry.conversationId, entry.answer === 'accept' ? api.accept(entry.conversationId) : leave(entry));
    outbox.done([entry]);
  }

  async function leave({ answer, conversationId }: AnswerEntry): Promise<null> {
    await (answer === 'hide' ? api.hide(conversationId) : api.removeMember(conversationId, me.id));
    return null;
  }

  async function block(entry: BlockEntry): Promise<void> {
    await api.setBlocked(entry.userId, entry.isBlocked);
    await onBlocked();
    outbox.done([entry]);
  }

  async function run(entry: Entry, request: Promise<void>): Promise<void> {
    busy.add(entry.id);
    try {
      await request;
      failures = 0;
    } catch (error) {
      if (!isFinal(error)) {
        // What failed for now waits for this, not for the next change of anything.
        cancelWait?.();
        cancelWait = clock.after(backOffMs(++failures, random), () => {
          cancelWait = null;
          move();
        });
      } else if (isForgotten(entry)) outbox.done([entry]);
      else outbox.fail([entry.id], 'refused');
      if (!(error instanceof ApiError)) throw error;
    } finally {
      busy.delete(entry.id);
    }
    // It may have been changed while it was on its way.
    move();
  }

  function move(): void {
    if (closed || !isReachable() || cancelWait) return;
    for (const entry of outbox.entries()) {
      if (entry.state.kind !== 'waiting' || busy.has(entry.id) || !moves(entry)) continue;
      if (entry.kind === 'open') void run(entry, open(entry));
      else if (entry.kind === 'read') void run(entry, read(entry));
      else if (entry.kind === 'answer') void run(entry, answer(entry));
      else if (entry.kind === 'block') void run(entry, block(entry));
    }
  }

  const endWatch = outbox.subscribe(move);
  return {
    move,
    close() {
      closed = true;
      endWatch();
      cancelWait?.();
    },
  };
}
