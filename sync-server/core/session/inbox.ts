import type { Clock } from '../../../shared/clock.ts';
import type { CloseName } from '../../../shared/close-codes.ts';
import type { Uuid } from '../../../shared/ids.ts';
import {
  type InboxAnswer,
  type InboxChanges,
  type InboxRequest,
  type Restored,
  decodeInboxRequest,
  encodeInbox,
} from '../../../shared/inbox.ts';
import { KEEP_ALIVE_MS, LIMITS, RATES } from '../../../shared/limits.ts';
import { OLDEST_VERSION, PROTOCOL_VERSION } from '../../../shared/protocol-version.ts';
import type { InboxSource, Logger, Membership } from '../ports.ts';
import type { Allowances } from './allowances.ts';
import { makeBucket } from './limiter.ts';

/**
 * One connection's inbox (I1 to I6).
 *
 *   silent ── hello ──► watching ⇄ reading ──► stopped      woken while it reads, it reads once more
 *
 * Hints only wake it; what it tells it has read from `InboxSource`, from its cursor on. So catch-up and live are one way, without a gap
 * between them, and a lost hint costs time only.
 */
export interface Inbox {
  /** A payload of channel 0. Bad ones end the connection; it never throws. */
  receive(payload: Uint8Array): void;
  /** Something may have changed. */
  wake(): void;
  stop(): void;
}

/** Rows in one message; the messages of one read but the last have no cursor. */
const ROWS = 50;
/** A failed read is tried again after this. */
const RETRY_MS = 1_000;
/** Deliveries are stored at most this often (I5). */
const DELIVERED_MS = 1_000;
/** Conversations whose delivery one connection may have waiting. */
const DELIVERED_WAITING = 4_096;
const GONE = 'gone';

/** Whose inbox it is, and the way to them. */
export interface InboxWay {
  userId: Uuid;
  send(payload: Uint8Array): void;
  /** The reader has not read what it was sent (W7): then nothing is told until it `drained`. */
  isFull(): boolean;
  drained(then: () => void): () => void;
  end(close: CloseName, reason?: string): void;
}

export interface InboxDeps extends InboxWay {
  source: InboxSource;
  /** The last backup that the database went back to. */
  restored?: Restored | null;
  /** The first read may be the whole list, and counts as an answer (W13). */
  allowances: Pick<Allowances, 'question' | 'answered'>;
  membership: Membership;
  clock: Clock;
  logger: Logger;
  /** It said hello: from now on it is to be woken. Answers the way to stop that. */
  watch(inbox: Inbox): () => void;
  /** What this person's devices have stored moved on. */
  announce(conversationId: Uuid, userId: Uuid): void;
}

export function openInbox(deps: InboxDeps): Inbox {
  const { userId, source, membership, allowances, clock, logger } = deps;
  const inbox: Inbox = { receive, wake, stop };
  const messages = makeBucket(RATES.inbox);
  let phase: 'silent' | 'watching' | 'reading' | 'stopped' = 'silent';
  let again = false;
  let isFirst = true;
  let saidAt = 0;
  let cursor: string | null = null;
  /** What the last read told, by id: near the cursor the same comes again. */
  let told = new Map<Uuid, string>();
  let waiting = new Map<Uuid, number>();
  let unwatch = (): void => {};
  let stopTurn = (): void => {};
  let stopStore: (() => void) | null = null;

  function receive(payload: Uint8Array): void {
    if (isStopped()) return;
    if (payload.byteLength > LIMITS.frame) return deps.end('tooLarge');
    if (messages.take(clock.elapsed()) > 0) return deps.end('tryLater', 'too fast');
    const request = decodeInboxRequest(payload);
    if (!request || 'hello' in request !== (phase === 'silent')) return deps.end('refused', 'malformed');
    if ('hello' in request) return greet(request.hello);
    for (const [conversationId, seq] of Object.entries(request.delivered)) keepDelivered(conversationId, seq);
    storeSoon();
  }

  function greet({ version, cursor: from }: Extract<InboxRequest, { hello: unknown }>['hello']): void {
    if (version < OLDEST_VERSION) return deps.end('tooOld');
    say({ hello: { version: PROTOCOL_VERSION, oldest: OLDEST_VERSION, ...(deps.restored ? { restored: deps.restored } : {}) } });
    // Whatever is said may be the end of a reader that is too slow (W7).
    if (isStopped()) return;
    cursor = from;
    phase = 'watching';
    unwatch = deps.watch(inbox);
    wake();
  }

  function wake(): void {
    again = true;
    if (phase === 'watching') void read();
  }

  async function read(): Promise<void> {
    stopTurn();
    if (deps.isFull()) {
      stopTurn = deps.drained(wake);
      return;
    }
    const wait = isFirst ? allowances.question(userId) : 0;
    if (wait > 0) {
      stopTurn = clock.after(wait, wake);
      return;
    }
    phase = 'reading';
    let found: InboxChanges | null;
    do {
      again = false;
      found = await source.changes(userId, cursor).catch(warn('an inbox could not be read'));
      if (isStopped()) return;
      if (found) await tell(found);
      if (isStopped()) return;
    } while (again && found);
    // A sign of life where nothing changed for a while, and a read for hints that were lost (I6).
    if (clock.elapsed() - saidAt >= KEEP_ALIVE_MS) say({ changed: [], gone: [], cursor });
    if (isStopped()) return;
    phase = 'watching';
    stopTurn = clock.after(found ? saidAt + KEEP_ALIVE_MS - clock.elapsed() : RETRY_MS, wake);
  }

  async function tell(found: InboxChanges): Promise<void> {
    const rows = new Map(found.changed.map((row): [Uuid, string] => [row.id, JSON.stringify(row)]));
    if (isFirst) for (const text of rows.values()) allowances.answered(userId, text.length);
    isFirst = false;
    const left = new Map(found.gone.map((id): [Uuid, string] => [id, GONE]));
    const changed = found.changed.filter(({ id }) => rows.get(id) !== told.get(id));
    const gone = found.gone.filter((id) => told.get(id) !== GONE);
    told = new Map([...rows, ...left]);
    cursor = found.cursor;
    while (changed.length > ROWS) {
      say({ changed: changed.splice(0, ROWS), gone: [], cursor: null });
      if (deps.isFull()) await new Promise<void>((resolve) => void (stopTurn = deps.drained(resolve)));
    }
    if (changed.length > 0 || gone.length > 0) say({ changed, gone, cursor });
  }

  function say(answer: InboxAnswer): void {
    saidAt = clock.elapsed();
    if (!isStopped()) deps.send(encodeInbox(answer));
  }

  const warn =
    (message: string) =>
    (error: unknown): null => {
      logger.warn({ userId, error: String(error) }, message);
      return null;
    };

  function storeSoon(): void {
    if (waiting.size > 0) stopStore ??= clock.after(0, () => void store());
  }

  /** One statement for all that waits; what comes meanwhile waits for the next second. */
  async function store(): Promise<void> {
    const seqs = waiting;
    waiting = new Map();
    const moved = await membership.setDelivered(userId, seqs).catch(warn('deliveries were not stored'));
    for (const conversationId of moved ?? []) deps.announce(conversationId, userId);
    if (!moved) for (const [conversationId, seq] of seqs) keepDelivered(conversationId, seq);
    if (isStopped()) return;
    stopStore = clock.after(DELIVERED_MS, () => {
      stopStore = null;
      storeSoon();
    });
  }

  function keepDelivered(conversationId: Uuid, seq: number): void {
    if (waiting.size < DELIVERED_WAITING || waiting.has(conversationId))
      waiting.set(conversationId, Math.max(seq, waiting.get(conversationId) ?? 0));
  }

  function isStopped(): boolean {
    return phase === 'stopped';
  }

  function stop(): void {
    phase = 'stopped';
    unwatch();
    stopTurn();
    stopStore?.();
  }

  return inbox;
}
