import type { Failure } from '../sync/outbox/entry.ts';

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
};
