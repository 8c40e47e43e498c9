import * as Y from 'yjs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { conversationAnswer } from '../../shared/api.ts';
import { systemRandom } from '../../shared/clock.ts';
import { encodeExchange } from '../../shared/exchange.ts';
import { type Uuid, makeMessageId } from '../../shared/ids.ts';
import { addMessage, laneName, readMessages } from '../../shared/segment.ts';
import { type TestApi, type TestPerson, openTestApi } from './test-api.ts';
import type { Peer } from '../core/testing/peer.ts';
import { dial } from './testing/dial.ts';
import { listen } from './testing/listen.ts';

/**
 * Who may do what (G6): every route of the API's own description, and every kind of document over real sockets, for whoever stands in one
 * of these ways to a group. `blocked` is somebody whom the other of their direct conversation has blocked, and stands to that one.
 */
const ROLES = ['signed out', 'stranger', 'former', 'member', 'admin', 'owner', 'blocked'] as const;
type Role = (typeof ROLES)[number];
type Asked = { path: string; body?: unknown; headers?: Record<string, string> };
/** One status for each role, in their order; or how the route is open to everybody, or whoever is signed in answered alike. */
type Row =
  | { open: string }
  | { own: number; ask?: () => Asked | Promise<Asked> }
  | { by: readonly number[]; ask: (role: Role) => Asked | Promise<Asked> };

let api: TestApi;
let server: Awaited<ReturnType<typeof listen>>;
let people: Record<Exclude<Role, 'signed out'>, TestPerson>;
/** The group, and the direct conversation of `blocked` with the owner; the closed segment that a newcomer may not read. */
let group: Uuid;
let direct: Uuid;
let closedDirect: Uuid;
/** The owner's message in the group, and in the direct conversation. */
let said: Record<Uuid, string>;
let extras = 0;

const C = '/api/messaging/conversations';
const nobody = '00000000-0000-4000-8000-000000000000';
const newId = () => makeMessageId(api.now(), systemRandom);
const idFor = (role: Role): Uuid => (role === 'blocked' ? direct : group);
const open = async (person: TestPerson, body: unknown): Promise<Uuid> =>
  conversationAnswer.parse((await person.call('POST', C, body)).body).conversation.id;

/** Somebody new, in the group where `role` says so. */
async function extra(isMember: boolean): Promise<Uuid> {
  const { id } = await api.register(`extra${++extras}`);
  if (isMember) await people.owner.call('PUT', `${C}/${group}/members/${id}`, {});
  return id;
}

beforeAll(async () => {
  api = await openTestApi();
  server = await listen(api);
  const names = ROLES.filter((role): role is Exclude<Role, 'signed out'> => role !== 'signed out');
  people = Object.fromEntries(await Promise.all(names.map(async (role) => [role, await api.register(role)] as const))) as typeof people;
  const { owner, admin, member, former, blocked } = people;
  group = await open(owner, { title: 'Group', memberIds: [admin.id, member.id, former.id], history: 'joined' });
  await owner.call('PUT', `${C}/${group}/members/${admin.id}`, { role: 'admin' });
  direct = await open(owner, { userId: blocked.id });
  closedDirect = await open(blocked, { userId: member.id });
  said = {};
  for (const conversationId of [group, direct]) {
    said[conversationId] = newId();
    await owner.call('POST', '/api/messaging/messages', { conversationId, content: 'hello', id: said[conversationId] });
  }
  for (const person of [member, admin]) await person.call('POST', '/api/messaging/messages', { conversationId: group, content: 'mine' });
  await owner.call('DELETE', `${C}/${group}/members/${former.id}`);
  for (const person of [owner, member]) await person.call('PUT', `/api/blocks/${blocked.id}`);
  // A newcomer who reads from then on closes segment 1 of the group; that of the direct conversation is closed as if it were full.
  await extra(true);
  await api.sql`update documents set closed_at = now() where conversation_id = ${closedDirect} and n = 1`;
});
afterAll(async () => {
  await server.close();
  await api.close();
});
afterEach(() => expect(api.errors.splice(0)).toEqual([]));

const inConversation =
  (suffix = '', body?: unknown) =>
  (role: Role): Asked => ({
    path: `${C}/${idFor(role)}${suffix}`,
    ...(body === undefined ? {} : { body }),
  });
const at = (path: string, body?: unknown) => (): Asked => ({ path, ...(body === undefined ? {} : { body }) });

/** Every route. Statuses: signed out, stranger, former, member, admin, owner, blocked. */
const ROUTES: Record<string, Row> = {
  'POST /api/auth/register': { open: 'whoever may register' },
  'GET /api/auth/registration': { open: 'says who may register' },
  'POST /api/auth/login': { open: 'by handle and password' },
  'POST /api/auth/refresh': { open: 'by refresh token' },
  'POST /api/auth/logout': { open: 'ends what it is shown' },
  'POST /api/auth/exchange': { open: 'by another platform’s token' },
  'POST /api/auth/enter': { open: 'by another platform’s token' },
  'POST /api/auth/backchannel-logout': { open: 'by another platform’s logout token' },
  'POST /api/auth/invite': { open: 'by the link’s token' },
  'POST /api/auth/reset': { open: 'by the link’s token' },
  'POST /api/auth/passkey/options': { open: 'begins a sign-in' },
  'POST /api/auth/passkey': { open: 'by a passkey' },
  'GET /.well-known/jwks.json': { open: 'public keys' },
  'GET /api/auth/jwks': { open: 'public keys' },
  'GET /api/avatars/{userId}/{file}': { open: 'to whoever has the address (H5)' },
  'GET /api/health': { open: 'says nothing of anybody' },
  'GET /api/me': { own: 200 },
  'PATCH /api/me': { own: 200, ask: at('/api/me', { bio: 'x' }) },
  'DELETE /api/me': { own: 403, ask: at('/api/me', { password: 'not this one' }) },
  'PUT /api/me/avatar': { own: 422, ask: at('/api/me/avatar', 'x') },
  'DELETE /api/me/avatar': { own: 200 },
  'GET /api/me/sessions': { own: 200 },
  'DELETE /api/me/sessions': { own: 204 },
  'DELETE /api/me/sessions/{id}': { own: 404, ask: at(`/api/me/sessions/${nobody}`) },
  'POST /api/me/password': { own: 403, ask: at('/api/me/password', { current: 'not this one', next: 'another one, longer' }) },
  'GET /api/me/passkeys': { own: 200 },
  'POST /api/me/passkeys': { own: 400, ask: at('/api/me/passkeys', {}) },
  'POST /api/me/passkeys/options': { own: 403, ask: at('/api/me/passkeys/options', { password: 'not this one' }) },
  'PATCH /api/me/passkeys/{id}': { own: 404, ask: at('/api/me/passkeys/abc', { name: 'x' }) },
  'DELETE /api/me/passkeys/{id}': { own: 404, ask: at('/api/me/passkeys/abc') },
  'GET /api/invites': { own: 200 },
  'POST /api/invites': { own: 201, ask: at('/api/invites', {}) },
  'DELETE /api/invites/{id}': { own: 404, ask: at(`/api/invites/${nobody}`) },
  'GET /api/blocks': { own: 200 },
  'PUT /api/blocks/{userId}': { own: 404, ask: at(`/api/blocks/${nobody}`) },
  'DELETE /api/blocks/{userId}': { own: 204, ask: at(`/api/blocks/${nobody}`) },
  'GET /api/users': { own: 200, ask: at('/api/users?query=own') },
  'GET /api/users/{handle}': { by: [401, 200, 200, 200, 200, 200, 404], ask: at('/api/users/owner') },
  [`GET ${C}`]: { own: 200 },
  [`POST ${C}`]: {
    by: [401, 201, 201, 201, 201, 201, 201],
    ask: async () => ({ path: C, body: { userId: await extra(false) } }),
  },
  [`PATCH ${C}/{id}`]: { by: [401, 404, 404, 403, 200, 200, 403], ask: inConversation('', { title: 'Another' }) },
  [`DELETE ${C}/{id}`]: { by: [401, 404, 404, 204, 204, 204, 204], ask: inConversation() },
  [`PUT ${C}/{id}/accept`]: { by: [401, 404, 404, 200, 200, 200, 200], ask: inConversation('/accept') },
  [`PUT ${C}/{id}/members/{userId}`]: {
    by: [401, 404, 404, 403, 200, 200, 403],
    ask: async (role) => inConversation(`/members/${await extra(false)}`, {})(role),
  },
  [`DELETE ${C}/{id}/members/{userId}`]: {
    by: [401, 404, 404, 403, 204, 204, 403],
    ask: async (role) => inConversation(`/members/${await extra(true)}`)(role),
  },
  [`GET ${C}/{id}/messages`]: { by: [401, 404, 404, 200, 200, 200, 200], ask: inConversation('/messages') },
  [`GET ${C}/{id}/segments`]: { by: [401, 404, 404, 200, 200, 200, 200], ask: inConversation('/segments') },
  [`PATCH ${C}/{id}/read`]: { by: [401, 404, 404, 200, 200, 200, 200], ask: inConversation('/read', { seq: 1 }) },
  'POST /api/messaging/messages': {
    by: [401, 404, 404, 201, 201, 201, 422],
    ask: (role) => ({ path: '/api/messaging/messages', body: { conversationId: idFor(role), content: 'x', id: newId() } }),
  },
  'POST /api/reports': {
    // One's own messages cannot be reported: the owner's is.
    by: [401, 404, 404, 201, 201, 404, 201],
    ask: (role) => ({ path: '/api/reports', body: { conversationId: idFor(role), messageId: said[idFor(role)], reason: 'x' } }),
  },
  'POST /api/sync/{documentId}': {
    by: [401, 404, 403, 200, 200, 200, 200],
    ask: (role) => ({
      path: `/api/sync/${idFor(role)}`,
      body: Buffer.from(encodeExchange([])).toString('latin1'),
      headers: { 'Content-Type': 'application/octet-stream' },
    }),
  },
};

const call = (role: Role, method: string, { path, body, headers }: Asked) =>
  role === 'signed out' ? api.call(method, path, body, headers) : people[role].call(method, path, body, headers);

describe('[G6] every route', () => {
  test('of the API’s description has its row', async () => {
    const { paths } = (await api.call('GET', '/api/openapi.json')).body as { paths: Record<string, Record<string, unknown>> };
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.toSorted()).toEqual(Object.keys(ROUTES).toSorted());
  });

  const closed = Object.entries(ROUTES).filter(([, row]) => !('open' in row));
  test.each(closed)('%s', async (route, row) => {
    const [method, path] = route.split(' ') as [string, string];
    const answers: number[] = [];
    for (const role of ROLES) {
      const asked = 'ask' in row && row.ask ? await row.ask(role) : { path };
      const { status, body } = await call(role, method, asked);
      answers.push(status);
      // What is refused says nothing of what is there.
      if (status === 404 && role !== 'blocked') expect(JSON.stringify(body)).not.toMatch(/hello|mine|Group/);
    }
    expect(answers).toEqual('by' in row ? row.by : 'own' in row ? [401, ...ROLES.slice(1).map(() => row.own)] : []);
  });

  test('nothing above reached whom it should not have', async () => {
    const rows = await api.sql<{ body: string; senderId: Uuid }[]>`
      select body, sender_id as "senderId" from messages where conversation_id in (${group}, ${direct})`;
    const allowed = new Set([people.owner.id, people.admin.id, people.member.id]);
    expect(rows.filter(({ senderId }) => !allowed.has(senderId))).toEqual([]);
  });
});

/** What a socket comes to: `reads`, or the code that it was closed with. */
type Outcome = 'reads' | number;
/** What a write comes to: `written`, what was told, or the code of the refusal. */
type Written = 'written' | 'closed' | 'blocked' | 'role' | number;

const documentFor = {
  root: (role: Role) => idFor(role),
  'open segment': (role: Role) => (role === 'blocked' ? `${direct}/1` : `${group}/2`),
  'closed segment': (role: Role) => (role === 'blocked' ? `${closedDirect}/1` : `${group}/1`),
  'own private document': (role: Role) => `user:${role === 'signed out' ? nobody : people[role].id}/1`,
  'somebody else’s private document': (role: Role) => `user:${role === 'stranger' ? people.owner.id : people.stranger.id}/1`,
} as const;
type Kind = keyof typeof documentFor;

const userOf = (role: Role): Uuid => (role === 'signed out' ? nobody : people[role].id);
const tokenOf = (role: Role): string | null => (role === 'signed out' ? null : people[role].accessToken);

async function outcomeOf(peer: Peer): Promise<Outcome> {
  await expect.poll(() => peer.closed !== null || peer.order.includes('sync 1'), { timeout: 10_000 }).toBe(true);
  return peer.closed ? peer.closed.code : 'reads';
}

async function write(peer: Peer, change: (doc: Y.Doc) => void): Promise<Written> {
  const before = peer.acks.length;
  peer.change(change);
  await expect.poll(() => peer.closed !== null || peer.acks.length > before, { timeout: 10_000 }).toBe(true);
  return peer.closed ? peer.closed.code : ((peer.told.at(-1)?.code ?? 'written') as Written);
}

describe('[G6] every kind of document, over sockets', () => {
  const READS: Record<Kind, readonly Outcome[]> = {
    root: [4401, 4404, 4403, 'reads', 'reads', 'reads', 'reads'],
    'open segment': [4401, 4404, 4403, 'reads', 'reads', 'reads', 'reads'],
    'closed segment': [4401, 4404, 4403, 'reads', 'reads', 'reads', 'reads'],
    'own private document': [4401, 'reads', 'reads', 'reads', 'reads', 'reads', 'reads'],
    'somebody else’s private document': [4401, 4404, 4404, 4404, 4404, 4404, 4404],
  };
  test.each(Object.entries(READS) as [Kind, readonly Outcome[]][])('reading: %s', async (kind, expected) => {
    const peers = ROLES.map((role) => dial(server.url, documentFor[kind](role), tokenOf(role)));
    expect(await Promise.all(peers.map(outcomeOf))).toEqual(expected);
    for (const peer of peers) {
      if (peer.closed) expect([peer.messages, readMessages(peer.doc)]).toEqual([[], []]);
      peer.session.closed();
    }
  });

  const message = (role: Role) => (doc: Y.Doc) => addMessage(doc, userOf(role), newId(), ['over a socket', null, null]);
  const inOthersLane = () => (doc: Y.Doc) => addMessage(doc, people.owner.id, newId(), ['not mine', null, null]);
  const removal = (role: Role) => (doc: Y.Doc) => {
    doc.getMap(laneName(userOf(role))).set(`x${said[idFor(role)]}`, 1);
  };
  const setting = (role: Role) => (doc: Y.Doc) => void doc.getMap(laneName(userOf(role))).set('stheme', 'dark');

  const WRITES: [string, Kind, (role: Role) => (doc: Y.Doc) => void, readonly Written[]][] = [
    ['a message', 'root', message, [4401, 4404, 4403, 4408, 4408, 4408, 4408]],
    ['a message', 'open segment', message, [4401, 4404, 4403, 'written', 'written', 'written', 'blocked']],
    ['a message', 'closed segment', message, [4401, 4404, 4403, 'closed', 'closed', 'closed', 'closed']],
    ['into the owner’s lane', 'open segment', inOthersLane, [4401, 4404, 4403, 4408, 4408, 'written', 4408]],
    ['a removal of the owner’s message', 'closed segment', removal, [4401, 4404, 4403, 'role', 'written', 'written', 'role']],
    ['a setting', 'own private document', setting, [4401, 'written', 'written', 'written', 'written', 'written', 'written']],
    ['a setting', 'somebody else’s private document', setting, [4401, 4404, 4404, 4404, 4404, 4404, 4404]],
  ];
  test.each(WRITES)('writing %s: %s', async (_, kind, change, expected) => {
    const written: Written[] = [];
    for (const role of ROLES) {
      const peer = dial(server.url, documentFor[kind](role), tokenOf(role));
      const outcome = await outcomeOf(peer);
      written.push(outcome === 'reads' ? await write(peer, change(role)) : outcome);
      peer.session.closed();
    }
    expect(written).toEqual(expected);
  });

  test('a newcomer who reads from then on has no way to what was', async () => {
    const newcomer = await api.register('newcomer');
    expect((await people.owner.call('PUT', `${C}/${group}/members/${newcomer.id}`, {})).status).toBe(200);
    const old = dial(server.url, `${group}/1`, newcomer.accessToken);
    expect(await outcomeOf(old)).toBe(4404);
    const exchange = await newcomer.call('POST', `/api/sync/${group}/1`, '', { 'Content-Type': 'application/octet-stream' });
    expect(exchange.status).toBe(404);
  });
});
