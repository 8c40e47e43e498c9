import * as Y from 'yjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { conversationAnswer } from '../../shared/api.ts';
import { systemRandom } from '../../shared/clock.ts';
import { decodeExchange, encodeExchange } from '../../shared/exchange.ts';
import { makeMessageId } from '../../shared/ids.ts';
import { MESSAGE, encodeStep1, encodeStep2, encodeUpdate } from '../../shared/protocol.ts';
import { addMessage } from '../../shared/segment.ts';
import { type TestApi, type TestPerson, openTestApi } from './test-api.ts';

let api: TestApi;
let ada: TestPerson;
let id: string;
beforeAll(async () => {
  api = await openTestApi();
  ada = await api.register('ada');
  const grace = await api.register('grace');
  const answer = await ada.call('POST', '/api/messaging/conversations', { userId: grace.id });
  id = conversationAnswer.parse(answer.body).conversation.id;
});
afterAll(() => api.close());

async function post(
  documentId: string,
  body: Uint8Array,
  headers: Record<string, string> = { Authorization: `Bearer ${ada.accessToken}` },
) {
  const response = await api.app.request(`/api/sync/${documentId}`, { method: 'POST', body: new Uint8Array(body), headers });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const type = response.headers.get('content-type');
  return {
    status: response.status,
    headers: response.headers,
    type,
    messages: type === 'application/octet-stream' ? decodeExchange(bytes)! : [],
    problem: type === 'application/problem+json' ? (JSON.parse(new TextDecoder().decode(bytes)) as unknown) : null,
  };
}

const update = (userId: string): Uint8Array => {
  const doc = new Y.Doc();
  addMessage(doc, userId, makeMessageId(api.now(), systemRandom), ['over HTTP', null, null]);
  return Y.encodeStateAsUpdate(doc);
};
const STEP1 = encodeStep1(Uint8Array.of(0));

test('[W12] a message goes over HTTP as over a socket, once however often it is sent', async () => {
  const body = encodeExchange([STEP1, encodeStep2(update(ada.id))]);
  for (let i = 0; i < 2; i++) {
    const { status, type, messages } = await post(`${id}/1`, body);
    expect([status, type]).toEqual([200, 'application/octet-stream']);
    expect(messages.map(([kind]) => kind)).toContain(MESSAGE.ack);
    expect([messages.at(-1)![0], messages.at(-1)![1]]).toEqual([0, 0]);
  }
  expect(await api.sql`select body from messages where conversation_id = ${id}`).toEqual([{ body: 'over HTTP' }]);
});

test('[W12] each refusal is a problem with the code that a socket would have been closed with', async () => {
  const refused = async (documentId: string, body: Uint8Array, headers?: Record<string, string>) => {
    const { status, problem } = await post(documentId, body, headers);
    return [status, problem];
  };
  const { accessToken, id: stranger } = await api.register('stranger');
  const strangers = { Authorization: `Bearer ${accessToken}` };
  expect(await refused(id, STEP1, {})).toMatchObject([401, { code: 'unauthorized', closeCode: 4401 }]);
  expect(await refused('nonsense', encodeExchange([]))).toMatchObject([404, { code: 'not-found', closeCode: 4404 }]);
  expect(await refused(id, encodeExchange([STEP1]), strangers)).toMatchObject([404, { closeCode: 4404 }]);
  expect(await refused(id, Uint8Array.of(200))).toMatchObject([422, { code: 'refused', closeCode: 4408, reason: 'malformed' }]);
  expect(await refused(`${id}/1`, encodeExchange([encodeUpdate(update(stranger))]))).toMatchObject([
    422,
    { closeCode: 4408, reason: 'foreign-lane' },
  ]);
  expect(await refused(id, new Uint8Array(330_000))).toMatchObject([413, { code: 'too-large', closeCode: 4413 }]);
  expect(await refused(`${id}/1`, encodeExchange([encodeUpdate(new Uint8Array(40_000))]))).toMatchObject([413, { closeCode: 4413 }]);
  await api.sql`update members set left_at = now() where conversation_id = ${id} and user_id = ${ada.id}`;
  expect(await refused(id, encodeExchange([STEP1]))).toMatchObject([403, { code: 'forbidden', closeCode: 4403 }]);
  await api.sql`update members set left_at = null where conversation_id = ${id} and user_id = ${ada.id}`;
});

test('[W12] a foreign page is refused; a person has an allowance for each document', async () => {
  expect((await post(id, encodeExchange([]), { Origin: 'https://evil.example' })).status).toBe(403);
  const statuses: number[] = [];
  const missing = `${id}/99`;
  for (let i = 0; i < 61; i++) statuses.push((await post(missing, encodeExchange([]))).status);
  expect(statuses).toEqual([...Array.from({ length: 60 }, () => 404), 429]);
  expect((await post(id, encodeExchange([]))).status).toBe(200);
});

test('[W12] a session that ran out is told apart', async () => {
  api.pass(16 * 60_000);
  expect(await post(id, encodeExchange([]))).toMatchObject({ status: 401, problem: { code: 'expired', closeCode: 4501 } });
});

test('the description of the API names it', async () => {
  const { body } = await api.call('GET', '/api/openapi.json');
  expect(body).toMatchObject({ paths: { '/api/sync/{documentId}': { post: { responses: { 200: {}, default: {} } } } } });
});
