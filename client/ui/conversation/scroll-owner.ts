import { type Accessor, createMemo, createSignal, onCleanup, untrack } from 'solid-js';
import { isSameList } from '../../state/places.ts';
import { createRowLayout } from './create-row-layout.ts';
import { gapsBetween, rowsAround } from './thread-window.ts';

/** A place in a thread: this message, so many pixels below the upper edge. */
export interface Anchor {
  id: string;
  top: number;
}

/** The only one who writes `scrollTop` of a thread, and who says which of its rows are in the document (C5.5, C5.9). */
export interface ScrollOwner {
  /** The rows to show, as indexes, and the room that stands for the others. */
  shown: Accessor<readonly number[]>;
  gaps: Accessor<{ before: number[]; end: number }>;
  /** The rows in the document were changed. */
  settle(): void;
  /** The last message on the screen. */
  lastOnScreen: Accessor<string | null>;
  isAtBottom: Accessor<boolean>;
  toBottom(): void;
  /** Up or down by so many screens, a little less than whole ones. */
  byPages(pages: number): void;
  /** The row that is one screen further up or down. */
  indexByPage(from: number, direction: 1 | -1): number;
  /** Brings a message about a third of the way down. */
  toMessage(id: string): void;
  /** Brings a message onto the screen, by the shortest way; its row is in the document then. */
  reveal(id: string): void;
  /** Goes back to where an earlier owner was. */
  restore(anchor: Anchor): void;
  /** Where the reader is; null at the end. */
  anchor(): Anchor | null;
  /** The row at the lower edge of which a reader has seen something; null before there is one. */
  lastSeen(): HTMLElement | null;
}

interface Options {
  box: HTMLElement;
  /** Its children are rows, each with its message in `data-id`, and a `.bubble` that holds the text. */
  content: HTMLElement;
  ids: Accessor<readonly string[]>;
  indexOf: (id: string) => number | undefined;
  /** Rows that stay in the document wherever the reader is. */
  pinned: Accessor<readonly number[]>;
  /** Something else may be on the screen. */
  onLook: () => void;
}

/** At the end, or where these messages stand: the first of them that is still there keeps its pixel. */
type Place = { kind: 'end' } | { kind: 'messages'; tops: readonly Anchor[] };

/** So near to the end counts as being there. */
const BOTTOM_PX = 10;
/** So much of an item has to be on the screen, in pixels. */
const SEEN_PX = 36;
/** A revealed message keeps so far from the edge. */
const EDGE_PX = 12;
/** So many rows are shown before anything is known of the screen. */
const FIRST_ROWS = 20;
/** What the reader sees is found in two rounds; more are for fractions of pixels. */
const ROUNDS = 5;

/**
 * Keeps the reader's place whatever comes, goes, or changes its size: at the end they stay at the end, elsewhere the first message on the
 * screen stays on its pixel (C5.1, C5.3, C5.4). Sizes are looked at before they are painted, so nothing is seen to jump. It never scrolls over
 * time, so there is nothing that a wheel, a key or a touch would have to cancel (C5.5).
 */
export function createScrollOwner({ box, content, ids, indexOf, pinned, onLook }: Options): ScrollOwner {
  const { layout, measure, forget } = createRowLayout(ids, indexOf);
  /** What is on the screen, by the first and the last message of it; null: the end. */
  const [span, setSpan] = createSignal<{ first: string | null; last: string | null }>({ first: null, last: null });
  const [isAtBottom, setAtBottom] = createSignal(true);
  let place: Place = { kind: 'end' };
  let known = { content: 0, box: 0, width: 0 };
  let written = -1;
  let settling = false;
  /** The place was taken from where rows are thought to be. */
  let isGuessed = false;

  let lastFirst = 0;
  const shown = createMemo(
    () => {
      const { first, last } = span();
      const count = ids().length;
      const end = count - 1;
      const to = last === null ? end : (indexOf(last) ?? end);
      const from = first === null ? Math.max(0, end - FIRST_ROWS) : (indexOf(first) ?? lastFirst);
      lastFirst = Math.min(from, to);
      return rowsAround(count, lastFirst, Math.max(0, to), pinned());
    },
    [],
    { equals: isSameList },
  );
  const gaps = createMemo(() => gapsBetween(shown(), ids().length, layout()));

  const rows = (): HTMLElement[] => [...content.children] as HTMLElement[];
  const rowOf = (id: string): HTMLElement | null => content.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"]`);
  const bubbleOf = (row: HTMLElement): Element => row.querySelector('.bubble') ?? row;
  const idOf = (row: HTMLElement): string => row.dataset.id ?? '';
  const topOf = (element: Element): number => element.getBoundingClientRect().top - box.getBoundingClientRect().top;
  const isAtEnd = (): boolean => place.kind === 'end';
  const toEnd = (): number => box.scrollHeight - box.scrollTop - box.clientHeight;

  function write(scrollTop: number): void {
    box.scrollTop = scrollTop;
    written = box.scrollTop;
  }

  /** What is on the screen: above all messages that are whole, as what a half hidden one becomes would move what is read below it. */
  function seen(): Anchor[] {
    const all = rows()
      .map((row) => ({ id: idOf(row), top: topOf(bubbleOf(row)), end: topOf(row) + row.offsetHeight }))
      .filter(({ top, end }) => end > 0 && top < box.clientHeight);
    return [...all.filter(({ top }) => top >= 0), ...all.filter(({ top }) => top < 0)].map(({ id, top }) => ({ id, top }));
  }

  /** Takes the reader's place from what they look at. */
  function notePlace(): void {
    const isEnd = toEnd() <= BOTTOM_PX;
    setAtBottom(isEnd);
    const tops = isEnd ? [] : seen();
    isGuessed = !isEnd && tops.length === 0;
    place = isEnd ? { kind: 'end' } : { kind: 'messages', tops: isGuessed ? guess() : tops };
  }

  /** What was guessed is seen now; what else is on the screen stands in for the held message, should that go. */
  function renewPlace(): void {
    if (place.kind === 'end') return;
    const held = place.tops.find(({ id }) => rowOf(id));
    if (!held) return;
    if (isGuessed) notePlace();
    else place = { kind: 'messages', tops: [held, ...seen().filter(({ id }) => id !== held.id)] };
  }

  /** Where nothing is shown yet: the row that is thought to be there. */
  function guess(): Anchor[] {
    const y = -topOf(content);
    const index = layout().indexAt(y);
    const id = ids()[index];
    return id === undefined ? [] : [{ id, top: layout().offsets[index]! - y }];
  }

  /** Puts the reader back to their place; where it cannot be reached, the nearest one is theirs. */
  function hold(): void {
    if (place.kind === 'end') return write(box.scrollHeight);
    for (const { id, top } of place.tops) {
      const row = rowOf(id);
      if (!row) continue;
      write(box.scrollTop + topOf(bubbleOf(row)) - top);
      if (toEnd() <= BOTTOM_PX || Math.abs(topOf(bubbleOf(row)) - top) > 1) notePlace();
      setAtBottom(isAtEnd());
      return;
    }
  }

  /** Whether other rows are on the screen than was thought. */
  function lookAround(): boolean {
    const held = place.kind === 'messages' ? place.tops.find(({ id }) => indexOf(id) !== undefined) : undefined;
    // What is to be on the screen is not in the document yet.
    const y = held && !rowOf(held.id) ? layout().offsets[indexOf(held.id)!]! - held.top : -topOf(content);
    const idAt = (height: number): string | null => ids()[layout().indexAt(height)] ?? null;
    const next = { first: idAt(y), last: place.kind === 'end' ? null : idAt(y + box.clientHeight) };
    const before = span();
    if (before.first === next.first && before.last === next.last) return false;
    setSpan(next);
    return true;
  }

  function settleNow(): void {
    if (settling) return;
    settling = true;
    if (known.width !== box.clientWidth) forget();
    for (let round = 0; round < ROUNDS; round++) {
      measure(rows());
      hold();
      if (!lookAround()) break;
    }
    renewPlace();
    known = { content: content.offsetHeight, box: box.clientHeight, width: box.clientWidth };
    settling = false;
    // What is in the document now is not where the reader is going.
    if (place.kind === 'end' || place.tops.some(({ id }) => rowOf(id))) onLook();
  }
  const settle = (): void => untrack(settleNow);

  function onScroll(): void {
    if (box.scrollTop === written) return;
    // A change of size is no scrolling of the reader's.
    if (content.offsetHeight === known.content && box.clientHeight === known.box) notePlace();
    settle();
  }

  function go(to: Place): void {
    place = to;
    isGuessed = false;
    setAtBottom(to.kind === 'end');
    settle();
  }

  const observer = new ResizeObserver(settle);
  observer.observe(box);
  observer.observe(content);
  box.addEventListener('scroll', onScroll, { passive: true });
  onCleanup(() => {
    observer.disconnect();
    box.removeEventListener('scroll', onScroll);
  });

  return {
    shown,
    gaps,
    settle,
    isAtBottom,
    lastOnScreen: () => span().last ?? ids().at(-1) ?? null,
    toBottom: () => go({ kind: 'end' }),
    byPages(pages) {
      box.scrollTop += pages * 0.9 * box.clientHeight;
      notePlace();
      settle();
    },
    indexByPage: (from, direction) => layout().indexAt(layout().offsets[from]! + direction * 0.9 * box.clientHeight),
    toMessage: (id) => go({ kind: 'messages', tops: [{ id, top: box.clientHeight / 3 }] }),
    reveal(id) {
      const third = { kind: 'messages', tops: [{ id, top: box.clientHeight / 3 }] } as const;
      if (!rowOf(id)) go(third);
      const row = rowOf(id);
      if (!row) return;
      const inset = topOf(bubbleOf(row)) - topOf(row);
      const top = topOf(row);
      const lowest = box.clientHeight - row.offsetHeight - EDGE_PX;
      if (top >= EDGE_PX && top <= lowest) return;
      const wanted = top < EDGE_PX ? EDGE_PX : Math.max(EDGE_PX, lowest);
      go({ kind: 'messages', tops: [{ id, top: wanted + inset }] });
    },
    restore: (anchor) => go({ kind: 'messages', tops: [anchor] }),
    anchor: () => (place.kind === 'messages' ? (place.tops[0] ?? null) : null),
    lastSeen: () => rows().findLast((row) => topOf(row) + Math.min(row.offsetHeight, SEEN_PX) <= box.clientHeight) ?? null,
  };
}
