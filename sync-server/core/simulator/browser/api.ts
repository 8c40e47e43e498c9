import { type Api, ApiError } from '../../../../client/sync/api.ts';
import type { Conversation, Me, User } from '../../../../shared/api.ts';
import { CLOSE, type CloseName } from '../../../../shared/close-codes.ts';
import { type Uuid, directConversationId, parseDocumentId } from '../../../../shared/ids.ts';
import { conversationOf, makeMemoryInbox } from '../../../memory/inbox.ts';
import type { MemoryStore } from '../../../memory/store.ts';
import type { Node } from '../../node.ts';
import type { MemberResult } from '../../rights/members.ts';
import type { Scheduler } from '../scheduler.ts';

/** Runs something at a node, as a request of this tab: it may not get there, and its answer may not come back. */
export type Ask = <T>(run: (node: Node) => Promise<T>) => Promise<T>;

interface Deps {
  me: Me;
  /** The sign-in that speaks. */
  sid(): Uuid;
  scheduler: Scheduler;
  store: MemoryStore;
  ask: Ask;
  /** A new access token. */
  renewed(): void;
  /** Too many strangers were asked: this one has to wait until tomorrow. */
  refusedToAsk(otherId: Uuid): void;
  /** An exchange was answered, or closed with this. */
  exchanged(closed: CloseName | null, reason: string): void;
}

const STATUS: Readonly<Record<Exclude<MemberResult, 'done'>, number>> = { 'not-found': 404, forbidden: 403, 'group-full': 409 };

function refuse(result: MemberResult): void {
  if (result !== 'done') throw new ApiError(STATUS[result], result, result);
}

const asUser = (id: Uuid): User => ({ id, handle: id, displayName: id, bio: '', avatarUrl: null });

const isSignedOut = (error: unknown): boolean => error instanceof ApiError && error.status === 401;
const SIGNED_OUT = { kind: 'closed' as const, code: CLOSE.unauthorized.code, reason: '' };

/** What the HTTP routes make of the core, for one tab: the calls of the client's engine. */
export function makeApi({ me, sid, scheduler, store, ask, renewed, refusedToAsk, exchanged }: Deps): Api {
  const lists = makeMemoryInbox(store, () => scheduler.pause(() => null));
  const listOf = async (): Promise<Conversation[]> => (await lists.changes(me.id, null)).changed;
  const isMember = (id: Uuid): boolean => store.conversations.get(id)?.members.has(me.id) ?? false;

  /** Read at one moment, answered at another. */
  async function read(id: Uuid): Promise<Conversation> {
    const found = conversationOf(store, me.id, id);
    await scheduler.pause(() => null);
    if (!found) throw new ApiError(404, 'not-found', id);
    return found;
  }

  /** Who is brought into a conversation may have to be asked first (G3). */
  async function bringIn<T>({ messaging }: Node, otherId: Uuid, task: () => Promise<T>): Promise<T> {
    const done = await messaging.ask(me.id, [otherId], task);
    if (done !== null) return done;
    refusedToAsk(otherId);
    throw new ApiError(429, 'too-many-requests', 'enough people were asked today');
  }

  const calls: Partial<Api> = {
    me: async () => ({ ...me, document: `user:${me.id}/${store.conversations.get(me.id)?.state.open ?? 1}` }),
    renew: () =>
      ask(async () => {
        renewed();
        return 'renewed' as const;
      }).catch((error: unknown) => (isSignedOut(error) ? ('signed-out' as const) : ('unreachable' as const))),
    conversations: () => ask(listOf),
    openDirect: (otherId) =>
      ask(async (node) => {
        const open = () => node.messaging.openDirect(me.id, otherId);
        const isThere = isMember(await directConversationId(me.id, otherId));
        const { conversationId } = await (isThere ? open() : bringIn(node, otherId, open));
        return read(conversationId);
      }),
    markRead: (id, seq) =>
      ask(async ({ messaging }) => {
        if ((await messaging.markRead(me.id, id, seq)) === null) throw new ApiError(404, 'not-found', id);
      }),
    accept: (id) =>
      ask(async ({ messaging }) => {
        refuse(await messaging.members.accept(me.id, id));
        return read(id);
      }),
    hide: (id) =>
      ask(async ({ messaging }) => {
        if (!(await messaging.setListed(me.id, id, false))) throw new ApiError(404, 'not-found', id);
      }),
    removeMember: (id, userId) => ask(async ({ messaging }) => refuse(await messaging.members.remove(me.id, id, userId))),
    blocked: () =>
      ask(async () => {
        const found = [...(store.blocks.get(me.id) ?? [])].map(asUser);
        await scheduler.pause(() => null);
        return found;
      }),
    setBlocked: (userId, isBlocked) => ask(({ messaging }) => messaging.setBlocked(me.id, userId, isBlocked)),
    exchange: (documentId, messages) =>
      ask(async (node) => {
        const result = await node.exchange({ userId: me.id, sid: sid(), name: parseDocumentId(documentId)! }, messages);
        exchanged('closed' in result ? result.closed : null, 'closed' in result ? result.reason : '');
        if (!('closed' in result)) return { kind: 'answer' as const, messages: result.messages };
        return { kind: 'closed' as const, code: CLOSE[result.closed].code, reason: result.reason };
      }).catch((error: unknown) => (isSignedOut(error) ? SIGNED_OUT : { kind: 'unreachable' as const })),
  };
  return calls as Api;
}
