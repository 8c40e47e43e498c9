import type { MessageId, Uuid } from '../../shared/ids.ts';
import type { Failure, ReactEntry } from '../sync/outbox/entry.ts';

/** One emoji under a message, and who set it. */
export interface Reaction {
  emoji: string;
  people: readonly Uuid[];
  isOwn: boolean;
}

/** What a message shows of reactions. */
export interface Reactions {
  /** The same array for as long as it says the same. */
  shown: readonly Reaction[];
  /** Why the last change by this person was not taken, and is undone; null: it was, or waits. */
  failure: Failure | null;
}

type Stored = ReadonlyMap<string, readonly Uuid[]>;

const NONE: readonly Reaction[] = [];

const isSame = (a: readonly Reaction[], b: readonly Reaction[]): boolean =>
  a.length === b.length &&
  a.every(
    ({ emoji, people }, i) =>
      emoji === b[i]!.emoji && people.length === b[i]!.people.length && people.every((id, j) => id === b[i]!.people[j]),
  );

/** What is stored, with what this person has changed and the server has not taken yet: shown as if it had. What failed is not. */
export function projectReactions(stored: Stored, entry: ReactEntry | undefined, me: Uuid): readonly Reaction[] {
  const toggles = entry?.state.kind === 'waiting' ? entry.toggles : [];
  if (stored.size === 0 && toggles.length === 0) return NONE;
  const people = new Map(stored);
  for (const { emoji, isOn } of toggles) {
    const others = (people.get(emoji) ?? []).filter((id) => id !== me);
    if (!isOn) people.set(emoji, others);
    else if (!people.get(emoji)?.includes(me)) people.set(emoji, [...others, me]);
  }
  return [...people].flatMap(([emoji, ids]) => (ids.length > 0 ? { emoji, people: ids, isOwn: ids.includes(me) } : []));
}

/** Answers for the messages of one conversation, and keeps each answer: most of what happens changes none. */
export function makeReactions(me: Uuid, entryOf: (id: MessageId) => ReactEntry | undefined): (id: MessageId, stored: Stored) => Reactions {
  const kept = new Map<MessageId, readonly Reaction[]>();
  return (id, stored) => {
    const entry = entryOf(id);
    const made = projectReactions(stored, entry, me);
    const before = kept.get(id) ?? NONE;
    const shown = isSame(before, made) ? before : made;
    if (shown.length > 0) kept.set(id, shown);
    else kept.delete(id);
    return { shown, failure: entry?.state.kind === 'failed' ? entry.state.code : null };
  };
}
