import type { Clock } from '../../shared/clock.ts';
import type { MessageId } from '../../shared/ids.ts';
import type { Entry, MessageEntry } from './outbox/entry.ts';

interface Options {
  clock: Clock;
  /** Whether the outbox holds an entry. */
  isHeld: (id: string) => boolean;
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
export function makeDeparted({ clock, isHeld, isLogged, isLive, onChange }: Options): Departed {
  const messages = new Map<MessageId, MessageEntry>();
  const cancels = new Map<MessageId, () => void>();
  let before: readonly Entry[] = [];
  /** Of those. */
  let placed: MessageEntry[] = [];
  let deleted = new Set<MessageId>();

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
      for (const entry of placed) {
        const { id, messageId } = entry;
        if (isHeld(id) || deleted.has(messageId) || isLogged(messageId) || messages.has(messageId)) continue;
        messages.set(messageId, entry);
        wait(messageId);
      }
      before = entries;
      placed = [];
      deleted = new Set();
      for (const entry of entries) {
        if (entry.kind === 'delete') deleted.add(entry.messageId);
        else if (entry.kind === 'message' && entry.placed) placed.push(entry);
      }
    },
    messages: () => [...messages.values()],
    has: (id) => messages.has(id),
    close: () => cancels.forEach((cancel) => cancel()),
  };
}
