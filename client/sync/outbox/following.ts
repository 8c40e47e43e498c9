import {
  type Decide,
  type Entry,
  type MessageEntry,
  type PrivateEntry,
  type PrivateValue,
  type ReactEntry,
  type Toggle,
  changeKey,
  drop,
  reactKey,
} from './entry.ts';

const isMarks = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** What a value comes to over another one: of marks those that do not change stay, everything else is set as a whole. */
export const over = (value: PrivateValue, before: unknown): PrivateValue =>
  isMarks(value) && isMarks(before) ? { ...before, ...value } : value;

/**
 * What has been turned on and off again before it could leave is nothing; what failed is forgotten by what is asked for after it.
 * `isUncertain`: nobody here knows what there is, or whether it has left.
 */
export const react =
  (change: ReactEntry, isUncertain = false): Decide =>
  (found) => {
    const before = found.get(change.id);
    const known = before?.kind === 'react' && before.state.kind === 'waiting' ? before : null;
    const mayHaveLeft = isUncertain || known?.left !== undefined || known?.isUncertain === true;
    const toggles = change.toggles.reduce((all, toggle) => turn(all, toggle, mayHaveLeft), known?.toggles ?? []);
    const entry: ReactEntry = mayHaveLeft ? { ...change, toggles, isUncertain: true } : { ...change, toggles };
    return new Map([[change.id, toggles.length > 0 ? entry : null]]);
  };

function turn(all: readonly Toggle[], { emoji, isOn }: Toggle, mayHaveLeft: boolean): Toggle[] {
  const known = all.find((toggle) => toggle.emoji === emoji);
  const others = all.filter((toggle) => toggle !== known);
  return known && known.isOn !== isOn && !mayHaveLeft ? others : [...others, { emoji, isOn }];
}

/** The newest value of a key; marks that wait stay with those that come. */
export const setPrivate =
  (change: PrivateEntry): Decide =>
  (found) => {
    const before = found.get(change.id);
    const known = before?.kind === 'private' && before.state.kind === 'waiting' ? before : null;
    return new Map([[change.id, known ? { ...change, value: over(change.value, known.value) } : change]]);
  };

/** What follows a message goes where that is, also after a start anew. */
export const logged =
  (messages: readonly MessageEntry[], n: number): Decide =>
  (found) => {
    const changes = new Map<string, Entry | null>(drop(messages)(found));
    for (const { messageId } of messages)
      for (const key of [changeKey(messageId), reactKey(messageId)]) {
        const entry = found.get(key);
        if ((entry?.kind === 'edit' || entry?.kind === 'delete' || entry?.kind === 'react') && entry.n === null)
          changes.set(key, { ...entry, n });
      }
    return changes;
  };
