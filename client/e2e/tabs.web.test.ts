import { expect, test } from 'vitest';
import { PASSWORD, type Person, item, marked, meet, openFromList, send, shellKept, texts, writeTo } from './person.ts';
import { setStage } from './stage.ts';

const stage = setStage();
const { arrive } = stage;

/** One more tab of the same browser. */
async function openTab({ page, name, handle }: Person, path = '/'): Promise<Person> {
  const tab = { ...meet(await page.context().newPage(), name), handle };
  stage.join(tab);
  await tab.page.goto(new URL(path, page.url()).href);
  await tab.conversations.waitFor();
  return tab;
}

/** Runs in the page: when it first shows an element with this text. */
function whenShown({ selector, text }: { selector: string; text: string }): Promise<number> {
  return new Promise((resolve) => {
    const look = (): void => {
      const isShown = [...document.querySelectorAll(selector)].some(({ textContent }) => textContent.includes(text));
      if (isShown) resolve(Date.now());
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
    look();
  });
}

/** How long the others take to show what follows from the next click in one tab, in milliseconds. */
async function delays(
  tab: Person,
  others: readonly Person[],
  shown: { selector: string; text: string },
  act: () => Promise<void>,
): Promise<number[]> {
  const clicked = tab.page.evaluate(
    () => new Promise<number>((resolve) => addEventListener('click', () => resolve(Date.now()), { capture: true, once: true })),
  );
  const seen = others.map(({ page }) => page.evaluate(whenShown, shown));
  await act();
  const from = await clicked;
  return (await Promise.all(seen)).map((at) => at - from);
}

const settings = ({ page }: Person) => page.getByRole('main', { name: 'Settings' });
async function openSettings(person: Person): Promise<void> {
  await person.page.getByRole('link', { name: 'Settings' }).first().click();
  await settings(person).waitFor();
}
const leave = (person: Person): Promise<void> => settings(person).getByRole('button', { name: 'Sign out', exact: true }).click();

/** Runs in the page: whatever this origin keeps on the device. */
async function kept() {
  const databases = (await indexedDB.databases()).map(({ name }) => name!);
  const stores = [localStorage, sessionStorage].flatMap((storage) => Object.keys(storage));
  const cached: string[] = [];
  for (const name of await caches.keys())
    for (const { url } of await (await caches.open(name)).keys()) cached.push(`${name.replace(/\w+$/, '')} ${new URL(url).pathname}`);
  return { databases, stores, cached };
}

/** Runs in the page: who holds the outbox' lock, and who waits for it. */
async function lockState() {
  const { held = [], pending = [] } = await navigator.locks.query();
  const count = (infos: LockInfo[]): number => infos.filter(({ name }) => name?.endsWith('/outbox')).length;
  return { held: count(held), pending: count(pending) };
}

test('[C11.1] two people with three tabs each: what is written in one is in the others at once, online and offline; one tab moves it', async () => {
  const ana = await arrive('Ana Silva', stage.proxy.origin);
  const ben = await arrive('Ben Okafor');
  await writeTo(ana, ben);
  await send(ana, 'hello');
  await marked(ana, 'hello', 'Sent');
  await shellKept(ana);
  const path = new URL(ana.page.url()).pathname;
  const anas = [ana, await openTab(ana, path), await openTab(ana, path)];
  const bens = [ben, await openTab(ben), await openTab(ben)];
  for (const tab of anas) await item(tab, 'hello').waitFor();
  expect(await ana.page.evaluate(lockState)).toEqual({ held: 1, pending: 2 });

  for (const tab of bens) await tab.conversations.getByRole('link', { name: /^Ana Silva.*1 unread/ }).waitFor();
  await expect.poll(() => Promise.all(bens.map(({ page }) => page.title()))).toEqual(Array.from(bens, () => '(1) Homing'));
  await openFromList(bens[1]!, ana);
  await marked(ana, 'hello', 'Read');
  await expect.poll(() => Promise.all(bens.map(({ page }) => page.title()))).toEqual(Array.from(bens, () => 'Homing'));

  const [, writing] = anas;
  const inOthers = [anas[0]!, anas[2]!];
  const write = (text: string) => delays(writing!, inOthers, { selector: '.bubble__text', text }, () => send(writing!, text));
  const online = await write('from the second tab');
  await send(bens[1]!, 'an answer');
  for (const tab of anas) await item(tab, 'an answer').waitFor();

  stage.proxy.become({ kind: 'cut' });
  await send(anas[0]!, 'offline from tab 0');
  const offline = await write('offline from tab 1');
  await send(anas[2]!, 'offline from tab 2');
  const expected = ['hello', 'from the second tab', 'an answer', 'offline from tab 0', 'offline from tab 1', 'offline from tab 2'];
  for (const delay of [...online, ...offline]) expect(delay).toBeLessThan(500);
  for (const tab of anas) await expect.poll(() => texts(tab)).toEqual(expected);
  for (const tab of anas) await tab.page.getByRole('link', { name: '3 messages waiting to be sent' }).first().waitFor();

  // The one that moves is closed: another goes on.
  await anas[0]!.page.close();
  stage.proxy.become({ kind: 'well' });
  for (const tab of anas.slice(1)) await tab.page.getByText(/waiting to be sent$/).waitFor({ state: 'detached' });
  await expect.poll(() => texts(bens[1]!)).toEqual(expected);
  for (const tab of anas.slice(1)) expect(await texts(tab)).toEqual(expected);
  expect(await anas[1]!.page.evaluate(lockState)).toEqual({ held: 1, pending: 1 });
});

test('[C11.1] signing out asks while something waits, and then takes every tab and all of this person’s data away', async () => {
  const ana = await arrive('Ana Silva', stage.proxy.origin);
  const ben = await arrive('Ben Okafor');
  await writeTo(ana, ben);
  await send(ana, 'sent');
  await marked(ana, 'sent', 'Sent');
  await ana.composer.fill('a draft');
  await shellKept(ana);
  const tabs = [await openTab(ana, new URL(ana.page.url()).pathname), await openTab(ana)];
  await item(tabs[0]!, 'sent').waitFor();
  expect((await ana.page.evaluate(kept)).databases.length).toBeGreaterThan(3);

  stage.proxy.become({ kind: 'cut' });
  for (const text of ['one', 'two']) await send(ana, text);
  await openSettings(ana);
  await leave(ana);
  await ana.page.getByText('2 messages have not been sent yet, and would be lost.').waitFor();
  for (const { conversations } of [ana, ...tabs]) expect(await conversations.count()).toBe(1);
  stage.proxy.become({ kind: 'well' });
  await ana.page
    .getByText(/waiting to be sent$/)
    .first()
    .waitFor({ state: 'detached' });
  await openFromList(ben, ana);
  await item(ben, 'two').waitFor();

  await ana.page.reload();
  await openSettings(ana);
  for (const delay of await delays(ana, [ana, ...tabs], { selector: 'h1', text: 'Welcome back' }, () => leave(ana)))
    expect(delay).toBeLessThan(500);
  const shell = await ana.page.evaluate(kept);
  expect([shell.stores, shell.cached.filter((name) => !name.startsWith('homing-shell-') || name.includes('/api'))]).toEqual([[], []]);
  await expect.poll(async () => (await ana.page.evaluate(kept)).databases).toEqual(['homing']);

  // Nothing brings anybody back: neither a new tab nor the session's cookie.
  const again = meet(await ana.page.context().newPage(), 'Ana Silva');
  await again.page.goto(stage.proxy.origin);
  await again.page.getByLabel('Password').waitFor();
  expect((await again.page.evaluate(kept)).databases).toEqual(['homing']);
  expect(await again.page.evaluate(async () => (await fetch('/api/me')).status)).toBe(401);

  // Signing in is for every tab too.
  await again.page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await again.page.getByLabel('Handle').fill(ana.handle);
  await again.page.getByLabel('Password').fill(PASSWORD);
  await again.page.getByRole('button', { name: 'Sign in', exact: true }).click();
  for (const { conversations } of [ana, ...tabs]) await conversations.waitFor();
});

test('signed out without a network nothing remains either, and the session ends when there is one', async () => {
  const ana = await arrive('Ana Silva', stage.proxy.origin);
  await shellKept(ana);
  stage.proxy.become({ kind: 'cut' });
  await openSettings(ana);
  await leave(ana);
  await ana.page.getByLabel('Password').waitFor();
  await expect.poll(async () => (await ana.page.evaluate(kept)).databases).toEqual(['homing']);
  await ana.page.reload();
  await ana.page.getByLabel('Password').waitFor();
  stage.proxy.become({ kind: 'well' });
  await ana.page.reload();
  await ana.page.getByLabel('Password').waitFor();
  await expect.poll(() => ana.page.evaluate(async () => (await fetch('/api/me')).status)).toBe(401);
});
