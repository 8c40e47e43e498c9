import { createRoot } from 'solid-js';
import { expect, test } from 'vitest';
import type { User } from '../../shared/api.ts';
import { type Api, ApiError, makeApi } from '../sync/api.ts';
import { makeTestClock } from '../sync/test-server.ts';
import { createPeople } from './create-people.ts';

const user = (handle: string): User => ({ id: handle, handle, displayName: handle, bio: '', avatarUrl: null });

/** Searches that the test answers by hand, in any order. */
function setUp() {
  const clock = makeTestClock();
  const asked: { query: string; answer: (users: User[]) => void; refuse: (error: Error) => void }[] = [];
  const api: Api = {
    ...makeApi({ fetch }),
    findPeople: (query) => new Promise((answer, refuse) => asked.push({ query, answer, refuse })),
  };
  const people = createRoot(() => createPeople({ api, clock, others: () => [] }));
  return { clock, asked, people };
}

test('asks once a pause has come, and only for three letters and more', () => {
  const { clock, asked, people } = setUp();
  for (const text of ['a', 'an', '@an']) people.setQuery(text);
  clock.pass(1_000);
  expect(people.search()).toEqual({ kind: 'too-short' });
  for (const text of ['@ana', '@ana s', '@ana si']) people.setQuery(text);
  clock.pass(1_000);
  expect(asked.map(({ query }) => query)).toEqual(['ana si']);
});

test('a late answer to an older question is not shown; results stay until the next ones are there', async () => {
  const { clock, asked, people } = setUp();
  people.setQuery('ana');
  clock.pass(1_000);
  people.setQuery('anabel');
  clock.pass(1_000);
  asked[1]!.answer([user('anabel')]);
  await expect.poll(people.search).toEqual({ kind: 'found', users: [user('anabel')] });
  asked[0]!.answer([user('ana')]);
  await Promise.resolve();
  expect(people.search()).toEqual({ kind: 'found', users: [user('anabel')] });
  people.setQuery('anabelle');
  expect(people.search()).toEqual({ kind: 'found', users: [user('anabel')] });
});

test('a search that failed says why, and an empty one shows nothing', async () => {
  const { clock, asked, people } = setUp();
  people.setQuery('ana');
  clock.pass(1_000);
  asked[0]!.refuse(new ApiError(429, 'too-many-requests', 'Too many requests.'));
  await expect.poll(people.search).toMatchObject({ kind: 'failed', problem: { words: 'Too many requests.' } });
  people.setQuery('');
  expect(people.search()).toEqual({ kind: 'none' });
});
