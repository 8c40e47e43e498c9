import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CuttingProxy, type Network, openCuttingProxy } from './cutting-proxy.ts';
import { type KeptBrowser, makeKeptBrowser } from './kept-browser.ts';
import { DESKTOP, item, marked, meet, openFromList, send, shellKept, signUp, texts, writeTo } from './person.ts';
import { readHistory } from './server-history.ts';
import { setStage } from './stage.ts';

/** One for each of two people. */
let proxies: [CuttingProxy, CuttingProxy];
let kept: KeptBrowser;
const stage = setStage();
const { arrive } = stage;

beforeEach(async () => {
  proxies = [await openCuttingProxy(stage.server.origin), await openCuttingProxy(stage.server.origin)];
  kept = await makeKeptBrowser();
});
afterEach(async () => {
  await kept.remove();
  for (const proxy of proxies) await proxy.close();
});

test('[C6.6] a browser killed in the moment after signing up opens the app when it starts without a network', async () => {
  const [proxy] = proxies;
  const page = await kept.start();
  await page.setViewportSize(DESKTOP);
  const before = meet(page, 'Ana Silva');
  await page.goto(proxy.origin);
  await shellKept(before);
  await signUp(before);
  await kept.kill();

  proxy.become({ kind: 'cut' });
  const again = meet(await kept.start(), 'Ana Silva');
  await again.page.goto(proxy.origin);
  await again.conversations.waitFor();
  await again.page.getByRole('link', { name: 'Settings' }).first().waitFor();
  expect(again.faults).toEqual([]);
});

test('[F7] a line that is open and dead is noticed within 20 s, and at once by somebody who comes back to the page', async () => {
  const [proxy] = proxies;
  const ana = await arrive('Ana Silva', proxy.origin);
  const ben = await arrive('Ben Okafor');
  await writeTo(ana, ben);
  await send(ana, 'before');
  await marked(ana, 'before', 'Sent');
  const status = ana.page.getByRole('status', { name: 'Connection' });
  const isConnected = async (): Promise<boolean> => (await status.textContent()) === 'Connected';
  await expect.poll(isConnected).toBe(true);

  const untilNoticed = async (): Promise<number> => {
    const from = Date.now();
    proxy.become({ kind: 'black-hole' });
    await expect.poll(isConnected, { timeout: 60_000, interval: 50 }).toBe(false);
    return Date.now() - from;
  };
  // The page waits two seconds more before it says so.
  expect(await untilNoticed()).toBeLessThan(23_000);
  await send(ana, 'during');
  proxy.become({ kind: 'well' });
  await expect.poll(isConnected, { timeout: 60_000 }).toBe(true);
  await marked(ana, 'during', 'Sent');

  const turn = (visibility: string) =>
    ana.page.evaluate((now) => {
      Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => now });
      document.dispatchEvent(new Event('visibilitychange'));
    }, visibility);
  await turn('hidden');
  const noticed = untilNoticed();
  await turn('visible');
  expect(await noticed).toBeLessThan(8_000);
  proxy.become({ kind: 'well' });
  await send(ana, 'after');
  await openFromList(ben, ana);
  await item(ben, 'after').waitFor();
  expect(await texts(ben)).toEqual(['before', 'during', 'after']);
});

test('[C3.1, C6.6] over slow, half-open, torn and cut lines what two people write arrives once, in one order, on both sides', async () => {
  const people = [await arrive('Ana Silva', proxies[0].origin), await arrive('Ben Okafor', proxies[1].origin)] as const;
  const [ana, ben] = people;
  await writeTo(ana, ben);
  await send(ana, 'hello');
  await marked(ana, 'hello', 'Sent');
  await openFromList(ben, ana);
  const conversationId = new URL(ana.page.url()).pathname.split('/').at(-1)!;

  const weather: Network[] = [
    { kind: 'slow', ms: 250 },
    { kind: 'torn' },
    { kind: 'half-closed' },
    { kind: 'well' },
    { kind: 'torn' },
    { kind: 'cut' },
    { kind: 'slow', ms: 120 },
    { kind: 'half-closed' },
    { kind: 'black-hole' },
    { kind: 'well' },
  ];
  for (const [round, network] of weather.entries()) {
    proxies[round % 2]!.become(network);
    proxies[(round + 1) % 2]!.become(weather[(round + 3) % weather.length]!);
    for (const [i, person] of people.entries()) for (let n = 0; n < 3; n++) await send(person, `${i}: ${round}-${n}.`);
  }
  for (const proxy of proxies) proxy.become({ kind: 'well' });

  const expected = (i: number): string[] => weather.flatMap((_, round) => [0, 1, 2].map((n) => `${i}: ${round}-${n}.`));
  for (const { page } of people) await page.getByText(/waiting to be sent$/).waitFor({ state: 'detached', timeout: 120_000 });
  const history = await ana.page.evaluate(readHistory, conversationId);
  expect(history.map(({ seq }) => seq)).toEqual(history.map((_, i) => i + 1));
  expect(new Set(history.map(({ id }) => id)).size).toBe(history.length);
  const contents = history.map(({ content }) => content);
  expect(contents.length).toBe(1 + 2 * 3 * weather.length);
  for (const i of [0, 1]) expect(contents.filter((text) => text.startsWith(`${i}:`))).toEqual(expected(i));
  for (const person of people) {
    await person.composer.press('Escape');
    await item(person, contents.at(-1)!).waitFor();
    // The rows about the end of the thread, as they stand.
    const shown = await texts(person);
    expect(shown).toEqual(contents.slice(-shown.length));
  }
});
