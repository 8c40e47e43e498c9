import { type Accessor, createEffect, createSignal, on, onCleanup } from 'solid-js';
import type { Clock } from '../../shared/clock.ts';
import type { Uuid } from '../../shared/ids.ts';
import type { SegmentMessage } from '../../shared/segment.ts';
import { othersAfter } from './messages-after.ts';

/** A new object each time: the same words twice are said twice. */
export interface Announcement {
  text: string;
}

interface Options {
  messages: Accessor<readonly SegmentMessage[]>;
  isLoaded: Accessor<boolean>;
  me: Uuid;
  clock: Clock;
  others: Accessor<readonly { id: Uuid; displayName: string }[]>;
}

const BURST_MS = 300;

/** What a screen reader hears of arrivals: author and text, once; a burst is summed up; nothing of history or of one's own (C9.1, C9.2, C9.5). */
export function createAnnouncements({ messages, isLoaded, me, clock, others }: Options): Accessor<Announcement | null> {
  const [announcement, setAnnouncement] = createSignal<Announcement | null>(null);
  let saidTo: number | null = null;
  let waiting: SegmentMessage[] = [];
  let cancel: (() => void) | null = null;

  function say(): void {
    cancel = null;
    const [first] = waiting;
    const authors = [...new Set(waiting.map(({ authorId }) => others().find(({ id }) => id === authorId)?.displayName ?? 'Somebody'))].join(
      ', ',
    );
    if (first)
      setAnnouncement({ text: waiting.length === 1 ? `${authors}: ${first.body}` : `${waiting.length} new messages from ${authors}` });
    waiting = [];
  }

  createEffect(
    on([messages, isLoaded], ([all, loaded]) => {
      if (!loaded) return;
      const last = all.at(-1)?.seq ?? 0;
      const after = saidTo ?? last;
      saidTo = last;
      waiting.push(...othersAfter(all, after, me));
      if (waiting.length > 0) cancel ??= clock.after(BURST_MS, say);
    }),
  );
  onCleanup(() => cancel?.());
  return announcement;
}
