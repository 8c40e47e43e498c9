import type { Clock } from '../../shared/clock.ts';
import type { Uuid } from '../../shared/ids.ts';
import type { ConversationReplica } from './conversation-replica.ts';
import type { Connection } from './wire/connection.ts';

interface Options {
  clock: Clock;
  replicas: () => ReadonlyMap<Uuid, Pick<ConversationReplica, 'storedSeq'>>;
  connection: Pick<Connection, 'tell'>;
}

const TELL_MS = 1_000;

/** Tells the server what this device has stored: only what moved on, at most once a second; again after a new line, for the last word may be lost. */
export function makeDeliveredReporter({ clock, replicas, connection }: Options): {
  look: () => void;
  again: () => void;
  close: () => void;
} {
  const told = new Map<Uuid, number>();
  let cancel: (() => void) | null = null;

  function tell(): void {
    cancel = null;
    const news = [...replicas()]
      .map(([id, replica]) => [id, replica.storedSeq()] as const)
      .filter(([id, seq]) => seq > (told.get(id) ?? 0));
    if (news.length === 0 || !connection.tell({ delivered: Object.fromEntries(news) })) return;
    for (const [id, seq] of news) told.set(id, seq);
  }
  const look = (): void => void (cancel ??= clock.after(TELL_MS, tell));

  return {
    look,
    again() {
      told.clear();
      look();
    },
    close: () => cancel?.(),
  };
}
