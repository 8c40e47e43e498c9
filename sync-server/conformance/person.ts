import { z } from 'zod';
import { type Conversation, type Message, conversationAnswer, me, messageAnswer, messagesPage, signedIn } from '../../shared/api.ts';
import type { MessageId, Uuid } from '../../shared/ids.ts';

export interface Answer {
  status: number;
  body: unknown;
}

/** Somebody with an account, as a program. */
export interface Person {
  id: Uuid;
  handle: string;
  readonly token: string;
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  /** The direct conversation with somebody, which both open: neither was asked (G3). */
  converse(other: Person): Promise<Conversation>;
  send(conversationId: Uuid, content: string, id?: MessageId): Promise<{ status: number; message: Message }>;
  /** The whole history, oldest first. */
  history(conversationId: Uuid): Promise<Message[]>;
  /** Id of the private document that is open now. */
  privateDocument(): Promise<string>;
  /** Renews the session: another token, from now on. */
  refresh(): Promise<void>;
  logOut(): Promise<Answer>;
}

export const PASSWORD = 'correct horse battery';
const withRefresh = signedIn.extend({ refreshToken: z.string() });

async function call(origin: string, token: string | null, method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(origin + path, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : JSON.parse(text) };
}

/** Registers somebody at a server. */
export async function register(origin: string, handle: string): Promise<Person> {
  const body = { handle, displayName: handle, password: PASSWORD, client: 'program' };
  const answer = await call(origin, null, 'POST', '/api/auth/register', body);
  if (answer.status !== 201) throw new Error(`register ${handle}: ${answer.status} ${JSON.stringify(answer.body)}`);
  const { user, accessToken, refreshToken } = withRefresh.parse(answer.body);
  return makePerson(origin, { id: user.id, handle, token: accessToken, refreshToken });
}

/** Signs somebody in again who is here already. */
export async function logIn(origin: string, handle: string): Promise<Person> {
  const answer = await call(origin, null, 'POST', '/api/auth/login', { handle, password: PASSWORD, client: 'program' });
  if (answer.status !== 200) throw new Error(`log in ${handle}: ${answer.status} ${JSON.stringify(answer.body)}`);
  const { user, accessToken, refreshToken } = withRefresh.parse(answer.body);
  return makePerson(origin, { id: user.id, handle, token: accessToken, refreshToken });
}

function makePerson(origin: string, who: { id: Uuid; handle: string; token: string; refreshToken: string }): Person {
  const { id, handle } = who;
  let { token, refreshToken } = who;
  const asThem = (method: string, path: string, body?: unknown): Promise<Answer> => call(origin, token, method, path, body);
  return {
    id,
    handle,
    get token() {
      return token;
    },
    call: asThem,
    async converse(other) {
      await other.call('POST', '/api/messaging/conversations', { userId: id });
      return conversationAnswer.parse((await asThem('POST', '/api/messaging/conversations', { userId: other.id })).body).conversation;
    },
    async send(conversationId, content, messageId) {
      const { status, body } = await asThem('POST', '/api/messaging/messages', {
        conversationId,
        content,
        ...(messageId && { id: messageId }),
      });
      if (status > 201) throw new Error(`send: ${status} ${JSON.stringify(body)}`);
      return { status, message: messageAnswer.parse(body).message };
    },
    async history(conversationId) {
      const all: Message[] = [];
      for (let before: number | null | undefined; before !== null;) {
        const query: string = before === undefined ? '' : `&before=${before}`;
        const page = await asThem('GET', `/api/messaging/conversations/${conversationId}/messages?limit=200${query}`);
        const { messages, nextBefore } = messagesPage.parse(page.body);
        all.unshift(...messages);
        before = nextBefore;
      }
      return all;
    },
    privateDocument: async () => me.parse((await asThem('GET', '/api/me')).body).document,
    async refresh() {
      const { body } = await call(origin, null, 'POST', '/api/auth/refresh', { refreshToken });
      ({ accessToken: token, refreshToken } = withRefresh.parse(body));
    },
    logOut: () => call(origin, null, 'POST', '/api/auth/logout', { refreshToken }),
  };
}
