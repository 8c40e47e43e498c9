import { type Locator } from 'playwright-core';
import { expect, test } from 'vitest';
import { expectAccessible } from './accessibility.ts';
import { conversationOf, history, look, pixelOf, textOf, wheel, write } from './history.ts';
import { type Person, item, marked, openFromList, send, writeTo } from './person.ts';
import { setStage } from './stage.ts';

const stage = setStage();
const { arrive } = stage;

test('[C5.3, C5.5, C5.9] from the newest of 2,300 messages up to the first by wheel: what is read moves by the wheel alone, and few rows are in the document', async () => {
  const ana = await arrive('Ana Silva');
  const ben = await arrive('Ben Okafor');
  await writeTo(ana, ben);
  const COUNT = 2_300;
  await write(
    ana,
    conversationOf(ana),
    Array.from({ length: COUNT }, (_, n) => textOf(n)),
  );
  await openFromList(ana, ben);
  await ana.messages.getByRole('listitem').first().waitFor();

  const seen = new Set<number>();
  const moves: string[] = [];
  let loads = 0;
  let rows = 0;
  const WHEEL = 1_500;
  for (let now = await look(ana); !now.positions.includes(1) || now.scrollTop > 0; now = await look(ana)) {
    now.positions.forEach((position) => seen.add(position));
    rows = Math.max(rows, now.rows);
    await wheel(ana, -WHEEL);
    const top = await pixelOf(ana, now.id);
    const after = await look(ana);
    // The wheel went up, and there is more above than before: history has come.
    if (after.scrollTop > now.scrollTop) loads += 1;
    if (top !== null && now.scrollTop > WHEEL && Math.abs(top - now.top - WHEEL) > 1) moves.push(`${now.top} became ${top}`);
  }
  expect(moves).toEqual([]);
  expect(loads).toBeGreaterThan(3);
  expect(rows).toBeLessThanOrEqual(120);
  expect(Math.max(...seen)).toBe(COUNT);
  expect(seen.size).toBe(COUNT);
});

test('[C4.2] a conversation opens at the first unread message, also where that is further back than what is loaded', async () => {
  const ana = await arrive('Ana Silva');
  const ben = await arrive('Ben Okafor');
  await writeTo(ben, ana);
  const id = conversationOf(ben);
  await send(ben, 'read before');
  await openFromList(ana, ben);
  await marked(ben, 'read before', 'Read');
  await ana.page.goto('/');
  await write(ben, id, ['the first new one', ...Array.from({ length: 620 }, (_, n) => textOf(n))]);
  await ana.page.reload();
  await ana.conversations.getByRole('link', { name: /^Ben Okafor.*621 unread/ }).click();
  await ana.messages.getByRole('separator', { name: 'New messages' }).waitFor();
  const box = (await history(ana).boundingBox())!;
  await expect
    .poll(async () => {
      const first = await item(ana, 'the first new one').locator('.bubble').boundingBox();
      return first && Math.round(first.y - box.y) <= Math.ceil(box.height / 3);
    })
    .toBe(true);
  await item(ana, 'read before').waitFor();
  // Nothing was read on the way there.
  const unread = Number(/\d+/.exec((await ana.page.locator('.thread__down .badge').textContent())!));
  expect(unread).toBeGreaterThan(590);
});

/** The element with the focus, as assistive technology finds it. */
async function focusedNode({ page }: Person): Promise<{ role: string; name: string }> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  await session.detach();
  const focused = nodes.filter(({ properties }) => properties?.some(({ name, value }) => name === 'focused' && value.value === true));
  const node = focused.find(({ role }) => role?.value !== 'RootWebArea');
  return { role: String(node?.role?.value), name: String(node?.name?.value) };
}
const position = ({ page }: Person): Promise<string> =>
  page.evaluate(() => {
    const row = document.activeElement?.closest('li');
    return `${row?.getAttribute('aria-posinset')} of ${row?.getAttribute('aria-setsize')}`;
  });
const stops = (list: Locator): Promise<number> => list.locator('[tabindex="0"]').count();

test('[C9.6, C9.7] the thread by keyboard: one tab stop, each message one sentence, and the focus stays through arrivals and far away', async () => {
  const ana = await arrive('Ana Silva');
  const ben = await arrive('Ben Okafor');
  await writeTo(ana, ben);
  await write(
    ana,
    conversationOf(ana),
    Array.from({ length: 200 }, (_, n) => `line ${n}`),
  );
  await openFromList(ana, ben);
  await openFromList(ben, ana);
  await ben.composer.press('Escape');
  await send(ben, 'Is that all?');
  await item(ana, 'Is that all?').waitFor();
  await marked(ana, 'line 199', 'Read');
  const { page } = ana;

  await expect.poll(() => focusedNode(ana)).toEqual({ role: 'textbox', name: 'Message' });
  await page.keyboard.press('Shift+F6');
  expect(await focusedNode(ana)).toEqual({ role: 'listitem', name: expect.stringMatching(/^Ben Okafor: Is that all\? \d?\d:\d\d$/) });
  expect(await position(ana)).toBe('201 of 201');
  await page.keyboard.press('ArrowUp');
  expect(await focusedNode(ana)).toEqual({ role: 'listitem', name: expect.stringMatching(/^You: line 199, \d?\d:\d\d, Read$/) });
  expect(await stops(ana.messages)).toBe(1);

  await page.keyboard.press('Home');
  expect([(await focusedNode(ana)).name, await position(ana)]).toEqual([expect.stringMatching(/^You: line 0, /), '1 of 201']);
  expect(await item(ana, 'line 0').first().isVisible()).toBe(true);
  await page.keyboard.press('PageDown');
  const down = Number((await position(ana)).split(' ')[0]);
  expect(down).toBeGreaterThan(8);
  await page.keyboard.press('PageUp');
  expect(Number((await position(ana)).split(' ')[0])).toBeLessThan(down);
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowDown');

  // Mail comes, and the wheel goes to the other end: the focus stays where it is.
  await send(ben, 'No, one more');
  await page.getByRole('button', { name: '1 new' }).click({ trial: true });
  expect((await focusedNode(ana)).name).toMatch(/^You: line 1, /);
  await wheel(ana, 100_000);
  await item(ana, 'No, one more').waitFor();
  expect((await focusedNode(ana)).name).toMatch(/^You: line 1, /);
  expect((await look(ana)).rows).toBeLessThanOrEqual(120);
  expect(await stops(ana.messages)).toBe(1);
  await page.keyboard.press('ArrowDown');
  expect((await focusedNode(ana)).name).toMatch(/^You: line 2, /);
  expect(await item(ana, 'line 2').first().isVisible()).toBe(true);
  await expectAccessible(page, 'a focused message');
  await page.keyboard.press('Escape');
  expect(await focusedNode(ana)).toEqual({ role: 'textbox', name: 'Message' });

  await page.keyboard.press('F6');
  expect((await focusedNode(ana)).role).toBe('link');
  await page.keyboard.press('F6');
  expect((await focusedNode(ana)).name).toBe('Ben Okafor');
  await page.keyboard.press('F6');
  expect((await focusedNode(ana)).role).toBe('listitem');
  const landmarks = await page.locator('body').ariaSnapshot();
  for (const name of ['complementary "Conversations and people"', 'navigation "Conversations"', 'main "Conversation with Ben Okafor"'])
    expect(landmarks).toContain(name);
  expect(landmarks).toContain('form "Composer"');
});

test('[C9.7, C9.9, C2] the list by keyboard: one tab stop with place and number, unread ones in words, and Alt with arrows from anywhere', async () => {
  const ana = await arrive('Ana Silva');
  const friends = [await arrive('Ben Okafor'), await arrive('Chiara Rossi'), await arrive('David Lind')];
  for (const friend of friends) {
    await writeTo(friend, ana);
    await send(friend, `I am ${friend.name}`);
    await ana.conversations.getByRole('link', { name: new RegExp(`^${friend.name}.*1 unread`) }).waitFor();
  }
  const { page } = ana;
  const main = (name: string): Promise<void> => page.getByRole('main', { name: `Conversation with ${name}` }).waitFor();
  await page.keyboard.press('F6');
  expect(await focusedNode(ana)).toEqual({ role: 'link', name: expect.stringMatching(/^David Lind.*I am David Lind.*1 unread$/) });
  expect(await position(ana)).toBe('1 of 3');
  expect(await stops(ana.conversations)).toBe(1);
  await page.keyboard.press('End');
  expect((await focusedNode(ana)).name).toMatch(/^Ben Okafor/);
  // Its mail takes it to the first place: the focus goes along.
  await send(friends[0]!, 'and I am still here');
  await ana.conversations.getByRole('link', { name: /^Ben Okafor.*2 unread/ }).waitFor();
  await expect.poll(() => position(ana)).toBe('1 of 3');
  expect((await focusedNode(ana)).name).toMatch(/^Ben Okafor.*and I am still here.*2 unread$/);
  await page.keyboard.press('ArrowDown');
  expect((await focusedNode(ana)).name).toMatch(/^David Lind/);
  await page.keyboard.press('Enter');
  await main('David Lind');
  await expect.poll(() => focusedNode(ana)).toEqual({ role: 'textbox', name: 'Message' });

  await page.keyboard.press('Alt+ArrowDown');
  await main('Chiara Rossi');
  await page.keyboard.press('Alt+Shift+ArrowDown');
  await main('Ben Okafor');
  await page.keyboard.press('Alt+ArrowDown');
  await main('David Lind');
  await page.keyboard.press('Alt+ArrowUp');
  await main('Ben Okafor');
});

test('[C5.9] a selection over messages that left the document is copied whole', async () => {
  const ana = await arrive('Ana Silva');
  const ben = await arrive('Ben Okafor');
  await ana.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await writeTo(ana, ben);
  await write(
    ana,
    conversationOf(ana),
    Array.from({ length: 200 }, (_, n) => `line ${n}.`),
  );
  await openFromList(ana, ben);
  const { page } = ana;
  await item(ana, 'line 199.').waitFor();
  await item(ana, 'line 198.')
    .locator('.bubble__text')
    .dblclick({ position: { x: 3, y: 8 } });
  await wheel(ana, -6_000);
  const far = await look(ana);
  const row = page.locator(`[data-id="${far.id}"]`);
  const number = Number(/\d+/.exec((await row.locator('.bubble__text').textContent())!)) + 1;
  await item(ana, `line ${number}.`)
    .locator('.bubble__text')
    .click({ modifiers: ['Shift'], position: { x: 1, y: 8 } });
  expect(far.rows).toBeLessThanOrEqual(120);
  await page.keyboard.press('Control+c');
  const lines = (await page.evaluate(() => navigator.clipboard.readText())).split('\n');
  expect(lines.length).toBe(198 - number + 1);
  expect(lines[1]).toBe(`You: line ${number + 1}.`);
  expect(lines.at(-1)).toMatch(/^You: line/);
});
