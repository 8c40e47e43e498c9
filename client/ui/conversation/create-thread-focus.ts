import { type Accessor, createMemo, createSignal } from 'solid-js';
import type { ConversationView } from '../../state/create-conversation.ts';
import { stepFrom } from '../roving.ts';
import type { ScrollOwner } from './scroll-owner.ts';

/** One message of the thread is its tab stop (C9.7). */
export interface ThreadFocus {
  /** Where Tab enters: the message that was focused last, if it is still about, else the last one on the screen. */
  stop: Accessor<string | null>;
  onKeyDown: (event: KeyboardEvent) => void;
  onFocusIn: (event: FocusEvent) => void;
  onFocusOut: (event: FocusEvent) => void;
  /** Focus that went with a message or a button goes to what stands there now. */
  mend: () => void;
}

interface Options {
  content: HTMLElement;
  view: Pick<ConversationView, 'ids' | 'indexOf'>;
  scroll: ScrollOwner;
  /** The message that holds the focus, itself or by one of its buttons. */
  focused: Accessor<string | null>;
  setFocused: (id: string | null) => void;
  /** Escape: back to where one writes. */
  onLeave: () => void;
}

export function createThreadFocus({ content, view, scroll, focused, setFocused, onLeave }: Options): ThreadFocus {
  const { ids, indexOf } = view;
  const [current, setCurrent] = createSignal<string | null>(null);
  let index = 0;

  const rowOf = (id: string): HTMLElement | null => content.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"]`);
  const holdsFocus = (): boolean => content.contains(document.activeElement);
  const idOf = (target: EventTarget | null): string | null =>
    target instanceof Element ? (target.closest<HTMLElement>('li[data-id]')?.dataset.id ?? null) : null;

  /** What can be done about a failure comes first; else what the menu offers. */
  const actionOf = (row: HTMLElement): HTMLElement | null =>
    row.querySelector<HTMLElement>('.failure button') ?? row.querySelector('button');

  function focusAt(to: number): void {
    const id = ids()[to];
    if (id === undefined) return onLeave();
    scroll.reveal(id);
    rowOf(id)?.focus({ preventScroll: true });
  }

  return {
    stop: createMemo(() => {
      const id = current();
      const at = id === null ? undefined : indexOf(id);
      return at !== undefined && scroll.shown().includes(at) ? id : scroll.lastOnScreen();
    }),
    onKeyDown(event) {
      const id = idOf(event.target);
      if (id === null || event.isComposing) return;
      const to = stepFrom(event, indexOf(id) ?? 0, ids().length, (direction) => scroll.indexByPage(indexOf(id) ?? 0, direction));
      const action = event.key === 'Enter' && event.target === rowOf(id) ? actionOf(rowOf(id)!) : null;
      if (to === null && !action && event.key !== 'Escape') return;
      event.preventDefault();
      if (to !== null) focusAt(to);
      else if (action?.ariaHasPopup) action.click();
      else if (action) action.focus({ preventScroll: true });
      else onLeave();
    },
    onFocusIn(event) {
      const id = idOf(event.target);
      setFocused(id);
      setCurrent(id);
      index = (id === null ? undefined : indexOf(id)) ?? 0;
    },
    onFocusOut({ target }) {
      // What is taken out of the document has not been left by anybody.
      queueMicrotask(() => target instanceof Node && target.isConnected && !holdsFocus() && setFocused(null));
    },
    mend() {
      const id = focused();
      if (id === null) return;
      index = indexOf(id) ?? index;
      if (document.activeElement === document.body) focusAt(Math.min(index, ids().length - 1));
    },
  };
}
