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
/** One message names no more (I5). */
const NAMED = 256;

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
    const named = news.slice(0, NAMED);
    if (named.length === 0 || !connection.tell({ delivered: Object.fromEntries(named) })) return;
    for (const [id, seq] of named) told.set(id, seq);
    if (news.length > named.length) look();
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
