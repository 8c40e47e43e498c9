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

/** A message that is in a log. `unedited`: its text there; null where somebody has edited it since. */
export interface LoggedMessage {
  readonly entry: MessageEntry;
  readonly unedited: string | null;
}

/**
 * What follows a message goes where that is, also after a start anew. One that another tab has sent, as it was before this device could
 * keep its last text, gets that by an edit.
 */
export const logged =
  (messages: readonly LoggedMessage[], n: number): Decide =>
  (found) => {
    const changes = new Map<string, Entry | null>(drop(messages.map(({ entry }) => entry))(found));
    for (const { entry, unedited } of messages) {
      const { id, messageId } = entry;
      const now = found.get(id);
      const change = found.get(changeKey(messageId));
      if (now?.kind === 'message' && unedited !== null && now.value[0] !== unedited && !change)
        changes.set(changeKey(messageId), asEdit(now, n));
      for (const one of [change, found.get(reactKey(messageId))])
        if ((one?.kind === 'edit' || one?.kind === 'delete' || one?.kind === 'react') && one.n === null) changes.set(one.id, { ...one, n });
    }
    return changes;
  };

function asEdit({ conversationId, order, at, messageId, value: [body] }: MessageEntry, n: number): Entry {
  return { id: changeKey(messageId), conversationId, order, at, state: { kind: 'waiting' }, kind: 'edit', messageId, n, body };
}
