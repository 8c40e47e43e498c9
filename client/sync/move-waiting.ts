import type { MessageId, Uuid } from '../../shared/ids.ts';
import { type ChangeEntry, type Entry, type MessageEntry, type StructId, changeKey, messageKey } from './outbox/entry.ts';
import type { Outbox } from './outbox/outbox.ts';
import type { SegmentReplica } from './segment-replica.ts';

/** At most so much of one document is unacknowledged: a reconnect sends it all in one frame, and that has a limit (W6). */
const UNDECIDED_ENTRIES = 64;
const UNDECIDED_UNITS = 8_192;
/** So often the device is told that something may leave, before it leaves all the same. */
const CLAIM_TRIES = 3;

interface Options {
  id: Uuid;
  outbox: Outbox;
  moves: (entry: Entry) => boolean;
  segments: ReadonlyMap<number, SegmentReplica>;
  /** The segment that takes new messages, when root and segment are live. */
  open: SegmentReplica | null;
  /** Asks for a segment that is not open here. */
  want: (n: number) => void;
}

/** Moves one conversation's entries into its documents. */
export interface Mover {
  move: () => void;
  /** This segment does not take this message any more. */
  closed: (id: MessageId, n: number) => void;
}

const isWaiting = (entry: Entry): boolean => entry.state.kind === 'waiting';

type Settled = 'claims' | 'set' | 'settled' | 'waits';

/**
 * Moves what waits, in the order written and each once. A message leaves the outbox when it is in a log; another change when the server
 * holds it, whatever was written over it since. What a segment has not decided stays with it; what a closed one did not take is set again
 * in the next.
 */
export function makeMover(look: () => Options): Mover {
  /** The newest segment that told `closed` to a message. */
  const closedTo = new Map<MessageId, number>();
  /** The struct by which this tab has set a change. */
  const set = new Map<string, { segment: SegmentReplica; struct: StructId }>();
  const claiming = new Set<string>();

  function moveMessages({ outbox, moves, segments, open, id }: Options): void {
    const all = [...segments.values()];
    const ready: MessageEntry[] = [];
    const logged: MessageEntry[] = [];
    let units = 0;
    let count = 0;
    let isFull = open === null || outbox.status() === 'loading';
    for (const entry of outbox.of(id)) {
      if (entry.kind !== 'message' || !moves(entry)) continue;
      // What was never placed is in no log, and comes after what was.
      if (isFull && !entry.placed) break;
      if (all.some((segment) => segment.isLogged(entry.messageId))) logged.push(entry);
      else if (isWaiting(entry) && open) {
        const isUndecided = all.some((segment) => segment.isUndecided(entry.messageId));
        if (!isUndecided && open.n <= (closedTo.get(entry.messageId) ?? 0)) isFull = true;
        if (!isUndecided && (isFull || outbox.get(changeKey(entry.messageId))?.kind === 'delete')) continue;
        units += entry.value[0].length;
        count += 1;
        if (count > 1 && (count > UNDECIDED_ENTRIES || units > UNDECIDED_UNITS)) isFull = true;
        else if (!isUndecided) ready.push(entry);
      }
    }
    if (logged.length > 0) outbox.done(logged);
    // Placed in the outbox's eyes at once, and on the device only when the claim is answered.
    if (!open || ready.some(({ id: key }) => claiming.has(key))) return;
    const unclaimed = ready.filter(({ placed }) => !placed).map((entry) => entry.id);
    if (unclaimed.length > 0) claim(outbox, unclaimed, (claimed) => outbox.claim(unclaimed, claimed));
    else if (ready.length > 0) open.place(ready);
  }

  /** Moves on when the device knows that these may leave. What it cannot be told at once it is told again; one that never hears stands in nobody's way. */
  function claim(outbox: Outbox, keys: readonly string[], ask: (claimed: () => void) => void, tries = CLAIM_TRIES): void {
    for (const key of keys) claiming.add(key);
    ask(() => {
      const isLate = (key: string): boolean => outbox.get(key) !== undefined && !outbox.isKept(key) && !outbox.isOnlyHere(key);
      const late = tries > 1 ? keys.filter(isLate) : [];
      for (const key of keys) claiming.delete(key);
      if (late.length > 0) claim(outbox, late, (claimed) => outbox.claim(late, claimed), tries - 1);
      if (claiming.size === 0) move();
    });
  }

  function moveChanges({ outbox, moves, segments, open, id, want }: Options): void {
    const all = [...segments.values()];
    for (const key of set.keys()) if (!outbox.get(key)) set.delete(key);
    const inFlight = [...set.values()].filter(({ segment, struct }) => all.includes(segment) && !segment.isCommitted(struct)).length;
    let room = UNDECIDED_ENTRIES - inFlight - claiming.size;
    for (const entry of outbox.of(id)) {
      if ((entry.kind !== 'edit' && entry.kind !== 'delete') || !isWaiting(entry) || !moves(entry)) continue;
      const message = outbox.get(messageKey(entry.messageId));
      const home =
        all.find((segment) => segment.isLogged(entry.messageId)) ??
        (entry.kind === 'delete' && message
          ? (all.find((segment) => (segment.own(entry.messageId)?.value ?? null) !== null) ?? (set.has(entry.id) ? null : open))
          : null);
      const at = home ?? segments.get(entry.n ?? 0);
      if (at?.status().kind === 'ended') {
        // It stands before this person came back, and that part is closed to them.
        outbox.fail([entry.id], 'refused');
      } else if (!home) {
        // Absence proves nothing: the node may be behind.
        if (entry.n !== null) want(entry.n);
      } else if (home.status().kind === 'live') {
        const outcome = settle(entry, message, home, outbox);
        if ((outcome === 'set' || outcome === 'claims') && --room <= 0) return;
      }
    }
  }

  function settle(entry: ChangeEntry, message: Entry | undefined, home: SegmentReplica, outbox: Outbox): Settled {
    const own = home.own(entry.messageId);
    const isGone = home.isLogged(entry.messageId) && home.message(entry.messageId)?.body === null;
    const all = message ? [entry, message] : [entry];
    const done = (entries: readonly Entry[]): 'settled' => {
      set.delete(entry.id);
      outbox.done(entries);
      return 'settled';
    };
    if (entry.kind === 'delete') {
      if (own?.value === 0) return home.isCommitted(own) ? done(all) : 'waits';
      if (isGone) return done(all);
      home.remove(entry.messageId);
    } else {
      if (isGone) {
        outbox.fail([entry.id], 'gone');
        return 'settled';
      }
      if (!own || !own.value) return 'waits';
      if (own.value[0] === entry.body) return home.isCommitted(own) ? done([entry]) : 'waits';
      const before = entry.left ? home.setBy(entry.messageId, entry.left) : null;
      // Another device has written over it.
      if (before) return home.isCommitted(before) ? done([entry]) : 'waits';
      const next = home.next();
      if (claiming.has(entry.id)) return 'waits';
      if (entry.left?.client !== next.client) {
        // First the device knows by which struct it goes: after any end of this tab it can be told whether it arrived.
        claim(outbox, [entry.id], (claimed) => outbox.leave(entry, next, claimed));
        return 'claims';
      }
      home.edit(entry.messageId, entry.body, entry.at);
    }
    const struct = home.own(entry.messageId);
    if (struct) set.set(entry.id, { segment: home, struct });
    return 'set';
  }

  function move(): void {
    moveMessages(look());
    const options = look();
    if (options.open && options.outbox.status() !== 'loading') moveChanges(options);
  }

  return {
    move,
    closed: (id, n) => void closedTo.set(id, Math.max(n, closedTo.get(id) ?? 0)),
  };
}
