import type { ThreadMessage } from '../../state/thread.ts';
import type { Action } from '../controls/Menu.tsx';

/** What can be done with a message of the thread. */
export interface MessageActs {
  copy: (message: ThreadMessage) => void;
  /** Null while there is no place to write in. */
  edit: ((message: ThreadMessage) => void) | null;
  remove: (message: ThreadMessage) => void;
  report: (message: ThreadMessage) => void;
}

/** Nothing can be done with what is deleted, here or everywhere. */
export const hasMenu = ({ text, change }: ThreadMessage): boolean => text !== null && change !== 'delete';

/** One's own messages are changed and deleted, those of others reported. */
export function actionsFor(message: ThreadMessage, acts: MessageActs): Action[] {
  const copy: Action = { words: 'Copy', icon: 'copy', act: () => acts.copy(message) };
  if (!message.isOwn) return [copy, { words: 'Report…', icon: 'flag', isDangerous: true, act: () => acts.report(message) }];
  const { edit } = acts;
  return [
    copy,
    ...(message.failure || !edit ? [] : [{ words: 'Edit', icon: 'edit' as const, act: () => edit(message) }]),
    { words: 'Delete', icon: 'remove', isDangerous: true, act: () => acts.remove(message) },
  ];
}
