import { expect, test } from 'vitest';
import type { Conversation } from '../../shared/api.ts';
import { systemRandom } from '../../shared/clock.ts';
import { makeMessageId, makeUuid } from '../../shared/ids.ts';
import { type Person, marked, send, writeTo } from './person.ts';
import { setStage } from './stage.ts';
import { startMeter } from './work.ts';

const { arrive } = setStage();
const COUNT = 500;
const UPDATES = 5;

function madeUp(at: number): Conversation {
  const [id, other] = [makeUuid(at, systemRandom), makeUuid(at, systemRandom)];
  const member = { id: other, handle: `p${at}`, displayName: `Person ${at}`, bio: '', avatarUrl: null, role: 'member' } as const;
  const lastMessage = {
    id: makeMessageId(at, systemRandom),
    seq: 1,
    senderId: other,
    preview: 'Hello',
    sentAt: new Date(at).toISOString(),
  };
  return { id, kind: 'direct', title: null, members: [member], lastMessage, unreadCount: 0, lastReadSeq: 1, openSegment: 1 };
}

/** Runs in the page: the list that the device keeps has these too, when it is loaded next. */
async function keep(more: Conversation[]): Promise<void> {
  const name = (await indexedDB.databases()).map((each) => each.name ?? '').find((each) => /^homing\/[0-9a-f-]{36}$/.test(each))!;
  const opening = indexedDB.open(name);
  await new Promise((resolve) => opening.addEventListener('success', resolve));
  const store = opening.result.transaction('values', 'readwrite').objectStore('values');
  const reading = store.get('inbox');
  await new Promise((resolve) => reading.addEventListener('success', resolve));
  const kept = reading.result as { conversations: Conversation[] };
  const writing = store.put({ ...kept, conversations: [...kept.conversations, ...more] }, 'inbox');
  await new Promise((resolve) => writing.addEventListener('success', resolve));
  opening.result.close();
}

/** What a message that takes a conversation to the first place costs the whole page, milliseconds; nothing but that asks the page meanwhile. */
async function costOfUpdate(ana: Person, ben: Person, name: string): Promise<number> {
  const costs: number[] = [];
  const work = await startMeter(ana);
  for (let i = 0; i < UPDATES; i++) {
    const before = await work();
    await send(ben, `${name} ${i}.`);
    await marked(ben, `${name} ${i}.`, 'Delivered');
    costs.push((await work()) - before);
    expect(await ana.page.locator('.rows li:first-child .row__preview').textContent()).toContain(`${name} ${i}.`);
  }
  return Math.min(...costs);
}

test('a list of 500 conversations opens, and takes a message, without being made anew', async () => {
  const [ana, ben] = [await arrive('Ana Silva'), await arrive('Ben Okafor')];
  await writeTo(ben, ana);
  await send(ben, 'Hello.');
  const rows = ana.conversations.locator('li');
  await rows.getByText('Hello.').waitFor();
  const few = await costOfUpdate(ana, ben, 'few');

  const now = Date.now();
  await ana.page.evaluate(
    keep,
    Array.from({ length: COUNT }, (_, i) => madeUp(now + i)),
  );
  const work = await startMeter(ana);
  const before = await work();
  await ana.page.reload();
  await expect.poll(() => rows.count()).toBe(COUNT + 1);
  const opening = (await work()) - before;

  await ana.conversations.locator('ul').evaluate((list) => {
    const first = new Set(list.children);
    const seen = { moved: 0, made: 0 };
    new MutationObserver((records) => {
      for (const node of records.flatMap(({ addedNodes }) => [...addedNodes])) seen[first.has(node as Element) ? 'moved' : 'made'] += 1;
      list.dataset.seen = JSON.stringify(seen);
    }).observe(list, { childList: true });
  });
  const many = await costOfUpdate(ana, ben, 'many');
  console.log('milliseconds: the page with 500 conversations', opening, '; an update of 1 and of 501', few, many);
  // The first of them brought it from the last place to the first.
  expect(JSON.parse((await ana.conversations.locator('ul').getAttribute('data-seen'))!)).toEqual({ moved: 1, made: 0 });
  expect(many).toBeLessThanOrEqual(few + 50);
});
