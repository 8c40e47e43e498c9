import { equalityDeep } from 'lib0/function';
import type { Neutralised } from '../../../shared/close-codes.ts';
import type { Uuid } from '../../../shared/ids.ts';
import { isPrivateEntry } from '../../../shared/user-document.ts';
import { makeClaims } from '../claims.ts';
import { UNDECIDED_ENTRIES, UNDECIDED_UNITS } from '../move-waiting.ts';
import { type Entry, type PrivateEntry, type StructId, privateKey } from '../outbox/entry.ts';
import { over } from '../outbox/following.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { PrivateReplica } from './private-replica.ts';
import type { Step } from '../settle-following.ts';
import { makeSuspicion } from '../suspicion.ts';

interface Options {
  me: Uuid;
  outbox: Outbox;
  moves: (entry: Entry) => boolean;
  /** The document that takes what is written, when it is live. */
  open: () => PrivateReplica | null;
}

/** Moves what a person has set into their private document. */
export interface PrivateMover {
  move: () => void;
  /** What was set under a key was not taken. */
  neutralised: (n: number, key: string, code: Neutralised) => void;
  /** The server refused what was set in this document. */
  refused: (n: number) => void;
}

/** A draft that is none, no marks, no setting: as if nothing had ever been set. */
const isNothing = (value: unknown): boolean => value === '' || value === null || equalityDeep(value, {});

/** Marks and drafts are short or a message's size. */
const unitsOf = ({ value }: PrivateEntry): number => (typeof value === 'string' ? value.length : 64);

/** What is to be done about a value that waits, in the document that takes it. */
export function stepOfPrivate(entry: PrivateEntry, replica: PrivateReplica): Step {
  const own = replica.own(entry.key);
  const before = entry.left?.n === replica.n ? replica.setBy(entry.key, entry.left) : null;
  const isThere = own !== null && replica.isCommitted(own);
  if (before && own?.value === null && own.client === before.client && own.clock === before.clock)
    // It was not taken, and the word of it was lost; the document is not closed, or it would name the next.
    return isThere ? { kind: 'failed', code: 'quota' } : { kind: 'waits' };
  const wanted = over(entry.value, own?.value);
  const isSet = own !== null && own.value !== null ? equalityDeep(wanted, own.value) : isNothing(wanted);
  if (isSet) return own === null || isThere ? { kind: 'done' } : { kind: 'waits' };
  // Another device has written over it.
  if (before) return replica.isCommitted(before) ? { kind: 'done' } : { kind: 'waits' };
  if (!isPrivateEntry(entry.key, wanted)) return { kind: 'failed', code: 'unreadable' };
  return { kind: 'set', write: () => replica.set(entry.key, wanted) };
}

/** Moves what waits, each key by itself; what a closed document did not take is set again in the one that goes on from it. */
export function makePrivateMover({ me, outbox, moves, open }: Options): PrivateMover {
  /** The struct by which this tab has set a value. */
  const set = new Map<string, { entry: PrivateEntry; struct: StructId }>();
  const claims = makeClaims(outbox, move);
  const suspicion = makeSuspicion(outbox);

  /** How much of the document nobody has acknowledged yet. */
  function underWay(replica: PrivateReplica): { entries: number; units: number } {
    const { client } = replica.nextStruct();
    const amount = { entries: claims.size(), units: 0 };
    for (const [id, { entry, struct }] of set) {
      // Of another document, or of this one before it began again.
      if (struct.client !== client || replica.isCommitted(struct)) set.delete(id);
      else {
        amount.entries += 1;
        amount.units += unitsOf(entry);
      }
    }
    return amount;
  }

  function write(entry: PrivateEntry, replica: PrivateReplica, run: () => void): void {
    if (claims.has(entry.id) || !suspicion.isFree(replica.n)) return;
    const next = replica.nextStruct();
    if (entry.left?.client !== next.client || entry.left.n !== replica.n) return claims.leave(entry, { ...next, n: replica.n });
    const most = suspicion.isUnder(replica.n) ? 1 : UNDECIDED_ENTRIES;
    const { entries, units } = underWay(replica);
    if (entries > 0 && (entries >= most || units + unitsOf(entry) > UNDECIDED_UNITS)) return;
    suspicion.set(replica.n, entry);
    set.set(entry.id, { entry, struct: next });
    run();
  }

  function settle(entry: PrivateEntry, replica: PrivateReplica): void {
    const step = stepOfPrivate(entry, replica);
    switch (step.kind) {
      case 'waits':
        return;
      case 'failed':
        return outbox.fail([entry.id], step.code);
      case 'done':
        return outbox.done([entry]);
      case 'set':
        return write(entry, replica, step.write);
    }
    return step satisfies never;
  }

  function move(): void {
    const replica = open();
    if (!replica || outbox.status() === 'loading') return;
    let waits = false;
    for (const entry of outbox.of(me)) {
      if (entry.kind !== 'private' || entry.state.kind !== 'waiting' || !moves(entry)) continue;
      waits = true;
      settle(entry, replica);
    }
    if (!waits) suspicion.clear();
  }

  return {
    move,
    refused: suspicion.refused,
    neutralised(n, key, code) {
      suspicion.judged(n);
      const entry = outbox.get(privateKey(key));
      if (entry?.kind !== 'private' || code === 'closed') return;
      if (code === 'duplicate') outbox.done([entry]);
      else outbox.fail([entry.id], code);
    },
  };
}
