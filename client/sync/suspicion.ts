import type { Entry } from './outbox/entry.ts';
import type { Outbox } from './outbox/outbox.ts';

/** Finds the entry that the server cannot take: nothing that waits behind it is held up for good, and it is told with words. */
export interface Suspicion {
  /** What goes into this document goes one by one. */
  isUnder: (n: number) => boolean;
  /** One more may be set in this document. */
  isFree: (n: number) => boolean;
  /** Is set in this document now. */
  set: (n: number, entry: Entry) => void;
  /** The server refused what was set in this document: whoever was there alone has failed. */
  refused: (n: number) => void;
  /** The server has judged what was set in this document. */
  judged: (n: number) => void;
  /** Nothing waits any more. */
  clear: () => void;
}

/** Which of many entries a refusal is about, nobody says. So the next ones go alone. */
export function makeSuspicion(outbox: Pick<Outbox, 'get' | 'fail'>): Suspicion {
  /** By document, what is there alone. */
  const under = new Map<number, Entry | null>();

  /** It waits, as it was when it was set. */
  function isThere({ id, order, at }: Entry): boolean {
    const now = outbox.get(id);
    return now?.state.kind === 'waiting' && now.order === order && now.at === at;
  }
  function alone(n: number): Entry | null {
    const entry = under.get(n) ?? null;
    return entry && isThere(entry) ? entry : null;
  }

  return {
    isUnder: (n) => under.has(n),
    isFree: (n) => alone(n) === null,
    set: (n, entry) => void (under.has(n) && under.set(n, entry)),
    judged: (n) => void (under.has(n) && under.set(n, null)),
    refused(n) {
      const entry = alone(n);
      if (entry) under.delete(n);
      else under.set(n, null);
      if (entry) outbox.fail([entry.id], 'unreadable');
    },
    clear: () => under.clear(),
  };
}
