import type { z } from 'zod';
import { type Conversation, type User, conversationAnswer, users } from '../../shared/api.ts';
import type { MessageId, Uuid } from '../../shared/ids.ts';

/** How people protect themselves, as typed calls (G1, G3, G4). */
export interface ProtectionApi {
  /** Takes a request: from then on it is a conversation like others. */
  accept: (conversationId: Uuid) => Promise<Conversation>;
  /** Off this person's list, until the next message. */
  hide: (conversationId: Uuid) => Promise<void>;
  removeMember: (conversationId: Uuid, userId: Uuid) => Promise<void>;
  blocked: () => Promise<User[]>;
  setBlocked: (userId: Uuid, isBlocked: boolean) => Promise<void>;
  /** Asks the operator to look at a message. */
  report: (conversationId: Uuid, messageId: MessageId, reason: string) => Promise<void>;
}

interface Calls {
  call: (path: string, options: { method: 'POST' | 'PUT' | 'DELETE'; body?: unknown }) => Promise<unknown>;
  ask: <T>(schema: z.ZodType<T>, path: string, options?: { method: 'PUT' }) => Promise<T>;
}

export function makeProtectionApi({ call, ask }: Calls): ProtectionApi {
  const conversation = (id: Uuid): string => `/messaging/conversations/${id}`;
  return {
    accept: async (id) => (await ask(conversationAnswer, `${conversation(id)}/accept`, { method: 'PUT' })).conversation,
    hide: async (id) => void (await call(conversation(id), { method: 'DELETE' })),
    removeMember: async (id, userId) => void (await call(`${conversation(id)}/members/${userId}`, { method: 'DELETE' })),
    blocked: async () => (await ask(users, '/blocks')).users,
    setBlocked: async (userId, isBlocked) => void (await call(`/blocks/${userId}`, { method: isBlocked ? 'PUT' : 'DELETE' })),
    report: async (conversationId, messageId, reason) =>
      void (await call('/reports', { method: 'POST', body: { conversationId, messageId, reason } })),
  };
}
