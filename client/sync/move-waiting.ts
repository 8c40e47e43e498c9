import type { MessageId, Uuid } from '../../shared/ids.ts';
import { readMessageValue } from '../../shared/segment.ts';
import { makeClaims } from './claims.ts';
import { type Entry, type FollowingEntry, type MessageEntry, type StructId, changeKey, messageKey } from './outbox/entry.ts';
import type { LoggedMessage } from './outbox/following.ts';
import type { Outbox } from './outbox/outbox.ts';
import type { SegmentReplica } from './segment-replica.ts';
import { stepOf } from './settle-following.ts';
import { makeSuspicion } from './suspicion.ts';

/** At most so much of one document is unacknowledged: a reconnect sends it all in one frame, and that has a limit (W6). */
export const UNDECIDED_ENTRIES = 64;
export const UNDECIDED_UNITS = 8_192;
interface Options {
  id: Uuid;
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
  /** This segment has said what it does not take. */
  judged: (n: number) => void;
  /** The server refused what was set in this segment. */
  refused: (n: number) => void;
}

function uneditedIn(segment: SegmentReplica, id: MessageId): string | null {
  const message = segment.message(id);
  return message?.editedAt === null ? message.body : null;
}
const isWaiting = (entry: Entry): boolean => entry.state.kind === 'waiting';
const isFollowing = (entry: Entry): entry is FollowingEntry => entry.kind === 'edit' || entry.kind === 'delete' || entry.kind === 'react';

/**
 * Moves what waits, in the order written and each once. A message leaves the outbox when it is in a log; another change when the server
 * holds it, whatever was written over it since. What a segment has not decided stays with it; what a closed one did not take is set again
 * in the next.
 */
export function makeMover(outbox: Outbox, look: () => Options): Mover {
  /** The newest segment that told `closed` to a message. */
  const closedTo = new Map<MessageId, number>();
  /** The struct by which this tab has set a change. */
  const set = new Map<string, { segment: SegmentReplica; struct: StructId }>();
  const claims = makeClaims(outbox, move);
  const suspicion = makeSuspicion(outbox);

  function moveMessages({ moves, segments, open, id }: Options): void {
    const all = [...segments.values()];
    const ready: MessageEntry[] = [];
    const unreadable: MessageEntry[] = [];
    const logged = new Map<number, LoggedMessage[]>();
    const most = open && suspicion.isUnder(open.n) ? 1 : UNDECIDED_ENTRIES;
    let units = 0;
    let count = 0;
    let isFull = open === null || outbox.status() === 'loading';
    for (const entry of outbox.of(id)) {
      if (entry.kind !== 'message' || !moves(entry)) continue;
      // What was never placed is in no log, and comes after what was.
      if (isFull && !entry.placed) break;
      const home = all.find((segment) => segment.isLogged(entry.messageId));
      if (home) logged.set(home.n, [...(logged.get(home.n) ?? []), { entry, unedited: uneditedIn(home, entry.messageId) }]);
      else if (isWaiting(entry) && open) {
        const isUndecided = all.some((segment) => segment.isUndecided(entry.messageId));
        if (!isUndecided && open.n <= (closedTo.get(entry.messageId) ?? 0)) isFull = true;
        if (!isUndecided && (isFull || outbox.get(changeKey(entry.messageId))?.kind === 'delete')) continue;
        if (!isUndecided && !readMessageValue(entry.value)) {
          unreadable.push(entry);
          continue;
        }
        units += entry.value[0].length;
        count += 1;
        if (count > 1 && (count > most || units > UNDECIDED_UNITS)) isFull = true;
        else if (!isUndecided) ready.push(entry);
      }
    }
    for (const [n, messages] of logged) outbox.logged(messages, n);
    for (const { id: key } of unreadable) outbox.fail([key], 'unreadable');
    // Placed in the outbox's eyes at once, and on the device only when the claim is answered.
    if (!open || ready.some(({ id: key }) => claims.has(key)) || !suspicion.isFree(open.n)) return;
    const unclaimed = ready.filter(({ placed }) => !placed).map((entry) => entry.id);
    if (unclaimed.length > 0) claims.place(unclaimed);
    else if (ready.length > 0) {
      for (const entry of ready) suspicion.set(open.n, entry);
      open.place(ready);
    }
  }

  function moveFollowing(options: Options): void {
    const { moves, segments, id, want } = options;
    const all = [...segments.values()];
    for (const [key, { segment }] of set) if (!outbox.get(key) || segment.isShut()) set.delete(key);
    const inFlight = [...set.values()].filter(({ segment, struct }) => all.includes(segment) && !segment.isCommitted(struct)).length;
    let room = UNDECIDED_ENTRIES - inFlight - claims.size();
    for (const entry of outbox.of(id)) {
      if (!isFollowing(entry) || !isWaiting(entry) || !moves(entry)) continue;
      const message = outbox.get(messageKey(entry.messageId));
      const home = all.find((segment) => segment.isLogged(entry.messageId)) ?? unloggedHomeOf(entry, options);
      const at = home ?? segments.get(entry.n ?? 0);
      if (at?.status().kind === 'ended' && (home || !message || !isWaiting(message))) {
        // It stands before this person came back, and that part is closed to them.
        outbox.fail([entry.id], 'refused');
      } else if (!home) {
        // Absence proves nothing: the node may be behind. A tombstone does: it was not taken there.
        if (entry.n !== null && segments.get(entry.n)?.own(entry.messageId)?.value !== null) want(entry.n);
        else if (!message) search(entry, options);
      } else if (home.status().kind === 'live' && settle(entry, message, home) && --room <= 0) return;
    }
  }

  /** Of a message that is in no log: where it was deleted; for a deletion also where it was set, or would go. */
  function unloggedHomeOf(entry: FollowingEntry, { segments, open }: Options): SegmentReplica | null {
    const isToGo = entry.kind === 'delete' && outbox.get(messageKey(entry.messageId)) !== undefined;
    function isHere(segment: SegmentReplica): boolean {
      const value = segment.own(entry.messageId)?.value ?? null;
      return !segment.isShut() && (value === 0 || (isToGo && value !== null));
    }
    return [...segments.values()].find(isHere) ?? (isToGo && !set.has(entry.id) ? open : null);
  }

  /** Its message is in a log and nobody remembers in which, or was taken back by another tab: the older ones are asked, down to the first. */
  function search(entry: FollowingEntry, { segments, open, want }: Options): void {
    const hasAnswered = (n: number): boolean => (segments.get(n)?.status().kind ?? 'connecting') !== 'connecting';
    let n = open?.n ?? 0;
    while (hasAnswered(n)) n -= 1;
    if (n > 0) want(n);
    else if ([...segments.values()].some((segment) => segment.isShut())) outbox.fail([entry.id], 'refused');
    else if (entry.kind === 'edit') outbox.fail([entry.id], 'gone');
    else outbox.done([entry]);
  }

  /** True: one more is under way. */
  function settle(entry: FollowingEntry, message: Entry | undefined, home: SegmentReplica): boolean {
    const step = stepOf(entry, home);
    switch (step.kind) {
      case 'waits':
        return false;
      case 'failed':
        outbox.fail([entry.id], step.code);
        return false;
      case 'done':
        set.delete(entry.id);
        outbox.done(entry.kind === 'delete' && message ? [entry, message] : [entry]);
        return false;
      case 'set':
        return write(entry, home, step.write);
    }
    return step satisfies never;
  }

  function write(entry: FollowingEntry, home: SegmentReplica, run: () => void): boolean {
    if (claims.has(entry.id) || !suspicion.isFree(home.n)) return false;
    const next = home.next();
    if (entry.kind !== 'delete' && entry.left?.client !== next.client) claims.leave(entry, { ...next, n: home.n });
    else {
      suspicion.set(home.n, entry);
      set.set(entry.id, { segment: home, struct: next });
      run();
    }
    return true;
  }

  function move(): void {
    const before = look();
    moveMessages(before);
    const options = look();
    if (!options.open || outbox.status() === 'loading') return;
    moveFollowing(options);
    if (!outbox.of(options.id).some((entry) => (entry.kind === 'message' || isFollowing(entry)) && isWaiting(entry))) suspicion.clear();
  }

  return {
    move,
    judged: suspicion.judged,
    refused: suspicion.refused,
    closed: (id, n) => void closedTo.set(id, Math.max(n, closedTo.get(id) ?? 0)),
  };
}
