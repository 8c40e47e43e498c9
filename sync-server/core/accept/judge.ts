import { LIMITS } from '../../../shared/limits.ts';
import type { Neutralised } from '../../../shared/close-codes.ts';
import type { MessageId, Uuid } from '../../../shared/ids.ts';
import type { BatchInput } from './input.ts';
import { loggedIds } from './log.ts';
import type { Entry, Fate, Overlay, Slot, Stretch } from './overlay.ts';
import { makeHolders } from './holders.ts';
import { valueOf } from './stored.ts';

/** What a batch has decided so far. */
export interface Decided {
  /** New messages in order of acceptance, each with the key that holds it. */
  logged: Map<MessageId, Slot>;
  /** Values of the live document that the server deletes. */
  deletes: { client: number; clock: number; length: number }[];
  /** New client ids and whose they are. */
  claims: Map<number, Uuid>;
}

/** Decides what an admitted entry means now (A6): null for accepted, else why it is neutralised. */
export interface Judge {
  /** `lookedUp`: the ids that `usedIds` answers for. */
  judge(writer: Uuid, entry: Entry, lookedUp: ReadonlySet<MessageId>): Neutralised | null;
  /** What became of the message of a key. */
  fate(slot: Slot): Fate;
  /** Whether a message of this segment can be read. */
  isAlive(id: MessageId): boolean;
  /** Why a new message of this key may not be written now; null: it may. */
  refusal(writer: Uuid, slot: Slot): Neutralised | null;
  /** Gives a new message its place in the log. */
  log(slot: Slot): void;
}

export function makeJudge(input: BatchInput, overlay: Overlay, decided: Decided): Judge {
  const { doc, state, conversation, members, permissions, usedIds } = input;
  const { logged, deletes, claims } = decided;

  // Asked only about keys that hold nothing but tombstones and about removals of what is gone; then once in a batch.
  let committedLog: ReadonlySet<MessageId> | null = null;
  const isLogged = (id: MessageId): boolean => (committedLog ??= loggedIds(doc)).has(id);

  const holderOf = makeHolders(doc);

  const permits = (writer: Uuid, kind: 'message' | 'reactions' | 'removal') => permissions.judge({ conversation, members, writer, kind });

  /** The key that holds a message of this segment, in whichever lane; null when none does. */
  function holder(id: MessageId): Slot | null {
    const fresh = logged.get(id);
    if (fresh) return fresh;
    const owner = holderOf(id);
    return owner === null ? null : overlay.slot(overlay.lane(owner), id);
  }

  /** What the live document alone says: a living message was logged when it was accepted. */
  function storedFate({ stored, key }: Slot): Fate {
    if (stored === null) return 'unlogged';
    if (!stored.deleted) return valueOf(stored) === 0 ? 'dead' : 'alive';
    return isLogged(key) && holder(key) === null ? 'dead' : 'unlogged';
  }

  const fate = (slot: Slot): Fate => (slot.fate ??= storedFate(slot));

  /** D7: takes every value of the key, but for the deletion itself, for good. */
  function die(slot: Slot, by: Uuid, deletion: Entry | null): void {
    if (fate(slot) === 'alive') slot.diedBy = by;
    slot.fate = 'dead';
    if (slot.stored && !slot.stored.deleted) deletes.push({ client: slot.stored.id.client, clock: slot.stored.id.clock, length: 1 });
    for (const stretch of [...slot.entries, slot.last]) if (stretch && stretch !== deletion) strike(stretch);
  }

  function isAlive(id: MessageId): boolean {
    const message = holder(id);
    return message !== null && fate(message) === 'alive';
  }

  function refusal(writer: Uuid, { key }: Slot): Neutralised | null {
    if (usedIds.has(key)) return 'duplicate';
    if (state.closed || state.messages + logged.size >= LIMITS.segmentMessages) return 'closed';
    return permits(writer, 'message');
  }

  function log(slot: Slot): void {
    slot.fate = 'alive';
    logged.set(slot.key, slot);
    usedIds.add(slot.key);
  }

  function judgeMessage(writer: Uuid, slot: Slot, lookedUp: ReadonlySet<MessageId>): Neutralised | null {
    if (fate(slot) === 'alive') return null;
    if (fate(slot) === 'dead') return 'removed';
    const code = refusal(writer, slot);
    if (code) return code;
    // A key of tombstones that was reached by an origin alone: nobody knows whether its id is used elsewhere.
    if (slot.stored && !lookedUp.has(slot.key)) return 'closed';
    // Beside a tombstone that comes after it: it would stand in the log and never be seen.
    if (slot.last?.deleted) return 'removed';
    log(slot);
    return null;
  }

  /** `0` on somebody else's message would make its deletion look like the writer's. */
  function judgeDeletion(writer: Uuid, entry: Entry): Neutralised | null {
    if (fate(entry.slot) === 'unlogged' && usedIds.has(entry.key)) return 'duplicate';
    if (fate(entry.slot) !== 'dead') die(entry.slot, writer, entry);
    return null;
  }

  function judgeReactions(writer: Uuid, id: MessageId): Neutralised | null {
    if (!isAlive(id)) return 'removed';
    if (state.clients + claims.size >= LIMITS.reactionClients || state.bytes >= LIMITS.reactionBytes) return 'quota';
    return permits(writer, 'reactions');
  }

  function judgeRemoval(writer: Uuid, id: MessageId): Neutralised | null {
    const code = permits(writer, 'removal');
    if (code) return code;
    const message = holder(id);
    if (message && fate(message) === 'alive') die(message, writer, null);
    return message || isLogged(id) ? null : 'removed';
  }

  function judgePrivate(): Neutralised | null {
    if (state.closed) return 'closed';
    return state.bytes >= LIMITS.privateBytes ? 'quota' : null;
  }

  function judge(writer: Uuid, entry: Entry, lookedUp: ReadonlySet<MessageId>): Neutralised | null {
    const { meaning, slot } = entry;
    if (meaning === null) return entry.deleted ? null : judgePrivate();
    switch (meaning.kind) {
      case 'message':
        return judgeMessage(writer, slot, lookedUp);
      case 'deletion':
        return judgeDeletion(writer, entry);
      case 'reactions':
        return judgeReactions(writer, meaning.id);
      case 'removal':
        return judgeRemoval(writer, meaning.id);
      default:
        return meaning satisfies never;
    }
  }

  return { judge, fate, isAlive, refusal, log };
}

/** Makes a tombstone of a stretch: its value is stored nowhere. */
export function strike(stretch: Stretch): void {
  stretch.deleted = true;
  stretch.value = undefined;
}
