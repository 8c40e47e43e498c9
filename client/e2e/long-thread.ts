import { expect } from 'vitest';
import { conversationOf, look, textOf, write } from './history.ts';
import { type Person, item, marked, openFromList, send, writeTo } from './person.ts';
import { startMeter } from './work.ts';

/** The least of a few rounds: other things happen on the machine too. */
async function workFor(person: Person, rounds: number, run: (round: number) => Promise<void>): Promise<number> {
  const all: number[] = [];
  const work = await startMeter(person);
  for (let round = 0; round < rounds; round++) {
    const before = await work();
    await run(round);
    all.push((await work()) - before);
  }
  return Math.min(...all);
}

/** Runs in the page: remembers the most rows that the thread ever has. */
const watchRows = ({ messages }: Person): Promise<void> =>
  messages.evaluate((list) => {
    const note = (): void => {
      list.dataset.most = String(Math.max(Number(list.dataset.most ?? 0), list.children.length));
    };
    note();
    new MutationObserver(note).observe(list, { childList: true });
  });

/** What ten messages that arrive and are read one by one, and thirty keys, cost the page of `ana`, milliseconds for each. */
async function costs(ana: Person, ben: Person, name: string): Promise<{ arrival: number; key: number }> {
  const MESSAGES = 10;
  const KEYS = 30;
  const arrivals = await workFor(ana, 3, async (round) => {
    for (let i = 0; i < MESSAGES; i++) {
      await send(ben, `${name} ${round} ${i}.`);
      await marked(ben, `${name} ${round} ${i}.`, 'Read');
    }
  });
  const keys = await workFor(ana, 3, async () => {
    await ana.composer.pressSequentially('k'.repeat(KEYS));
    await ana.composer.fill('');
  });
  return { arrival: arrivals / MESSAGES, key: keys / KEYS };
}

/**
 * Two people with so many messages between them: once all of them are loaded an arrival and a key cost what they did with the newest alone, and
 * never are more than 120 rows in the document (C5.9).
 */
export async function expectSteady(ana: Person, ben: Person, count: number): Promise<void> {
  await writeTo(ana, ben);
  await write(
    ana,
    conversationOf(ana),
    Array.from({ length: count }, (_, n) => textOf(n)),
  );
  await openFromList(ana, ben);
  await item(ana, textOf(count - 1))
    .last()
    .waitFor();
  await openFromList(ben, ana);
  await watchRows(ana);
  const few = await costs(ana, ben, 'few');

  await ana.page.keyboard.press('Shift+F6');
  for (let first = Infinity; first > 1; first = Math.min(...(await look(ana)).positions)) await ana.page.keyboard.press('Home');
  await ana.page.keyboard.press('Escape');
  await ana.page.keyboard.press('Escape');
  const all = await costs(ana, ben, 'all');

  console.log(`${count} messages; milliseconds with the newest loaded and with all:`, few, all);
  expect(all.arrival).toBeLessThanOrEqual(1.5 * few.arrival + 3);
  expect(all.key).toBeLessThanOrEqual(1.5 * few.key + 1);
  expect(Number(await ana.messages.getAttribute('data-most'))).toBeLessThanOrEqual(120);
}
