import { equalityDeep } from 'lib0/function';
import { isEmojiList, reactionsKey, readMessageValue } from '../../shared/segment.ts';
import type { EditEntry, Failure, FollowingEntry, ReactEntry, Toggle } from './outbox/entry.ts';
import type { SegmentReplica } from './segment-replica.ts';

/** What is to be done about an entry now. `waits`: for the server's word. */
export type Step = { kind: 'done' } | { kind: 'waits' } | { kind: 'failed'; code: Failure } | { kind: 'set'; write: () => void };

const DONE: Step = { kind: 'done' };
const WAITS: Step = { kind: 'waits' };

/** A person's reactions with these turned on and off. */
export function turned(emoji: readonly string[], toggles: readonly Toggle[]): readonly string[] {
  const changed = new Set(toggles.map((toggle) => toggle.emoji));
  const on = toggles.filter(({ isOn }) => isOn).map((toggle) => toggle.emoji);
  const added = on.filter((one) => !emoji.includes(one));
  return [...emoji.filter((one) => !changed.has(one) || on.includes(one)), ...added];
}

/** What is to be done about a change of a message that is in the log of this segment, or may be, or was deleted before it got there. */
export function stepOf(entry: FollowingEntry, home: SegmentReplica): Step {
  const own = home.own(entry.messageId);
  const isGone = own?.value === 0 || (home.isLogged(entry.messageId) && home.message(entry.messageId)?.body === null);
  switch (entry.kind) {
    case 'delete':
      if (own?.value === 0) return home.isCommitted(own) ? DONE : WAITS;
      return isGone ? DONE : { kind: 'set', write: () => home.remove(entry.messageId) };
    case 'edit':
      return isGone ? { kind: 'failed', code: 'gone' } : stepOfEdit(entry, home);
    case 'react':
      return isGone ? DONE : stepOfReactions(entry, home);
  }
  return entry satisfies never;
}

function stepOfEdit(entry: EditEntry, home: SegmentReplica): Step {
  const own = home.own(entry.messageId);
  if (!own || !own.value) return WAITS;
  if (own.value[0] === entry.body) return home.isCommitted(own) ? DONE : WAITS;
  const before = entry.left ? home.setBy(entry.messageId, entry.left) : null;
  // Another device has written over it.
  if (before) return home.isCommitted(before) ? DONE : WAITS;
  // Set here, it would be no message any more, to this device itself.
  if (!readMessageValue([entry.body, null, entry.at])) return { kind: 'failed', code: 'unreadable' };
  return { kind: 'set', write: () => home.edit(entry.messageId, entry.body, entry.at) };
}

function stepOfReactions(entry: ReactEntry, home: SegmentReplica): Step {
  const key = reactionsKey(entry.messageId);
  const own = home.ownReactions(entry.messageId);
  const before = entry.left ? home.setBy(key, entry.left) : null;
  if (before && own?.value === null && own.client === before.client && own.clock === before.clock)
    // Its message lives, and nothing stands in its place: it was not taken, and the word of it was lost.
    return home.isCommitted(own) ? { kind: 'failed', code: 'refused' } : WAITS;
  const now = own?.value ?? [];
  const wanted = turned(now, entry.toggles);
  if (equalityDeep(now, wanted)) return !own || home.isCommitted(own) ? DONE : WAITS;
  if (before) return home.isCommitted(before) ? DONE : WAITS;
  // Another device may have added some meanwhile.
  if (!isEmojiList(wanted)) return { kind: 'failed', code: 'quota' };
  return { kind: 'set', write: () => home.react(entry.messageId, wanted) };
}
