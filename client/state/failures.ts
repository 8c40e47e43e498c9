import { isDraftKey } from '../../shared/user-document.ts';
import type { Entry, Failure } from '../sync/outbox/entry.ts';

/** Why something was not sent, in words. */
export const FAILURES: Record<Failure, string> = {
  closed: 'Not sent: the conversation was moving on. Try again.',
  duplicate: 'Not sent: it is there already.',
  removed: 'Not sent: it was removed.',
  blocked: 'Not sent: no messages pass between you and this person.',
  role: 'Not sent: your role here does not allow it.',
  quota: 'Not sent: there is no room left for it.',
  gone: 'Not changed: the message was deleted.',
  lost: 'Not sent: the server lost this conversation and went back to a backup. Copy the text to keep it.',
  refused: 'Not sent: this conversation is not open to you.',
  unreadable: 'Not sent: the server cannot read it. Copy the text and write it anew.',
};

/** Why a reaction was undone. */
export const REACTION_FAILURES: Record<Failure, string> = {
  closed: 'Your reaction was not taken: the conversation was moving on. Try again.',
  duplicate: 'Your reaction was not taken: it is there already.',
  removed: 'Your reaction was not taken: the message was deleted.',
  blocked: 'Your reaction was not taken: nothing passes between you and this person.',
  role: 'Your reaction was not taken: your role here does not allow it.',
  quota: 'Your reaction was not taken: this message takes no more of them.',
  gone: 'Your reaction was not taken: the message was deleted.',
  refused: 'Your reaction was not taken. Try again.',
  lost: 'Your reaction was not taken: the server lost this conversation and went back to a backup.',
  unreadable: 'Your reaction was not taken: the server cannot read it.',
};

/** Why a draft stays on one device. */
const DRAFT_FAILURE = 'This draft stays on this device: there is no room for it on the others.';
const MARKS_FAILURE = 'Not changed: there is no room left for it.';

/** Why an entry failed, in words. */
export function wordsFor(entry: Entry, code: Failure): string {
  if (entry.kind === 'react') return REACTION_FAILURES[code];
  if (entry.kind !== 'private') return FAILURES[code];
  return isDraftKey(entry.key) ? DRAFT_FAILURE : MARKS_FAILURE;
}
