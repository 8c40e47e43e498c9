import { expect, test } from 'vitest';
import { changeOutbox } from './fill-outbox.ts';
import { conversationOf, history, look, pixelOf, rest, textOf, toEnd, wheel, write } from './history.ts';
import { type Person, item, marked, openFromList, send, writeTo } from './person.ts';
import { setStage } from './stage.ts';

const stage = setStage();
const { arrive } = stage;

test('[C5.1, C5.4] nothing that changes elsewhere moves what is read; at the end one stays at the end', async () => {
  const ana = await arrive('Ana Silva');
  const ben = await arrive('Ben Okafor');
  await writeTo(ana, ben);
  await write(
    ana,
    conversationOf(ana),
    Array.from({ length: 300 }, (_, n) => textOf(n)),
  );
  await openFromList(ana, ben);
  await item(ana, textOf(299)).waitFor();
  const { page } = ana;
  const end = (): Promise<number> => toEnd(ana);
  const grow = (which: 'first' | 'last'): Promise<void> =>
    ana.messages.evaluate((list, at) => {
      const rows = [...list.querySelectorAll('.bubble__text')];
      rows.at(at === 'first' ? 0 : -1)!.append(' and much more of it'.repeat(60));
    }, which);

  await ana.composer.fill('one\ntwo\nthree\nfour');
  await expect.poll(end).toBe(0);
  await grow('first');
  await expect.poll(end).toBe(0);
  await page.setViewportSize({ width: 900, height: 620 });
  await expect.poll(end).toBe(0);
  await ana.composer.fill('');

  await wheel(ana, -4_000);
  const before = await look(ana);
  const still = async (): Promise<void> => {
    await rest(ana);
    expect(Math.abs((await pixelOf(ana, before.id))! - before.top)).toBeLessThanOrEqual(1);
  };
  await ana.composer.fill('one\ntwo\nthree\nfour');
  await still();
  for (const which of ['first', 'last'] as const) {
    await grow(which);
    await still();
  }
  await page.setViewportSize({ width: 900, height: 760 });
  await still();
  await openFromList(ben, ana);
  await send(ben, 'an answer');
  const pill = page.getByRole('button', { name: '1 new' });
  await pill.waitFor();
  await still();

  for (let n = 0; n < 30; n++) await send(ben, `more ${n}\n\n\n`);
  await page.getByRole('button', { name: '31 new' }).click();
  await item(ana, 'an answer').waitFor();
  const box = (await history(ana).boundingBox())!;
  const first = (await item(ana, 'an answer').locator('.bubble').boundingBox())!;
  expect(Math.abs(first.y - box.y - box.height / 3)).toBeLessThanOrEqual(1);
  await page.locator('.thread__down').click();
  await expect.poll(end).toBe(0);
});

/** The same numbers in [0, 1) in every run. */
function makeChance(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}
test('[C5.4] through forty widths of the window, with wheels, a growing composer and history between them, what is read keeps its pixel and the end stays the end', async () => {
  const ana = await arrive('Ana Silva');
  const ben = await arrive('Ben Okafor');
  await writeTo(ana, ben);
  await write(
    ana,
    conversationOf(ana),
    Array.from({ length: 1_200 }, (_, n) => textOf(n)),
  );
  await openFromList(ana, ben);
  await item(ana, textOf(1_199)).waitFor();
  const chance = makeChance(7);
  const between = (low: number, high: number): number => Math.round(low + chance() * (high - low));
  const drifts: string[] = [];
  const log: string[] = [];
  /** Whether the place is kept while something else changes. */
  async function keeps(what: string, change: () => Promise<unknown>): Promise<void> {
    await rest(ana);
    const isEnd = (await toEnd(ana)) <= 1;
    const before = await look(ana);
    await change();
    await rest(ana);
    const now = isEnd ? await toEnd(ana) : Math.abs(((await pixelOf(ana, before.id)) ?? Infinity) - before.top);
    log.push(`${what} ${isEnd ? 'end' : before.scrollTop}`);
    if (now > 1) drifts.push(`${now} px by ${log.slice(-4).join('; ')}`);
  }
  for (let round = 0; round < 40; round++) {
    const turn = round % 8;
    const pixels = turn === 0 ? 1e6 : turn === 1 ? -between(3_000, 9_000) : turn === 5 ? -12_000 : between(-900, 700);
    await keeps('composer', () => ana.composer.fill('a line\n'.repeat(between(0, 5))));
    await wheel(ana, pixels);
    log.push(`wheel ${pixels}`);
    if (chance() < 0.5) await ana.composer.fill('');
    await keeps('width', () => ana.page.setViewportSize({ width: between(320, 1_600), height: between(600, 900) }));
  }
  expect(drifts).toEqual([]);
});

/** Its number among all messages. */
const numberOf = ({ page }: Person, id: string): Promise<number> =>
  page.locator(`[data-id="${id}"]`).evaluate((row) => Number(row.getAttribute('aria-posinset')));

test('[C5.4, C5.6] nothing that others, other tabs, the network or the device do moves what is read', async () => {
  const ana = await arrive('Ana Silva');
  const ben = await arrive('Ben Okafor');
  await writeTo(ana, ben);
  const conversationId = conversationOf(ana);
  const lines = (count: number, from: number): string[] => Array.from({ length: count }, (_, n) => textOf(from + n));
  await write(ana, conversationId, lines(150, 0));
  await openFromList(ben, ana);
  for (const text of ['to be deleted. '.repeat(40).trim(), 'to be edited']) await send(ben, text);
  await marked(ben, 'to be edited', 'Sent');
  await write(ana, conversationId, lines(60, 200));
  await openFromList(ana, ben);
  // It opens at what Ben wrote.
  await item(ana, 'to be edited').waitFor();
  await wheel(ana, 1e6);
  await item(ana, textOf(259)).waitFor();
  const { page } = ana;

  // At the end, while nobody looks: the divider comes, and the end stays the end.
  await page.evaluate(() => {
    document.hasFocus = () => false;
    window.dispatchEvent(new Event('blur'));
  });
  await send(ben, 'while you were away');
  await ana.messages.getByRole('separator', { name: 'New messages' }).waitFor();
  await expect.poll(() => toEnd(ana)).toBe(0);
  await page.evaluate(() => {
    document.hasFocus = () => true;
    window.dispatchEvent(new Event('focus'));
  });
  await marked(ben, 'while you were away', 'Read');

  let before = await look(ana);
  for (; (await numberOf(ana, before.id)) > 160; before = await look(ana)) await wheel(ana, -400);
  const still = async (): Promise<void> => {
    await rest(ana);
    expect(Math.abs((await pixelOf(ana, before.id))! - before.top)).toBeLessThanOrEqual(1);
  };
  const sentAbove = (number: number): Promise<string> =>
    ana.messages.locator(`[aria-posinset="${number}"]`).evaluate((row) => (row as HTMLElement).dataset.id!);
  const entry = (messageId: string) => ({ id: `c:${messageId}`, conversationId, order: 2e15, at: Date.now(), n: 1, messageId }) as const;

  // Ben changes and deletes his messages above. The newest own one is not above, so an older one is taken up in his outbox.
  const [deleted, edited] = [await sentAbove(151), await sentAbove(152)];
  await changeOutbox(ben, { put: [{ ...entry(edited), kind: 'edit', body: 'edited, '.repeat(90), state: { kind: 'waiting' } }] });
  await item(ana, 'edited, edited').waitFor();
  await still();
  await changeOutbox(ben, { put: [{ ...entry(deleted), kind: 'delete', state: { kind: 'waiting' } }] });
  await item(ana, 'Message deleted').waitFor();
  await still();

  // A change of her own, made in another tab, fails; then it is taken back there.
  const own = await sentAbove(148);
  await changeOutbox(ana, { put: [{ ...entry(own), kind: 'edit', body: 'not taken', state: { kind: 'failed', code: 'gone' } }] });
  await ana.messages.getByRole('alert').waitFor();
  await still();
  await changeOutbox(ana, { remove: [`c:${own}`] });
  await ana.messages.getByRole('alert').waitFor({ state: 'detached' });
  await still();

  // Ben types, stops and sends.
  await ben.composer.pressSequentially('typing');
  await page.locator('.bar__typing').waitFor();
  await still();
  await ben.composer.press('Enter');
  await page.getByRole('button', { name: '1 new' }).waitFor();
  await page.locator('.bar__typing').waitFor({ state: 'detached' });
  await still();

  // The word above the composer, and the field with the text of her last message.
  await ana.composer.press('ArrowUp');
  const editor = page.getByRole('textbox', { name: 'Edit message', exact: true });
  await editor.waitFor();
  await still();
  await editor.press('Escape');
  await ana.composer.waitFor();
  await still();

  const connection = page.getByRole('status', { name: 'Connection' });
  await page.context().setOffline(true);
  await connection.getByText('Waiting for network').waitFor();
  await still();
  await page.context().setOffline(false);
  await connection.getByText('Connected', { exact: true }).waitFor();
  await still();

  // 200 % by zoom: half the pixels, each twice as large. Then by the size of text alone.
  const session = await page.context().newCDPSession(page);
  const zoom = (width: number, height: number, deviceScaleFactor: number): Promise<unknown> =>
    session.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor, mobile: false });
  await zoom(640, 400, 2);
  await still();
  await zoom(1_280, 800, 1);
  await still();
  for (const size of ['200%', '130%', '']) {
    await page.evaluate((fontSize) => void (document.documentElement.style.fontSize = fontSize), size);
    await still();
  }
});

test('[C5.4] a font that comes late moves nothing', async () => {
  const ana = await arrive('Ana Silva', stage.server.origin, { serviceWorkers: 'block' });
  const ben = await arrive('Ben Okafor');
  await writeTo(ana, ben);
  await write(
    ana,
    conversationOf(ana),
    Array.from({ length: 120 }, (_, n) => textOf(n)),
  );
  const { page } = ana;
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route(/\.woff2$/, async (route) => {
    await held;
    await route.continue();
  });
  await page.reload({ waitUntil: 'domcontentloaded' });
  await openFromList(ana, ben);
  await item(ana, textOf(119)).waitFor();
  await wheel(ana, -1_500);
  const before = await look(ana);
  const comes = page.waitForResponse(/\.woff2$/);
  release();
  await comes;
  await page.evaluate(() => document.fonts.ready);
  await rest(ana);
  expect(Math.abs((await pixelOf(ana, before.id))! - before.top)).toBeLessThanOrEqual(1);
});
