import { type Accessor, createMemo, createSignal } from 'solid-js';
import { type Layout, layOut } from './thread-window.ts';

/** Where rows stand, as far as they were ever in the document. */
export interface RowLayout {
  layout: Accessor<Layout>;
  /** Takes the heights of these rows, each with its message in `data-id`. */
  measure: (rows: readonly HTMLElement[]) => void;
  /** Lines break elsewhere now: no height counts any more. */
  forget: () => void;
}

/** Keeps the heights of rows by message; only what follows the first change is laid out anew. */
export function createRowLayout(ids: Accessor<readonly string[]>, indexOf: (id: string) => number | undefined): RowLayout {
  const heights = new Map<string, number>();
  const [changes, setChanges] = createSignal(0);
  let changedFrom = 0;

  const layout = createMemo((before?: Layout): Layout => {
    changes();
    const from = changedFrom;
    changedFrom = Infinity;
    return layOut(ids(), heights, before, from);
  });

  return {
    layout,
    measure(rows) {
      let first = Infinity;
      for (const row of rows) {
        const id = row.dataset.id ?? '';
        const { height } = row.getBoundingClientRect();
        if (heights.get(id) === height) continue;
        heights.set(id, height);
        first = Math.min(first, indexOf(id) ?? Infinity);
      }
      if (first === Infinity) return;
      changedFrom = Math.min(changedFrom, first);
      setChanges((n) => n + 1);
    },
    forget() {
      heights.clear();
      changedFrom = 0;
    },
  };
}
