import { type Accessor, createSignal, onCleanup } from 'solid-js';

/** A place in a thread: this message, so many pixels below the upper edge. */
export interface Anchor {
  id: string;
  top: number;
}

/** The only one who writes `scrollTop` of a thread (C5.5). */
export interface ScrollOwner {
  isAtBottom: Accessor<boolean>;
  toBottom(): void;
  /** Up or down by so many screens, a little less than whole ones. */
  byPages(pages: number): void;
  /** Brings an item about a third of the way down. */
  toItem(item: HTMLElement): void;
  /** Goes back to where an earlier owner was; false: that message is not here. */
  restore(anchor: Anchor): boolean;
  /** Where the reader is; null at the end. */
  anchor(): Anchor | null;
  /** The last item of which a reader has seen something; null before there is one. */
  lastSeen(): HTMLElement | null;
}

type Place = { kind: 'bottom' } | { kind: 'item'; item: HTMLElement; top: number };

/** So near to the end counts as being there. */
const BOTTOM_PX = 10;
/** So much of an item has to be on the screen, in pixels. */
const SEEN_PX = 36;

/**
 * Keeps the reader's place whatever changes its size: at the end they stay at the end, elsewhere the first visible item stays on its pixel
 * (C5.1, C5.3, C5.4). Sizes are looked at before they are painted, so nothing is seen to jump. `onLook` runs when something else may be on the screen.
 */
export function createScrollOwner(box: HTMLElement, content: HTMLElement, onLook: () => void): ScrollOwner {
  const [isAtBottom, setAtBottom] = createSignal(true);
  let place: Place = { kind: 'bottom' };
  let knownHeight = 0;

  const items = (): HTMLCollectionOf<HTMLElement> => content.children as HTMLCollectionOf<HTMLElement>;
  const topOf = (item: HTMLElement): number => item.getBoundingClientRect().top - box.getBoundingClientRect().top;

  /** The first item whose end is below `y`, by halving. */
  function itemAt(y: number): HTMLElement | null {
    const all = items();
    let low = 0;
    let high = all.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (topOf(all[middle]!) + all[middle]!.offsetHeight > y) high = middle;
      else low = middle + 1;
    }
    return all[low] ?? null;
  }

  function notePlace(): void {
    const atBottom = box.scrollHeight - box.scrollTop - box.clientHeight <= BOTTOM_PX;
    const item = atBottom ? null : itemAt(0);
    place = item ? { kind: 'item', item, top: topOf(item) } : { kind: 'bottom' };
    setAtBottom(atBottom);
  }

  function keepPlace(): void {
    knownHeight = content.offsetHeight;
    if (place.kind === 'bottom') box.scrollTop = box.scrollHeight;
    else if (place.item.isConnected) box.scrollTop += topOf(place.item) - place.top;
    onLook();
  }

  function onScroll(): void {
    if (content.offsetHeight !== knownHeight) return keepPlace();
    notePlace();
    onLook();
  }

  const observer = new ResizeObserver(keepPlace);
  observer.observe(box);
  observer.observe(content);
  box.addEventListener('scroll', onScroll, { passive: true });
  onCleanup(() => {
    observer.disconnect();
    box.removeEventListener('scroll', onScroll);
  });

  return {
    isAtBottom,
    toBottom() {
      place = { kind: 'bottom' };
      setAtBottom(true);
      box.scrollTop = box.scrollHeight;
    },
    byPages(pages) {
      box.scrollTop += pages * 0.9 * box.clientHeight;
      notePlace();
    },
    toItem(item) {
      box.scrollTop += topOf(item) - box.clientHeight / 3;
      notePlace();
    },
    restore({ id, top }) {
      const item = content.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"]`);
      if (!item) return false;
      box.scrollTop += topOf(item) - top;
      notePlace();
      return true;
    },
    anchor: () => (place.kind === 'item' && place.item.dataset.id ? { id: place.item.dataset.id, top: place.top } : null),
    lastSeen() {
      const end = box.clientHeight;
      let item = itemAt(end - 1) ?? (content.lastElementChild as HTMLElement | null);
      while (item && topOf(item) + Math.min(item.offsetHeight, SEEN_PX) > end) item = item.previousElementSibling as HTMLElement | null;
      return item;
    },
  };
}
