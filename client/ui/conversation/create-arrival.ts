import { type Accessor, createEffect, createSignal, on, onCleanup } from 'solid-js';
import type { ConversationView } from '../../state/create-conversation.ts';
import type { Anchor, ScrollOwner } from './scroll-owner.ts';

/** Going to a message that may not be loaded yet. */
export interface Arrival {
  /** The way there is not at its end: what is on the screen is not what the reader came for. */
  isUnderWay: Accessor<boolean>;
  toUnread: () => void;
  toAnchor: (anchor: Anchor) => void;
}

type Goal = { kind: 'unread' } | { kind: 'anchor'; anchor: Anchor };

interface Options {
  box: HTMLElement;
  view: ConversationView;
  scroll: ScrollOwner;
  /** What is not on this device may come. */
  canLoad: Accessor<boolean>;
}

/** Loads history until the goal is there, and goes to it. A wheel, a key or a touch of the reader ends the way at once (C5.5). */
export function createArrival({ box, view, scroll, canLoad }: Options): Arrival {
  const [goal, setGoal] = createSignal<Goal | null>(null);

  function go(now: Goal | null): void {
    if (now === null) return;
    const isThere = now.kind === 'unread' ? !view.hasOlderUnread() : view.indexOf(now.anchor.id) !== undefined;
    if (!isThere && view.hasOlder() && canLoad()) return view.loadOlder();
    setGoal(null);
    const unread = view.firstUnread();
    if (now.kind === 'unread' && unread !== null) scroll.toMessage(unread);
    else if (now.kind === 'unread') scroll.toBottom();
    else if (isThere) scroll.restore(now.anchor);
  }
  createEffect(on([goal, view.ids, view.hasOlderUnread, view.hasOlder, canLoad], ([now]) => go(now)));

  const end = (): void => void setGoal(null);
  for (const kind of ['wheel', 'touchstart', 'pointerdown', 'keydown'] as const) {
    box.addEventListener(kind, end, { passive: true });
    onCleanup(() => box.removeEventListener(kind, end));
  }
  return {
    isUnderWay: () => goal() !== null,
    toUnread: () => setGoal({ kind: 'unread' }),
    toAnchor: (anchor) => setGoal({ kind: 'anchor', anchor }),
  };
}
