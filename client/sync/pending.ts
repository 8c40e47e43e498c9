import type { Neutralised } from '../../shared/close-codes.ts';
import type { MessageId, Uuid } from '../../shared/ids.ts';
import type { MessageValue } from '../../shared/segment.ts';

/** An own message that is not in the log yet. */
export interface PendingMessage {
  readonly id: MessageId;
  readonly conversationId: Uuid;
  readonly value: MessageValue;
  readonly state: { kind: 'waiting' } | { kind: 'failed'; code: Neutralised };
}

/** Own messages until they are in the log: the only truth about what is pending. The screen shows document + pending. */
export interface Pending {
  /** One conversation's, in the order written. */
  of: (conversationId: Uuid) => readonly PendingMessage[];
  add: (conversationId: Uuid, id: MessageId, value: MessageValue) => void;
  /** It is in the log, or its author no longer wants it. */
  remove: (id: MessageId) => void;
  fail: (id: MessageId, code: Neutralised) => void;
  /** Sends a failed one again, under the same id. */
  retry: (id: MessageId) => void;
  /** Calls `listener` after every change; the answer ends that. */
  subscribe: (listener: () => void) => () => void;
}

/** Pending messages in the memory of this tab. */
export function makePending(): Pending {
  let entries: readonly PendingMessage[] = [];
  const listeners = new Set<() => void>();

  function become(next: readonly PendingMessage[]): void {
    entries = next;
    for (const listener of listeners) listener();
  }
  const setState = (id: MessageId, state: PendingMessage['state']): void =>
    become(entries.map((entry) => (entry.id === id ? { ...entry, state } : entry)));

  return {
    of: (conversationId) => entries.filter((entry) => entry.conversationId === conversationId),
    add: (conversationId, id, value) => become([...entries, { id, conversationId, value, state: { kind: 'waiting' } }]),
    remove: (id) => become(entries.filter((entry) => entry.id !== id)),
    fail: (id, code) => setState(id, { kind: 'failed', code }),
    retry: (id) => setState(id, { kind: 'waiting' }),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
