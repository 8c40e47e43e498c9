import type { z } from 'zod';
import {
  type Conversation,
  type Me,
  type Problem,
  type User,
  conversationAnswer,
  conversations,
  problem,
  me,
  signedIn,
  user,
  users,
} from '../../shared/api.ts';
import { CLOSE } from '../../shared/close-codes.ts';
import { decodeExchange, encodeExchange } from '../../shared/exchange.ts';
import type { Uuid } from '../../shared/ids.ts';
import { type AccountApi, makeAccountApi } from './account-api.ts';
import { type ProtectionApi, makeProtectionApi } from './protection-api.ts';
import type { Exchange, Exchanged } from './wire/exchange.ts';

/** An HTTP answer that is no success, with the server's words. `status` 0: nobody answered. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly status: number;
  readonly code: string;
  /** What is wrong with which field, by its path. */
  readonly fields: ReadonlyMap<string, string>;

  constructor(status: number, code: string, words: string, fields: ReadonlyMap<string, string> = new Map()) {
    super(words);
    this.status = status;
    this.code = code;
    this.fields = fields;
  }
}

/** What came of asking for a new access token. `unreachable`: nobody could tell, so nobody is signed out. */
export type Renewal = 'renewed' | 'signed-out' | 'unreachable';

export interface Api extends AccountApi, ProtectionApi {
  /** `invite`: what the link carries that this person came by. */
  register: (handle: string, displayName: string, password: string, invite: string | null) => Promise<Me>;
  login: (handle: string, password: string) => Promise<Me>;
  logout: () => Promise<void>;
  me: () => Promise<Me>;
  findPeople: (query: string, signal: AbortSignal) => Promise<User[]>;
  person: (handle: string) => Promise<User>;
  conversations: () => Promise<Conversation[]>;
  /** The direct conversation with somebody, opened when there is none. */
  openDirect: (userId: Uuid) => Promise<Conversation>;
  markRead: (conversationId: Uuid, seq: number) => Promise<void>;
  changeProfile: (change: { displayName?: string; bio?: string }) => Promise<Me>;
  setPicture: (picture: Blob) => Promise<Me>;
  removePicture: () => Promise<Me>;
  /** Messages of one document over HTTP, where no socket gets through (W12). Never throws. */
  exchange: Exchange;
  /** Renews the session over HTTP; several callers at once make one request. */
  renew: () => Promise<Renewal>;
}

interface Deps {
  fetch: typeof fetch;
  /** Keeps the tabs of one browser from renewing at the same time, where there are Web Locks. */
  locks?: LockManager | undefined;
  /** Ends what was not answered in time. */
  timeout?: (ms: number) => AbortSignal;
}

interface Call {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  body?: unknown;
  /** In the place of a body in JSON. */
  raw?: Blob | Uint8Array<ArrayBuffer>;
  signal?: AbortSignal;
}

/** A network that swallows everything never says so. The server answers an exchange within 20 s (W12). */
const ANSWER_MS = 25_000;
/** A picture on a slow line. */
const UPLOAD_MS = 5 * 60_000;
const NO_NETWORK = 'Homing cannot be reached. Please check your connection.';
const ODD_ANSWER = 'The server gave an answer that this app does not understand.';

const asError = (status: number, found: Problem | null): ApiError =>
  found
    ? new ApiError(status, found.code, found.detail ?? found.title, new Map(found.errors?.map(({ path, message }) => [path, message])))
    : new ApiError(status, 'internal', ODD_ANSWER);

/** What a socket would have been closed with. Null: nobody answered. */
function closeOf({ status, code, message }: ApiError): { code: number | null; reason: string } {
  const reason = message;
  if (status === 0) return { code: null, reason };
  if (status === 401) return { code: CLOSE.unauthorized.code, reason };
  if (status === 403) return { code: CLOSE.notMember.code, reason };
  if (status === 404) return { code: CLOSE.notFound.code, reason };
  if (status === 413) return { code: CLOSE.tooLarge.code, reason };
  return { code: code === 'refused' ? CLOSE.refused.code : CLOSE.tryLater.code, reason };
}

/** The HTTP API as typed calls. A call refused as `expired` renews the session and is made once more. Throws `ApiError`, and nothing else. */
export function makeApi({ fetch, locks, timeout = (ms) => AbortSignal.timeout(ms) }: Deps): Api {
  let renewing: Promise<Renewal> | null = null;

  async function request(path: string, { method = 'GET', body, raw, signal }: Call): Promise<Response> {
    const type = raw instanceof Blob ? raw.type : raw ? 'application/octet-stream' : body === undefined ? null : 'application/json';
    const inTime = signal ?? timeout(raw instanceof Blob ? UPLOAD_MS : ANSWER_MS);
    const init = { method, signal: inTime, body: raw ?? (body === undefined ? null : JSON.stringify(body)) };
    const response = await fetch(`/api${path}`, { ...init, ...(type && { headers: { 'content-type': type } }) }).catch(() => null);
    if (!response) throw new ApiError(0, 'unreachable', NO_NETWORK);
    if (response.ok) return response;
    const found = problem.safeParse(await response.json().catch(() => null));
    throw asError(response.status, found.success ? found.data : null);
  }

  async function respond(path: string, options: Call): Promise<Response> {
    try {
      return await request(path, options);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'expired') throw error;
      const renewal = await renew();
      if (renewal === 'renewed') return request(path, options);
      throw renewal === 'unreachable' ? new ApiError(0, 'unreachable', NO_NETWORK) : error;
    }
  }

  async function call(path: string, options: Call = {}): Promise<unknown> {
    const response = await respond(path, options);
    return response.status === 204 ? null : response.json().catch(() => null);
  }

  async function exchange(documentId: string, messages: readonly Uint8Array[]): Promise<Exchanged> {
    try {
      const answer = await respond(`/sync/${documentId}`, { method: 'POST', raw: encodeExchange(messages).slice() });
      const bytes = await answer.arrayBuffer().catch(() => null);
      const decoded = bytes && decodeExchange(new Uint8Array(bytes));
      return decoded ? { kind: 'answer', messages: decoded } : { kind: 'unreachable' };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { code, reason } = closeOf(error);
      return code === null ? { kind: 'unreachable' } : { kind: 'closed', code, reason };
    }
  }

  async function ask<T>(schema: z.ZodType<T>, path: string, options?: Call): Promise<T> {
    const read = schema.safeParse(await call(path, options));
    if (!read.success) throw new ApiError(200, 'internal', ODD_ANSWER);
    return read.data;
  }

  async function refresh(): Promise<Renewal> {
    try {
      await request('/auth/refresh', { method: 'POST', body: {} });
      return 'renewed';
    } catch (error) {
      return error instanceof ApiError && (error.status === 401 || error.status === 403) ? 'signed-out' : 'unreachable';
    }
  }

  async function renewOnce(): Promise<Renewal> {
    try {
      return locks ? await locks.request('homing:renew', refresh) : await refresh();
    } finally {
      renewing = null;
    }
  }
  const renew = (): Promise<Renewal> => (renewing ??= renewOnce());

  return {
    renew,
    exchange,
    markRead: async (id, seq) => void (await call(`/messaging/conversations/${id}/read`, { method: 'PATCH', body: { seq } })),
    changeProfile: (change) => ask(me, '/me', { method: 'PATCH', body: change }),
    async setPicture(picture) {
      await call('/me/avatar', { method: 'PUT', raw: picture });
      return ask(me, '/me');
    },
    async removePicture() {
      await call('/me/avatar', { method: 'DELETE' });
      return ask(me, '/me');
    },
    ...makeAccountApi({ call, ask }),
    ...makeProtectionApi({ call, ask }),
    async register(handle, displayName, password, invite) {
      const body = { handle, displayName, password, ...(invite !== null && { invite }) };
      return (await ask(signedIn, '/auth/register', { method: 'POST', body })).user;
    },
    login: async (handle, password) => (await ask(signedIn, '/auth/login', { method: 'POST', body: { handle, password } })).user,
    logout: async () => void (await call('/auth/logout', { method: 'POST', body: {} })),
    me: () => ask(me, '/me'),
    findPeople: async (query, signal) => (await ask(users, `/users?query=${encodeURIComponent(query)}`, { signal })).users,
    person: (handle) => ask(user, `/users/${encodeURIComponent(handle)}`),
    conversations: async () => (await ask(conversations, '/messaging/conversations')).conversations,
    openDirect: async (userId) =>
      (await ask(conversationAnswer, '/messaging/conversations', { method: 'POST', body: { userId } })).conversation,
  };
}
