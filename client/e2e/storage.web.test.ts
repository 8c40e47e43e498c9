import { once } from 'node:events';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { expectAccessible } from './accessibility.ts';
import { readOutbox } from './device-outbox.ts';
import { conversationOf } from './history.ts';
import {
  ARRIVED,
  PASSWORD,
  PHONE,
  type Person,
  item,
  marked,
  meet,
  openFromList,
  send,
  shellKept,
  signUp,
  texts,
  writeTo,
} from './person.ts';
import { readHistory } from './server-history.ts';
import { setStage } from './stage.ts';
import { type Tick, keepLedger } from './stop-at.ts';

const stage = setStage();
const { arrive } = stage;

/** The one fixed place that says what this device keeps. */
const device = ({ page }: Person) => page.getByRole('status', { name: 'This device' });
const NOTHING_KEPT = 'This device keeps nothing just now';
const says = (person: Person, words: string): Promise<void> => expect.poll(() => device(person).textContent()).toBe(words);
/** Words that promise that a text is on this device. */
const isPromise = ({ words }: Tick): boolean => /Kept|Waiting for network/.test(words);
const promises = (ledger: readonly Tick[], text: string): Tick[] => ledger.filter((tick) => tick.text === text && isPromise(tick));

/** Two who have said hello; the network of Ana can be cut, and a ledger is kept of what her page shows. */
async function meetTwo(): Promise<{ ana: Person; ben: Person; ledger: readonly Tick[]; contents: () => Promise<string[]> }> {
  const ana = await arrive('Ana Silva', stage.proxy.origin);
  const ben = await arrive('Ben Okafor');
  await writeTo(ana, ben);
  await send(ana, 'hello');
  await marked(ana, 'hello', ARRIVED);
  await shellKept(ana);
  const ledger = await keepLedger(ana.page);
  await ana.page.reload();
  await item(ana, 'hello').waitFor();
  const id = conversationOf(ana);
  return { ana, ben, ledger, contents: async () => (await ben.page.evaluate(readHistory, id)).map(({ content }) => content) };
}

/** What the browser's storage does to the origin of a page. */
async function storageOf(page: Page) {
  const session = await page.context().newCDPSession(page);
  const { origin } = new URL(page.url());
  return {
    setQuota: (bytes: number | null) =>
      session.send('Storage.overrideQuotaForOrigin', { origin, ...(bytes === null ? {} : { quotaSize: bytes }) }),
    clear: (storageTypes: string) => session.send('Storage.clearDataForOrigin', { origin, storageTypes }),
  };
}
/** All that browsers clear by themselves when space runs short. */
const EVICTED = 'indexeddb,cache_storage,service_workers,local_storage,file_systems';

const boxes = ({ page }: Person) =>
  page.evaluate(() =>
    ['.conversation > .bar', '.composer', '[role=group][aria-label=History]', '.list-pane', '.search'].map((selector) => {
      const { x, y, width, height } = document.querySelector(selector)!.getBoundingClientRect();
      return [selector, x, y, width, height];
    }),
  );

/** The texts that wait on the device, whatever the app says. Rejects when Chromium is silent, as to what it is asked while it clears. */
async function onDevice({ page }: Person): Promise<string[]> {
  const unanswered = once(AbortSignal.timeout(5_000), 'abort').then(() => Promise.reject(new Error('IndexedDB does not answer.')));
  return (await Promise.race([page.evaluate(readOutbox), unanswered])).flatMap(({ text }) => text ?? []);
}

/** Runs in the page: whether a small thing can be kept. */
async function hasRoom(): Promise<boolean> {
  const request = indexedDB.open('room');
  request.addEventListener('upgradeneeded', () => void request.result.createObjectStore('room', { autoIncrement: true }));
  const outcome = await new Promise<boolean>((resolve) => {
    request.addEventListener('error', () => resolve(false));
    request.addEventListener('success', () => {
      const transaction = request.result.transaction('room', 'readwrite');
      transaction.objectStore('room').add('x'.repeat(1_000));
      transaction.addEventListener('complete', () => resolve(true));
      transaction.addEventListener('abort', () => resolve(false));
    });
  });
  if (request.readyState === 'done' && outcome) request.result.close();
  return outcome;
}

test('[F14] a full disk: never called kept, said in one place that moves nothing, sent all the same, copied, kept when there is room again', async () => {
  const ben = await arrive('Ben Okafor');
  const ana = await stage.come('Ana Silva', stage.proxy.origin);
  const { page } = ana;
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const storage = await storageOf(page);
  await storage.setQuota(1);
  await expect.poll(() => page.evaluate(hasRoom)).toBe(false);
  const ledger = await keepLedger(page);
  await page.reload();
  await signUp(ana);
  await says(ana, NOTHING_KEPT);
  await writeTo(ana, ben);
  await send(ana, 'sent though it is full');
  await marked(ana, 'sent though it is full', ARRIVED);
  expect(promises(ledger, 'sent though it is full')).toEqual([]);

  stage.proxy.become({ kind: 'cut' });
  await send(ana, 'only here, one');
  await send(ana, 'only here, two');
  await says(ana, '2 messages only in this tab');
  await item(ana, 'only here, two').getByText('Only in this tab').waitFor({ state: 'attached' });
  await expectAccessible(page, 'a conversation that is not kept');
  const failing = await boxes(ana);
  const asked = page.waitForEvent('dialog');
  void page.close({ runBeforeUnload: true });
  const dialog = await asked;
  expect(dialog.type()).toBe('beforeunload');
  await dialog.dismiss();

  await device(ana).getByRole('link').click();
  await page.getByText('Leave this tab open until these are sent, or copy them.').waitFor();
  await expectAccessible(page, 'what waits and is not kept');
  await page.getByRole('button', { name: 'Copy all' }).click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe('only here, one\n\nonly here, two');
  await page.getByRole('button', { name: 'Copy', exact: true }).first().click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe('only here, one');
  expect([...promises(ledger, 'only here, one'), ...promises(ledger, 'only here, two')]).toEqual([]);
  expect(await onDevice(ana)).toEqual([]);

  await storage.setQuota(null);
  await says(ana, 'Kept on this device again');
  await says(ana, '');
  expect(await onDevice(ana)).toEqual(['only here, one', 'only here, two']);
  await openFromList(ana, ben);
  await marked(ana, 'only here, two', 'Waiting for network');
  expect(await boxes(ana)).toEqual(failing);
  stage.proxy.become({ kind: 'well' });
  await marked(ana, 'only here, two', ARRIVED);
  const history = await ben.page.evaluate(readHistory, conversationOf(ana));
  expect(history.map(({ content }) => content)).toEqual(['sent though it is full', 'only here, one', 'only here, two']);
});

test('[F14] transactions that are undone at their end: not called kept, and sent once', async () => {
  const { ana, ledger, contents } = await meetTwo();
  const mend = await ana.page.evaluateHandle(() => {
    const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = function (this: IDBObjectStore, ...asked: Parameters<typeof put>) {
      const request = put.apply(this, asked);
      request.addEventListener('success', () => this.transaction.abort());
      return request;
    };
    return () => void (IDBObjectStore.prototype.put = put);
  });
  stage.proxy.become({ kind: 'cut' });
  await send(ana, 'undone');
  await says(ana, '1 message only in this tab');
  expect(promises(ledger, 'undone')).toEqual([]);
  await mend.evaluate((run) => run());
  await says(ana, 'Kept on this device again');
  await marked(ana, 'undone', 'Waiting for network');
  stage.proxy.become({ kind: 'well' });
  await marked(ana, 'undone', ARRIVED);
  expect(await contents()).toEqual(['hello', 'undone']);
});

/** Ways in which IndexedDB cannot be used from the start; each runs in the page before anything else. */
const WAYS = {
  'opening is never answered': () => {
    const { open } = IDBFactory.prototype;
    IDBFactory.prototype.open = function (this: IDBFactory) {
      const request = open.call(this, 'elsewhere');
      const nothing = { set: () => {} };
      return Object.defineProperties(request, { addEventListener: { value: () => {} }, onsuccess: nothing, onerror: nothing });
    };
  },
  'opening fails': () => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('not here', 'SecurityError');
    };
  },
  'there is no IndexedDB': () => Reflect.deleteProperty(globalThis, 'indexedDB'),
  'a newer version was here': () => {},
};

/** Runs in the page: what a later version of the app would have left behind. */
async function leaveNewer(): Promise<void> {
  const names = (await indexedDB.databases()).map(({ name }) => name ?? '');
  const request = indexedDB.open(
    names.find((name) => /^homing\/[0-9a-f-]{36}$/.test(name))!,
    2,
  );
  await new Promise((resolve) => request.addEventListener('success', resolve));
  request.result.close();
}

test('[F14] IndexedDB that cannot be used from the start, whichever way: it is said, the server is read, and what is written is sent', async () => {
  const { ana, contents } = await meetTwo();
  const path = new URL(ana.page.url()).pathname;
  for (const [way, breakIt] of Object.entries(WAYS)) {
    if (way === 'a newer version was here') await ana.page.evaluate(leaveNewer);
    const tab = stage.join(meet(await ana.page.context().newPage(), 'Ana Silva'));
    const ledger = await keepLedger(tab.page);
    await tab.page.addInitScript(breakIt);
    await tab.page.goto(stage.proxy.origin + path);
    await item(tab, 'hello').waitFor();
    await says(tab, NOTHING_KEPT);
    await send(tab, way);
    await marked(tab, way, ARRIVED);
    expect(promises(ledger, way)).toEqual([]);
    await tab.page.close();
  }
  expect(await contents()).toEqual(['hello', ...Object.keys(WAYS)]);
});

test('[F14] an origin cleared in the middle of it: what waits stays, is kept again and leaves once; all that was sent is back within 5 s', async () => {
  const { ana, ben, contents } = await meetTwo();
  const { page } = ana;
  const storage = await storageOf(page);
  stage.proxy.become({ kind: 'cut' });
  await send(ana, 'waits');
  await marked(ana, 'waits', 'Waiting for network');
  await storage.clear(EVICTED);
  await expect.poll(() => onDevice(ana)).toEqual(['waits']);
  await marked(ana, 'waits', 'Waiting for network');
  expect(await texts(ana)).toEqual(['hello', 'waits']);
  stage.proxy.become({ kind: 'well' });
  await marked(ana, 'waits', ARRIVED);
  expect(await contents()).toEqual(['hello', 'waits']);

  const isBack = async (): Promise<number> => {
    const from = Date.now();
    await openFromList(ana, ben);
    await item(ana, 'waits').waitFor();
    expect(await texts(ana)).toEqual(['hello', 'waits']);
    return Date.now() - from;
  };
  await storage.clear(EVICTED);
  const from = Date.now();
  await page.goto('/');
  await isBack();
  expect(Date.now() - from).toBeLessThan(5_000);

  // With its cookies too, as a person does it who "clears site data".
  await storage.clear('all');
  await page.goto('/');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByLabel('Handle').fill(ana.handle);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await ana.conversations.waitFor();
  expect(await isBack()).toBeLessThan(5_000);
});

test('[F14] a private window, or a browser that has not promised anything: while something waits that is said, at the foot and where it waits', async () => {
  const { ana } = await meetTwo();
  const { page } = ana;
  stage.proxy.become({ kind: 'cut' });
  await send(ana, 'waits');
  const hint = page.getByText('The browser may clear this to make room', { exact: true });
  await hint.waitFor();
  await page.getByRole('link', { name: '1 message waiting to be sent' }).first().click();
  await page.getByText('a private window forgets them when it is closed').waitFor();
  await expectAccessible(page, 'what waits and may be cleared');
  await page.setViewportSize(PHONE);
  await page.goto('/');
  await hint.waitFor();

  // The same in a browser that has promised to keep it.
  await page.addInitScript(() => {
    navigator.storage.persisted = async () => true;
  });
  await page.goto('/waiting');
  await page.getByText('These are kept on this device').waitFor();
  expect(await page.getByText('a private window forgets').count()).toBe(0);
  stage.proxy.become({ kind: 'well' });
  await page.getByText('Everything is sent.').waitFor();
});
