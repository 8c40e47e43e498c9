import type { Clock } from '../../shared/clock.ts';
import type { MessageId } from '../../shared/ids.ts';
import { type Entry, type MessageEntry, changeKey } from './outbox/entry.ts';

interface Options {
  clock: Clock;
  isLogged: (id: MessageId) => boolean;
  /** All that the server had is here. */
  isLive: () => boolean;
  onChange: () => void;
}

/** Own messages that another tab has seen in the log, and this one not yet: they stay on its screen until it has. */
export interface Departed {
  /** Takes in what the outbox holds now. */
  look: (entries: readonly Entry[]) => void;
  messages: () => readonly MessageEntry[];
  has: (id: MessageId) => boolean;
  close: () => void;
}

/** What this tab's own line does not bring within so long of being live is not there; over HTTP it is asked for every 15 s. */
const GRACE_MS = 20_000;

/** Only what was placed can have arrived: what leaves the outbox before was taken back, and so is what leaves it together with its deletion. */
export function makeDeparted({ clock, isLogged, isLive, onChange }: Options): Departed {
  const messages = new Map<MessageId, MessageEntry>();
  const cancels = new Map<MessageId, () => void>();
  let before: readonly Entry[] = [];

  function forget(id: MessageId): void {
    messages.delete(id);
    cancels.get(id)?.();
    cancels.delete(id);
  }

  function wait(id: MessageId): void {
    cancels.set(
      id,
      clock.after(GRACE_MS, () => {
        if (!isLive()) return wait(id);
        forget(id);
        onChange();
      }),
    );
  }

  return {
    look(entries) {
      for (const id of messages.keys()) if (isLogged(id)) forget(id);
      if (entries === before) return;
      const now = new Set(entries.map(({ id }) => id));
      const deleted = new Set(before.filter(({ kind }) => kind === 'delete').map(({ id }) => id));
      for (const entry of before) {
        if (entry.kind !== 'message' || !entry.placed || now.has(entry.id) || deleted.has(changeKey(entry.messageId))) continue;
        if (isLogged(entry.messageId) || messages.has(entry.messageId)) continue;
        messages.set(entry.messageId, entry);
        wait(entry.messageId);
      }
      before = entries;
    },
    messages: () => [...messages.values()],
    has: (id) => messages.has(id),
    close: () => cancels.forEach((cancel) => cancel()),
  };
}
