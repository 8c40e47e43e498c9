/**
 * Where a key leads in a list that is one tab stop: arrows, Home and End, and screens up and down where the list has them (C9.7). Null: it is
 * no key of the list's.
 */
export function stepFrom(event: KeyboardEvent, index: number, count: number, byPage: (direction: 1 | -1) => number): number | null {
  if (event.altKey || event.metaKey || event.shiftKey || count === 0) return null;
  const steps: Record<string, (() => number) | undefined> = {
    ArrowUp: () => index - 1,
    ArrowDown: () => index + 1,
    Home: () => 0,
    End: () => count - 1,
    PageUp: () => Math.min(byPage(-1), index - 1),
    PageDown: () => Math.max(byPage(1), index + 1),
  };
  const to = steps[event.key]?.();
  return to === undefined ? null : Math.max(0, Math.min(count - 1, to));
}

/**
 * Makes these the children of `parent`, in this order. What holds the focus is never taken out of the document for it: the others are moved
 * around it.
 */
export function arrange(parent: Element, children: readonly Element[]): void {
  const wanted = new Set(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  const held = children.findIndex((child) => child.contains(document.activeElement));
  for (let i = held - 1; i >= 0; i--) if (children[i]!.nextSibling !== children[i + 1]!) children[i + 1]!.before(children[i]!);
  for (let i = held + 1; i < children.length; i++) {
    const before = children[i - 1];
    if (!before) parent.prepend(children[i]!);
    else if (before.nextSibling !== children[i]!) before.after(children[i]!);
  }
}
