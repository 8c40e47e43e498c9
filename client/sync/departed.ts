import type { Clock } from '../../shared/clock.ts';
import type { MessageId } from '../../shared/ids.ts';
import type { MessageEntry } from './outbox/entry.ts';

interface Options {
  clock: Clock;
  /** Whether the outbox holds an entry. */
  isHeld: (id: string) => boolean;
  /** Whether it holds the deletion of a message. */
  isToGo: (id: MessageId) => boolean;
  isLogged: (id: MessageId) => boolean;
  /** All that the server had is here. */
  isLive: () => boolean;
  onChange: () => void;
}

/** Own messages that another tab has seen in the log, and this one not yet: they stay on its screen until it has. */
export interface Departed {
  /** Takes in which messages that may have left the outbox holds now. */
  look: (placed: readonly MessageEntry[]) => void;
  messages: () => readonly MessageEntry[];
  has: (id: MessageId) => boolean;
  close: () => void;
}

/** What this tab's own line does not bring within so long of being live is not there; over HTTP it is asked for every 15 s. */
const GRACE_MS = 20_000;
/** Where it is not live just then, it is looked at again after the time in which a node hears of what others have committed. */
const AGAIN_MS = 5_000;

/** Only what was placed can have arrived: what leaves the outbox before was taken back, and so is what leaves it together with its deletion. */
export function makeDeparted({ clock, isHeld, isToGo, isLogged, isLive, onChange }: Options): Departed {
  const messages = new Map<MessageId, MessageEntry>();
  const cancels = new Map<MessageId, () => void>();
  let before: readonly { entry: MessageEntry; isToGo: boolean }[] = [];

  function forget(id: MessageId): void {
    messages.delete(id);
    cancels.get(id)?.();
    cancels.delete(id);
  }

  function wait(id: MessageId, ms = GRACE_MS): void {
    cancels.set(
      id,
      clock.after(ms, () => {
        if (!isLive()) return wait(id, AGAIN_MS);
        forget(id);
        onChange();
      }),
    );
  }

  return {
    look(placed) {
      for (const id of messages.keys()) if (isLogged(id)) forget(id);
      for (const { entry, isToGo: wasToGo } of before) {
        const { id, messageId } = entry;
        if (wasToGo || isHeld(id) || isLogged(messageId) || messages.has(messageId)) continue;
        messages.set(messageId, entry);
        wait(messageId);
      }
      before = placed.map((entry) => ({ entry, isToGo: isToGo(entry.messageId) }));
    },
    messages: () => [...messages.values()],
    has: (id) => messages.has(id),
    close: () => cancels.forEach((cancel) => cancel()),
  };
}
