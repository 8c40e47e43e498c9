import type { MessageId, Uuid } from '../../../../shared/ids.ts';
import type { Place } from '../browser/place.ts';

/** What became known of one message, outside of the system. */
export interface Written {
  conversationId: Uuid;
  author: Uuid;
  /** In which browser, and in which of its tabs. */
  browser: object;
  place: Place;
  /** Every text that was ever asked for, the newest last, with who asked and whether a screen said that it is kept. */
  texts: { text: string; browser: object; place: Place; kept: boolean }[];
  /** `asked`: it may yet be forgotten with the tab. `kept`: a screen said so. */
  removed: 'no' | 'asked' | 'kept';
  /** Where the deletion was kept. */
  removedIn: object | null;
  /** A screen has said that the device holds it. */
  kept: boolean;
}

/** What a person wants something to be that is theirs alone. `place` null: it was asked for in several tabs, and nobody can tell which is the last. */
export interface Wish<T> {
  place: Place | null;
  value: T;
}

/** What people asked for and what screens have shown, noted at that moment. */
export interface Ledger {
  wrote(id: MessageId, note: Pick<Written, 'conversationId' | 'author' | 'browser' | 'place'>, text: string): void;
  edited(id: MessageId, browser: object, place: Place, text: string): void;
  removed(id: MessageId): void;
  /** `place` null: what they had asked for before has failed. */
  reacted(id: MessageId, author: Uuid, place: Place | null, emoji: string, isOn: boolean): void;
  read(conversationId: Uuid, author: Uuid, place: Place, seq: number): void;
  drafted(conversationId: Uuid, author: Uuid, place: Place | null, text: string): void;
  /** Nobody can tell any more which of this person's drafts is the last. */
  doubtDrafts(author: Uuid): void;
  /** A browser's storage is gone: what was only kept there is too. */
  wiped(browser: object, isSent: (id: MessageId) => boolean): void;
  /** Whether that person asked for this text there. */
  mayRead(id: MessageId, author: Uuid, text: string): boolean;
  /** Whether its author has taken it away. */
  mayVanish(id: MessageId, author: Uuid): boolean;
  wrong(what: string): void;
  /** Who was not let ask whom today, as `asker other`. */
  readonly limited: Set<string>;
  readonly faults: readonly string[];
  readonly written: ReadonlyMap<MessageId, Written>;
  /** By `message author`: which emoji are to be on. */
  readonly reactions: ReadonlyMap<string, Wish<ReadonlySet<string>>>;
  /** What was read where, the newest last. */
  readonly reads: readonly { conversationId: Uuid; author: Uuid; place: Place; seq: number }[];
  /** By `conversation author`. */
  readonly drafts: ReadonlyMap<string, Wish<string>>;
}

/** `hostile`: whoever writes with a client of their own; what stands in that lane is their business. */
export function makeLedger(hostile: ReadonlySet<Uuid>): Ledger {
  const written = new Map<MessageId, Written>();
  const reactions = new Map<string, Wish<ReadonlySet<string>>>();
  const drafts = new Map<string, Wish<string>>();
  const reads: { conversationId: Uuid; author: Uuid; place: Place; seq: number }[] = [];
  const faults: string[] = [];

  function wish<T>(wishes: Map<string, Wish<T>>, key: string, place: Place | null, value: T): void {
    const before = wishes.get(key);
    wishes.set(key, { place: before && before.place !== place ? null : place, value });
  }

  return {
    faults,
    written,
    reactions,
    drafts,
    reads,
    read: (conversationId, author, place, seq) => void reads.push({ conversationId, author, place, seq }),
    reacted(id, author, place, emoji, isOn) {
      const key = `${id} ${author}`;
      const on = new Set(reactions.get(key)?.value);
      if (isOn) on.add(emoji);
      else on.delete(emoji);
      wish(reactions, key, place, on);
    },
    doubtDrafts(author) {
      for (const [key, wish] of drafts) if (key.endsWith(author)) wish.place = null;
    },
    drafted: (conversationId, author, place, text) => wish(drafts, `${conversationId} ${author}`, place, text),
    limited: new Set(),
    wrong: (what) => void (faults.length < 10 && faults.push(what)),
    wrote: (id, note, text) =>
      void written.set(id, { ...note, texts: [{ ...note, text, kept: false }], removed: 'no', removedIn: null, kept: false }),
    edited: (id, browser, place, text) => void written.get(id)?.texts.push({ text, browser, place, kept: false }),
    removed(id) {
      const known = written.get(id);
      if (known?.removed === 'no') known.removed = 'asked';
      // With a message goes what its author had on it.
      if (known) reactions.delete(`${id} ${known.author}`);
    },
    wiped(browser, isSent) {
      for (const [id, known] of written) {
        if (known.browser === browser && !isSent(id)) known.kept = false;
        if (known.removed === 'kept' && known.removedIn === browser) known.removed = 'asked';
        for (const text of known.texts) if (text.browser === browser) text.kept = false;
      }
    },
    mayRead(id, author, text) {
      const known = written.get(id);
      return known ? known.author === author && known.texts.some((one) => one.text === text) : hostile.has(author);
    },
    mayVanish(id, author) {
      const known = written.get(id);
      return known ? known.author === author && known.removed !== 'no' : hostile.has(author);
    },
  };
}
