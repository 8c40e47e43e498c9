import { useNavigate, useParams } from '@solidjs/router';
import { onCleanup } from 'solid-js';
import type { ConversationRow } from '../../state/create-conversation-list.ts';
import { isDialogOpen } from '../regions.ts';
import { neighbour } from './neighbour.ts';

/** Alt with the arrows up and down opens the conversation before or after, with Shift the next unread one (C2). */
export function createListKeys(rows: () => readonly ConversationRow[]): void {
  const navigate = useNavigate();
  const params = useParams<{ id?: string }>();
  function onKeyDown(event: KeyboardEvent): void {
    const step = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : null;
    if (step === null || !event.altKey || event.ctrlKey || event.metaKey || event.isComposing || isDialogOpen()) return;
    event.preventDefault();
    const id = neighbour(rows(), params.id, step, event.shiftKey);
    if (id !== null) navigate(`/conversations/${id}`);
  }
  document.addEventListener('keydown', onKeyDown);
  onCleanup(() => document.removeEventListener('keydown', onKeyDown));
}
