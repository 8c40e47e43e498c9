import { afterAll, beforeAll, expect, test } from 'vitest';
import { users } from '../../../shared/api.ts';
import { type TestApi, type TestPerson, openTestApi } from '../test-api.ts';

let api: TestApi;
let ada: TestPerson;
beforeAll(async () => {
  api = await openTestApi();
  ada = await api.register('ada', 'Ada Lovelace');
  for (const [handle, name] of [
    ['grace', 'Grace Hopper'],
    ['gracie', 'Ünal Gracián'],
    ['under_score', 'Percent % Sign'],
    ['zoe', 'GRACEFUL'],
  ] as const)
    await api.register(handle, name);
});
afterAll(() => api.close());

const find = async (query: string): Promise<string[]> => {
  const { body } = await ada.call('GET', `/api/users?query=${encodeURIComponent(query)}`);
  return users.parse(body).users.map(({ handle }) => handle);
};

test('people are found by the start of their handle or name, in whatever case and form, by handle', async () => {
  expect(await find('GRA')).toEqual(['grace', 'gracie', 'zoe']);
  expect(await find('grace h')).toEqual(['grace']);
  expect(await find('u\u0308nal')).toEqual(['gracie']);
  expect(await find('hopper')).toEqual([]);
});

test('what stands for anything elsewhere stands for itself here', async () => {
  expect(await find('%%%')).toEqual([]);
  expect(await find('under_')).toEqual(['under_score']);
  expect(await find('under%')).toEqual([]);
  expect(await find("'; --")).toEqual([]);
});

test('one does not find oneself', async () => expect(await find('ada')).toEqual([]));

test('a search asks for three characters', async () => {
  const answer = await ada.call('GET', '/api/users?query=%20gr%20');
  expect(answer).toMatchObject({ status: 400, body: { code: 'bad-request', errors: [{ path: 'query' }] } });
});

test('searching for everybody is slowed down', async () => {
  const eager = await api.register('eager');
  const statuses = [];
  for (let i = 0; i < 32; i++) statuses.push((await eager.call('GET', '/api/users?query=abc')).status);
  expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0);
  expect((await eager.call('GET', '/api/users/grace')).status).toBe(429);
  expect((await ada.call('GET', '/api/users/grace')).status).toBe(200);
});

test('a person has a public profile under their handle, without what is theirs alone', async () => {
  const { status, body } = await ada.call('GET', '/api/users/Grace');
  expect(status).toBe(200);
  expect(body).toEqual({ id: expect.any(String), handle: 'grace', displayName: 'Grace Hopper', bio: '', avatarUrl: null });
});

test('a profile changes field by field, and is found by its new name', async () => {
  const person = await api.register('changing', 'Before');
  expect((await person.call('PATCH', '/api/me', { bio: ' A bio.\nTwo lines. ' })).body).toMatchObject({
    displayName: 'Before',
    bio: 'A bio.\nTwo lines.',
  });
  expect((await person.call('PATCH', '/api/me', { displayName: 'Afterwards' })).body).toMatchObject({
    displayName: 'Afterwards',
    bio: 'A bio.\nTwo lines.',
  });
  expect((await person.call('PATCH', '/api/me', { bio: '' })).body).toMatchObject({ displayName: 'Afterwards', bio: '' });
  expect((await person.call('GET', '/api/me')).body).toMatchObject({ displayName: 'Afterwards', bio: '' });
  expect(await find('afterw')).toEqual(['changing']);
  expect(await find('before')).toEqual([]);
});
