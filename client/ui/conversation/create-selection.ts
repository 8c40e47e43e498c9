import { type Accessor, createSignal, onCleanup } from 'solid-js';
import { rowOf } from './copied-text.ts';

/** The messages at both ends of a selection in the thread, so that their rows stay in the document while it lasts. */
export function createSelection(content: HTMLElement): Accessor<readonly string[]> {
  const [ends, setEnds] = createSignal<readonly string[]>([], { equals: (a, b) => a.join() === b.join() });
  function onSelectionChange(): void {
    const selection = document.getSelection();
    const rows = selection && !selection.isCollapsed ? [selection.anchorNode, selection.focusNode].map(rowOf) : [];
    setEnds(rows.flatMap((row) => (row && content.contains(row) ? (row.dataset.id ?? []) : [])));
  }
  document.addEventListener('selectionchange', onSelectionChange);
  onCleanup(() => document.removeEventListener('selectionchange', onSelectionChange));
  return ends;
}
