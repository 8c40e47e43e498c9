import type { Failure } from '../sync/outbox/entry.ts';

/** Why something was not sent, in words. */
export const FAILURES: Record<Failure, string> = {
  closed: 'Not sent.',
  duplicate: 'Not sent.',
  removed: 'Not sent: it was removed.',
  blocked: 'Not sent: this person takes no messages from you.',
  role: 'Not sent: you may not write here.',
  quota: 'Not sent: there is no room left.',
  gone: 'Not changed: the message was deleted.',
  refused: 'Not sent: this conversation is not open to you.',
};
