import { type Locator } from 'playwright-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { expectAccessible } from './accessibility.ts';
import { fillOutbox } from './fill-outbox.ts';
import { type KeptBrowser, makeKeptBrowser } from './kept-browser.ts';
import { DESKTOP, type Person, item, marked, meet, openFromList, send, shellKept, signUp, texts, writeTo } from './person.ts';
import { setStage } from './stage.ts';

let kept: KeptBrowser;
const stage = setStage();
const { arrive } = stage;

beforeEach(async () => {
  kept = await makeKeptBrowser();
});
afterEach(async () => {
  await kept.remove();
});

/** Starts the browser that can be killed, on the app. */
async function startKept(name: string): Promise<Person> {
  const page = await kept.start();
  await page.setViewportSize(DESKTOP);
  const person = meet(page, name);
  await page.goto(stage.proxy.origin);
  return person;
}

const expectNone = async (found: Locator): Promise<void> => expect(await found.count()).toBe(0);

/** Runs in the page: the whole history over HTTP, and the number of the open segment. */
async function readAll(conversationId: string): Promise<{ messages: { id: string; seq: number }[]; open: number }> {
  const messages: { id: string; seq: number }[] = [];
  for (let before: number | null | undefined; before !== null;) {
    const query = before === undefined ? '' : `&before=${before}`;
    const answer = await fetch(`/api/messaging/conversations/${conversationId}/messages?limit=200${query}`);
    const page = (await answer.json()) as { messages: { id: string; seq: number }[]; nextBefore: number | null };
    messages.unshift(...page.messages);
    before = page.nextBefore;
  }
  const list = (await (await fetch('/api/messaging/conversations')).json()) as { conversations: { id: string; openSegment: number }[] };
  return { messages, open: list.conversations.find(({ id }) => id === conversationId)!.openSegment };
}

const waitingLink = ({ page }: Person, count: number) =>
  page.getByRole('link', { name: `${count.toLocaleString('en')} messages waiting to be sent` }).first();

test('[C6, C3] 50 messages written offline, 5 changed and 5 taken back, browser killed, started offline: 45 arrive, once, in order', async () => {
  const friends = [await arrive('Ben Okafor'), await arrive('Chiara Rossi'), await arrive('David Lind')];
  const before = await startKept('Ana Silva');
  await signUp(before);
  for (const friend of friends) {
    await writeTo(before, friend);
    await send(before, `hello ${friend.name}`);
    await marked(before, `hello ${friend.name}`, 'Sent');
  }
  await shellKept(before);
  // Browsers write cookies down when they like; a killed one may forget whom it knew for a minute only.
  await kept.close();

  stage.proxy.become({ kind: 'cut' });
  const ana = await startKept('Ana Silva');
  const expected = friends.map((friend) => [`hello ${friend.name}`]);
  for (const [i, friend] of friends.entries()) {
    await openFromList(ana, friend);
    const count = i === 2 ? 16 : 17;
    for (let n = 0; n < count; n++) {
      await send(ana, `offline ${i}-${n}.`);
      expected[i]!.push(`offline ${i}-${n}.`);
    }
    await item(ana, `offline ${i}-${count - 1}.`).waitFor();
  }

  await waitingLink(ana, 50).click();
  const panel = ana.page.getByRole('main', { name: 'Waiting to be sent' });
  const row = (text: string) => panel.getByRole('listitem').filter({ hasText: text });
  for (let n = 0; n < 5; n++) {
    const i = n % 3;
    await row(`offline ${i}-${n}.`).getByRole('button', { name: 'Edit' }).click();
    await panel.getByRole('textbox', { name: 'Edit message' }).fill(`changed ${i}-${n}.`);
    await panel.getByRole('button', { name: 'Save' }).click();
    await row(`changed ${i}-${n}.`).waitFor();
    expected[i]!.splice(expected[i]!.indexOf(`offline ${i}-${n}.`), 1, `changed ${i}-${n}.`);
  }
  for (let n = 5; n < 10; n++) {
    const i = n % 3;
    await row(`offline ${i}-${n}.`).getByRole('button', { name: 'Delete' }).click();
    await row(`offline ${i}-${n}.`).waitFor({ state: 'detached' });
    expected[i]!.splice(expected[i]!.indexOf(`offline ${i}-${n}.`), 1);
  }
  await waitingLink(ana, 45).waitFor();

  await kept.kill();
  const again = await startKept('Ana Silva');
  await waitingLink(again, 45).waitFor();
  for (const [i, friend] of friends.entries()) {
    await openFromList(again, friend);
    await expect.poll(() => texts(again)).toEqual(expected[i]);
  }

  stage.proxy.become({ kind: 'well' });
  await again.page.getByText(/messages? waiting to be sent$/).waitFor({ state: 'detached' });
  for (const [i, friend] of friends.entries()) {
    await openFromList(friend, again);
    await expect.poll(() => texts(friend)).toEqual(expected[i]);
    // The first unread one is where reading goes on; the end is read when it is on the screen.
    await friend.composer.press('Escape');
    await openFromList(again, friend);
    await marked(again, expected[i]!.at(-1)!, 'Read');
    expect(await texts(again)).toEqual(expected[i]);
  }
  expect(again.faults).toEqual([]);
});

test('[C6.6] 5,000 messages that wait leave in ten segments, each once, in order, and none is refused', async () => {
  const ben = await arrive('Ben Okafor');
  const ana = await arrive('Ana Silva', stage.proxy.origin);
  await writeTo(ana, ben);
  await send(ana, 'hello');
  await marked(ana, 'hello', 'Sent');
  await shellKept(ana);
  const conversationId = new URL(ana.page.url()).pathname.split('/').at(-1)!;
  stage.proxy.become({ kind: 'cut' });

  const texts = Array.from({ length: 5_000 }, (_, i) => `waiting ${i}`);
  const ids = await fillOutbox(ana, conversationId, texts);
  await ana.page.goto(stage.proxy.origin);
  await waitingLink(ana, 5_000).waitFor();

  stage.proxy.become({ kind: 'well' });
  await ana.page.getByText(/waiting to be sent$/).waitFor({ state: 'detached', timeout: 180_000 });
  await expectNone(ana.page.getByText(/not sent/));
  const { messages, open } = await ben.page.evaluate(readAll, conversationId);
  expect(messages.map(({ id }) => id).slice(1)).toEqual(ids);
  expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 5_001 }, (_, i) => i + 1));
  expect(open).toBe(11);
});

test('a cold start without a network shows the list and what was read before', async () => {
  const ben = await arrive('Ben Okafor');
  const ana = await startKept('Ana Silva');
  await signUp(ana);
  await writeTo(ben, ana);
  await send(ben, 'kept for the train');
  await openFromList(ana, ben);
  await item(ana, 'kept for the train').waitFor();
  await marked(ben, 'kept for the train', 'Read');
  await shellKept(ana);
  await kept.close();
  stage.proxy.become({ kind: 'cut' });

  const again = await startKept('Ana Silva');
  await openFromList(again, ben);
  await item(again, 'kept for the train').waitFor();
  await expect.poll(() => again.page.getByRole('status', { name: 'Connection' }).textContent()).not.toBe('Connected');
  expect(again.faults).toEqual([]);
});

test('[C3.4] late mail stands at the end, is unread, and shows when it was written and when it was sent', async () => {
  const ana = await arrive('Ana Silva', stage.proxy.origin);
  const ben = await arrive('Ben Okafor');
  await writeTo(ana, ben);
  await send(ana, 'in time');
  await marked(ana, 'in time', 'Sent');

  stage.proxy.become({ kind: 'cut' });
  await ana.page.clock.setSystemTime(Date.now() - 2 * 60 * 60_000);
  await send(ana, 'written on the train');
  await item(ana, 'written on the train').waitFor();
  await openFromList(ben, ana);
  await send(ben, 'meanwhile');
  await ben.page.goto('/');
  await ana.page.clock.setSystemTime(Date.now());
  stage.proxy.become({ kind: 'well' });

  await ben.conversations.getByRole('link', { name: /^Ana Silva.*1 unread/ }).click();
  await item(ben, 'written on the train').waitFor();
  expect(await texts(ben)).toEqual(['in time', 'meanwhile', 'written on the train']);
  await item(ben, 'written on the train')
    .getByText(/written .*, sent /)
    .waitFor();
  await expect.poll(() => texts(ana)).toEqual(['in time', 'meanwhile', 'written on the train']);
});

test('first contact offline from both sides at once makes one conversation with the mail of both', async () => {
  const ana = await arrive('Ana Silva', stage.proxy.origin);
  const ben = await arrive('Ben Okafor', stage.proxy.origin);
  for (const [one, other] of [
    [ana, ben],
    [ben, ana],
  ] as const) {
    await one.page.getByRole('searchbox', { name: 'Find people' }).fill(other.handle);
    await one.page.getByRole('region', { name: 'People' }).getByRole('link', { name: other.name }).click();
    await one.page.getByRole('button', { name: 'Send message' }).waitFor();
  }
  stage.proxy.become({ kind: 'cut' });
  for (const one of [ana, ben]) {
    await one.page.getByRole('button', { name: 'Send message' }).click();
    await one.composer.waitFor();
    await send(one, `from ${one.name}`);
    await item(one, `from ${one.name}`).waitFor();
  }
  stage.proxy.become({ kind: 'well' });
  await item(ana, 'from Ben Okafor').waitFor();
  await item(ben, 'from Ana Silva').waitFor();
  await expect.poll(async () => (await texts(ana)).length).toBe(2);
  expect(await texts(ben)).toEqual(await texts(ana));
  for (const one of [ana, ben]) expect(await one.conversations.getByRole('link').count()).toBe(1);
});

test('[C5.6, C6.2] a black hole is noticed, told in one fixed place, and what is written meanwhile leaves by itself', async () => {
  const ana = await arrive('Ana Silva', stage.proxy.origin);
  const ben = await arrive('Ben Okafor');
  await writeTo(ana, ben);
  await send(ana, 'before');
  await marked(ana, 'before', 'Sent');
  const box = await item(ana, 'before').boundingBox();
  stage.proxy.become({ kind: 'black-hole' });
  await send(ana, 'during');
  const status = ana.page.getByRole('status', { name: 'Connection' });
  await expect.poll(() => status.textContent()).not.toBe('Connected');
  await item(ana, 'during').getByText('Waiting for network').waitFor({ state: 'attached' });
  expect((await item(ana, 'before').boundingBox())?.x).toBe(box?.x);
  stage.proxy.become({ kind: 'well' });
  await openFromList(ben, ana);
  await item(ben, 'during').waitFor();
  expect(await texts(ben)).toEqual(['before', 'during']);
  await expect.poll(() => status.textContent()).toBe('Connected');
});

test('a killed server loses nothing that was shown as sent, and gets the rest when it is back', async () => {
  const ana = await arrive('Ana Silva');
  const ben = await arrive('Ben Okafor');
  await writeTo(ana, ben);
  await send(ana, 'sent before');
  await marked(ana, 'sent before', 'Sent');
  await stage.server.kill();
  for (const n of [1, 2, 3]) await send(ana, `while it is away ${n}`);
  await stage.server.start();
  await marked(ana, 'while it is away 3', 'Sent');
  await openFromList(ben, ana);
  await expect.poll(() => texts(ben)).toEqual(['sent before', 'while it is away 1', 'while it is away 2', 'while it is away 3']);
});

test('screens of somebody without a network are accessible, in light and dark, on a desktop and on a phone', async () => {
  const ana = await arrive('Ana Silva', stage.proxy.origin);
  const ben = await arrive('Ben Okafor');
  await writeTo(ana, ben);
  stage.proxy.become({ kind: 'cut' });
  await send(ana, 'this waits');
  await item(ana, 'this waits').getByText('Waiting for network').waitFor({ state: 'attached' });
  await expectAccessible(ana.page, 'conversation without a network');
  await ana.page.getByRole('link', { name: '1 message waiting to be sent' }).first().click();
  await ana.page.getByRole('button', { name: 'Edit' }).waitFor();
  await expectAccessible(ana.page, 'what waits');
  await ana.page.getByRole('button', { name: 'Edit' }).click();
  await expectAccessible(ana.page, 'changing what waits');
  await ana.page.getByRole('link', { name: 'Settings' }).click();
  await ana.page.getByRole('button', { name: 'Sign out' }).click();
  await ana.page.getByText('1 message has not been sent yet').waitFor();
  await expectAccessible(ana.page, 'signing out with something waiting');
});
