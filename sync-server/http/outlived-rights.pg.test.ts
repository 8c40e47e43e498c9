import { afterAll, beforeAll, expect, test } from 'vitest';
import { conversationAnswer } from '../../shared/api.ts';
import { type DocumentName, parseDocumentId } from '../../shared/ids.ts';
import type { Node } from '../core/node.ts';
import type { HintBus } from '../core/ports.ts';
import { type Peer, makePeer } from '../core/testing/peer.ts';
import { makeStandingSignIns } from '../postgres/standing-sign-ins.ts';
import { type TestApi, type TestPerson, openTestApi } from './test-api.ts';

/** Three nodes on one database: where the request comes in, one that hears of it, and one that hears of nothing. */
let api: TestApi;
let there: Node;
let deaf: Node;
let ada: TestPerson;
let grace: TestPerson;

const deafBus: HintBus = {
  async listen(_, onGap) {
    onGap();
    return async () => {};
  },
  publish: async () => {},
};

beforeAll(async () => {
  api = await openTestApi();
  [there, deaf] = await Promise.all([api.anotherNode(), api.anotherNode(deafBus)]);
  [ada, grace] = await Promise.all([api.register('ada'), api.register('grace')]);
});
afterAll(async () => {
  await Promise.all([there.stop(), deaf.stop()]);
  await api.close();
});

const sidOf = (person: TestPerson): string => person.refreshToken!.split('.')[0]!;
const open = (node: Node, person: TestPerson, documentId: string): Peer =>
  makePeer((socket) =>
    node.open({
      userId: person.id,
      sid: sidOf(person),
      expiresAt: Date.now() + 900_000,
      name: parseDocumentId(documentId) as DocumentName,
      acks: true,
      socket,
    }),
  );
const served = (peers: Peer[]): Promise<void> =>
  expect.poll(() => peers.every(({ order }) => order.includes('sync 1')), { timeout: 10_000, interval: 20 }).toBe(true);
/** How long it takes until a peer is closed with a code, at most `most` milliseconds. */
async function closedWithin(peer: Peer, code: number, most: number): Promise<void> {
  await expect.poll(() => peer.closed?.code, { timeout: most, interval: 20 }).toBe(code);
}

async function group(): Promise<string> {
  const answer = await ada.call('POST', '/api/messaging/conversations', { title: 'group', memberIds: [grace.id] });
  return conversationAnswer.parse(answer.body).conversation.id;
}

test('[S4] who signs out is gone within a second on every node that hears of it, within 6 s on one that does not', async () => {
  const phone = await api.register('phone');
  const id = await group();
  await ada.call('PUT', `/api/messaging/conversations/${id}/members/${phone.id}`, {});
  const others = [open(there, grace, id), open(deaf, grace, id)];
  const [here, near, far] = [api.node, there, deaf].map((node) => open(node, phone, `user:${phone.id}/1`)) as [Peer, Peer, Peer];
  await served([here, near, far, ...others]);
  expect((await phone.call('POST', '/api/auth/logout', { refreshToken: phone.refreshToken })).status).toBe(204);
  await Promise.all([closedWithin(here, 4401, 1_000), closedWithin(near, 4401, 1_000), closedWithin(far, 4401, 6_000)]);
  expect(others.map(({ closed }) => closed)).toEqual([null, null]);
  // And who was let in before, and opens only now, is gone as well.
  const late = open(deaf, phone, `user:${phone.id}/1`);
  await closedWithin(late, 4401, 1_000);
});

test('[P6] [L2] who is removed hears nothing more within a second on every node that hears of it, within 6 s on one that does not', async () => {
  const id = await group();
  const documents = [id, `${id}/1`];
  const [here, near, far] = [api.node, there, deaf].map((node) => documents.map((document) => open(node, grace, document))) as [
    Peer[],
    Peer[],
    Peer[],
  ];
  const adas = [api.node, there, deaf].flatMap((node) => documents.map((document) => open(node, ada, document)));
  await served([...here, ...near, ...far, ...adas]);
  const removed = await ada.call('DELETE', `/api/messaging/conversations/${id}/members/${grace.id}`);
  expect(removed.status).toBeLessThan(300);
  await Promise.all([
    ...[...here, ...near].map((peer) => closedWithin(peer, 4403, 1_000)),
    ...far.map((peer) => closedWithin(peer, 4403, 6_000)),
  ]);
  expect(adas.every(({ closed }) => closed === null)).toBe(true);
  const again = open(deaf, grace, `${id}/1`);
  await closedWithin(again, 4403, 1_000);
});

test('[S4] sign-ins are asked about by their rows: ended, run out, or standing', async () => {
  const { signIns } = api.deps;
  const [one, other] = await Promise.all([api.register('one'), api.register('other')]);
  await signIns.end(sidOf(one));
  const standing = makeStandingSignIns(api.sql);
  const sids = [sidOf(one), sidOf(other), '00000000-0000-7000-8000-000000000000'];
  expect(new Set(await standing.ended(sids, api.now()))).toEqual(new Set([sids[0], sids[2]]));
  expect(await standing.ended([sidOf(other)], api.now() + 10 * 365 * 86_400_000)).toEqual([sidOf(other)]);
  expect(await standing.ended([], api.now())).toEqual([]);
  expect(await standing.gone([one.id, other.id])).toEqual([]);
  expect((await other.call('DELETE', '/api/me', { password: 'correct horse' })).status).toBe(204);
  expect(await standing.gone([one.id, other.id])).toEqual([other.id]);
});
