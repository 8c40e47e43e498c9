import { type Locator } from 'playwright-core';
import { expect, test } from 'vitest';
import { expectAccessible } from './accessibility.ts';
import { PASSWORD, PHONE, type Person, item, marked, meet, openFromList, send, tabTo, writeTo, writeToStranger } from './person.ts';
import { setStage } from './stage.ts';
import { makeShots } from './shots.ts';

/** How people protect themselves, and what stays of an account that is deleted (G1, G3 to G5), in real browsers. */
const shoot = makeShots('protection');
const NO_MESSAGES = 'Not sent: no messages pass between you and this person.';
const stage = setStage();
const { arrive } = stage;

const requests = ({ page }: Person): Locator => page.getByRole('link', { name: /^Message requests/ });
const bar = ({ page }: Person): Locator => page.getByRole('region', { name: 'Message request' });
const button = ({ page }: Person, name: string): Locator => page.getByRole('button', { name, exact: true });
const dialog = ({ page }: Person): Locator => page.getByRole('dialog');
const choice = ({ page }: Person, name: string): Locator => page.getByRole('menuitem', { name });
const focused = ({ page }: Person): Promise<string | null | undefined> => page.evaluate(() => document.activeElement?.textContent);

/** The way of somebody who is asked: requests, the one, and what it says. */
async function openRequest(person: Person, other: Person): Promise<void> {
  await requests(person).click();
  await person.page.getByRole('main', { name: 'Message requests' }).getByRole('link', { name: other.name }).click();
  await bar(person).waitFor();
}
async function chooseInHeader(person: Person, words: string): Promise<void> {
  await button(person, 'More').click();
  await choice(person, words).click();
}
async function openMenuOf(person: Person, text: string): Promise<void> {
  await item(person, text).hover();
  await item(person, text).getByRole('button', { name: 'What can be done with this message' }).click();
  await person.page.getByRole('menu').waitFor();
}

test('[G3] a stranger’s first message is a request: apart, uncounted, and nobody learns that it was read until it is accepted', async () => {
  const [ana, ben] = [await arrive('Ana Silva'), await arrive('Ben Okafor')];
  await writeToStranger(ana, ben);
  await send(ana, 'Hello Ben, we met at the harbour.');
  await marked(ana, 'Hello Ben', 'Sent');

  await requests(ben).getByText('1', { exact: true }).waitFor();
  expect(await ben.page.title()).toBe('Homing');
  expect(await ben.conversations.locator('.badge').count()).toBe(0);
  await expectAccessible(ben.page, 'a request in the list');
  await requests(ben).click();
  await ben.page.getByRole('main', { name: 'Message requests' }).getByText('we met at the harbour').waitFor();
  await shoot(ben.page, 'requests');
  await expectAccessible(ben.page, 'requests');
  await ben.page.getByRole('main', { name: 'Message requests' }).getByRole('link', { name: 'Ana Silva' }).click();
  await item(ben, 'Hello Ben').waitFor();
  expect(await ben.composer.count()).toBe(0);
  await shoot(ben.page, 'request');
  await expectAccessible(ben.page, 'a request');

  // Whatever he would have told had the time to come: a second message passes behind it.
  await send(ana, 'It was windy.');
  await item(ben, 'It was windy.').waitFor();
  await marked(ana, 'It was windy.', 'Sent');
  expect(await item(ana, 'Hello Ben').getByText('Sent', { exact: true }).count()).toBe(1);
  expect(await ben.page.title()).toBe('Homing');

  await button(ben, 'Accept').click();
  await ben.composer.waitFor();
  await expect.poll(() => ben.composer.evaluate((element) => element === document.activeElement)).toBe(true);
  await marked(ana, 'It was windy.', 'Read');
  await ben.conversations.getByRole('link', { name: /^Ana Silva/ }).waitFor();
  expect(await requests(ben).count()).toBe(0);
  await send(ben, 'So it was.');
  await item(ana, 'So it was.').waitFor();
});

test('[G3] a request that was deleted is gone until its next message; blocked, it stays away', async () => {
  const [ana, ben] = [await arrive('Ana Silva'), await arrive('Ben Okafor')];
  await writeToStranger(ana, ben);
  await send(ana, 'buy my boat');
  await openRequest(ben, ana);
  await button(ben, 'Delete').click();
  await expect.poll(() => requests(ben).count()).toBe(0);
  await send(ana, 'a fine boat');
  await openRequest(ben, ana);
  await button(ben, 'Block').click();
  await dialog(ben).getByText('They are not told.').waitFor();
  await shoot(ben.page, 'block');
  await expectAccessible(ben.page, 'block');
  await dialog(ben).getByRole('button', { name: 'Block' }).click();
  await expect.poll(() => requests(ben).count()).toBe(0);
  await send(ana, 'and cheap');
  await item(ana, 'and cheap').getByText(NO_MESSAGES).waitFor();
  expect(await requests(ben).count()).toBe(0);
});

test('[G1] blocked and unblocked from header, profile and settings; what was refused keeps its text and leaves afterwards', async () => {
  const [ana, ben] = [await arrive('Ana Silva'), await arrive('Ben Okafor')];
  await writeTo(ana, ben);
  await send(ana, 'hello');
  await openFromList(ben, ana);
  await chooseInHeader(ben, 'Block…');
  await dialog(ben).getByRole('button', { name: 'Block' }).click();
  await ben.page.getByText('You have blocked Ana Silva.').waitFor();
  await shoot(ben.page, 'blocked');
  await expectAccessible(ben.page, 'blocked');

  await ana.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await send(ana, 'are you there?');
  const failed = item(ana, 'are you there?');
  await failed.getByText(NO_MESSAGES).waitFor();
  await shoot(ana.page, 'refused');
  await expectAccessible(ana.page, 'refused');
  await failed.getByRole('button', { name: 'Copy' }).click();
  await expect.poll(() => ana.page.evaluate(() => navigator.clipboard.readText())).toBe('are you there?');

  await ben.page.getByRole('link', { name: 'Settings' }).click();
  const blocked = ben.page.getByRole('region', { name: 'Blocked people' });
  await blocked.getByText(`@${ana.handle}`).waitFor();
  await blocked.scrollIntoViewIfNeeded();
  await shoot(ben.page, 'blocked-people');
  await expectAccessible(ben.page, 'blocked people');
  await blocked.getByRole('link', { name: 'Ana Silva' }).click();
  await button(ben, 'Unblock').click();
  await button(ben, 'Block').waitFor();
  expect(await focused(ben)).toBe('Block');
  await shoot(ben.page, 'profile');
  await expectAccessible(ben.page, 'profile with block');
  await failed.getByRole('button', { name: 'Try again' }).click();
  await marked(ana, 'are you there?', 'Delivered');

  await button(ben, 'Block').click();
  await dialog(ben).getByRole('button', { name: 'Block' }).click();
  await expect.poll(() => focused(ben)).toBe('Unblock');
  await ben.page.getByRole('link', { name: 'Settings' }).click();
  await button(ben, 'Unblock Ana Silva').click();
  await blocked.getByText('You have blocked nobody.').waitFor();
  expect(await focused(ben)).toBe('Blocked people');
});

test('[G1, G3] accepting and blocking hold at once without a network, and reach the server when there is one', async () => {
  const [ana, ben] = [await arrive('Ana Silva'), await arrive('Ben Okafor', stage.proxy.origin)];
  await writeToStranger(ana, ben);
  await send(ana, 'hello');
  await openRequest(ben, ana);
  await item(ben, 'hello').waitFor();
  stage.proxy.become({ kind: 'cut' });
  await button(ben, 'Accept').click();
  await ben.composer.waitFor();
  await chooseInHeader(ben, 'Block…');
  await dialog(ben).getByRole('button', { name: 'Block' }).click();
  await ben.page.getByText('You have blocked Ana Silva.').waitFor();
  await send(ana, 'still nothing refused');
  await marked(ana, 'still nothing refused', 'Sent');

  stage.proxy.become({ kind: 'well' });
  await ben.page.bringToFront();
  await ben.page.getByRole('status', { name: 'Connection' }).getByText('Connected', { exact: true }).waitFor({ state: 'attached' });
  const blockedAtServer = (): Promise<number> =>
    ben.page.evaluate(async () => ((await (await fetch('/api/blocks')).json()) as { users: unknown[] }).users.length);
  await expect.poll(blockedAtServer).toBe(1);
  await send(ana, 'and now');
  await item(ana, 'and now').getByText(NO_MESSAGES).waitFor();
  await ben.page.reload();
  await ben.page.getByText('You have blocked Ana Silva.').waitFor();
  await button(ben, 'Unblock').click();
  await ben.composer.waitFor();
  await expect.poll(blockedAtServer).toBe(0);
});

test('[G4] a message is reported by keyboard alone, with a reason, and what comes of it is said', async () => {
  const [ana, ben] = [await arrive('Ana Silva'), await arrive('Ben Okafor')];
  await writeTo(ana, ben);
  await send(ana, 'send me your password');
  await openFromList(ben, ana);
  await item(ben, 'send me your password').waitFor();
  const { page } = ben;
  await item(ben, 'send me your password').focus();
  await page.keyboard.press('Enter');
  await expect.poll(() => choice(ben, 'Copy').evaluate((element) => element === document.activeElement)).toBe(true);
  await shoot(page, 'menu');
  await expectAccessible(page, 'message menu');
  await page.keyboard.press('Escape');
  await expect.poll(() => item(ben, 'send me your password').evaluate((row) => row === document.activeElement)).toBe(true);
  await page.keyboard.press('Enter');
  await expect.poll(() => choice(ben, 'Copy').evaluate((element) => element === document.activeElement)).toBe(true);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await dialog(ben).getByText('send me your password').waitFor();
  await tabTo(ben, dialog(ben).getByRole('textbox', { name: 'In your own words' }));
  await page.keyboard.type('They ask everybody.');
  await shoot(page, 'report');
  await expectAccessible(page, 'report');
  await tabTo(ben, dialog(ben).getByRole('button', { name: 'Report' }));
  await page.keyboard.press('Enter');
  await dialog(ben).getByText('will look at it').waitFor();
  await shoot(page, 'reported');
  await expectAccessible(page, 'reported');
  await page.keyboard.press('Enter');
  await expect.poll(() => dialog(ben).count()).toBe(0);
  await expect.poll(() => item(ben, 'send me your password').evaluate((row) => row === document.activeElement)).toBe(true);
});

test('[G4, C8] on a phone the menu of a message is behind its three dots: report, copy, edit, delete', async () => {
  const ana = await arrive('Ana Silva');
  const ben = await arrive('Ben Okafor', stage.server.origin, { viewport: PHONE, hasTouch: true, isMobile: true });
  await writeTo(ana, ben);
  await send(ana, 'a rude word');
  await openFromList(ben, ana);
  await item(ben, 'a rude word').locator('.bubble__text').tap();
  await item(ben, 'a rude word').getByRole('button').tap();
  await choice(ben, 'Report…').tap();
  await dialog(ben).getByRole('radio', { name: 'Harassment' }).tap();
  await dialog(ben).getByRole('button', { name: 'Report' }).tap();
  await dialog(ben).getByText('will look at it').waitFor();
  await dialog(ben).getByRole('button', { name: 'Done' }).tap();

  await send(ben, 'firts');
  await send(ben, 'second');
  await marked(ben, 'second', 'Sent');
  await ben.composer.fill('begun');
  await openMenuOf(ben, 'firts');
  await choice(ben, 'Edit').tap();
  await ben.page.getByRole('textbox', { name: 'Edit message' }).fill('first');
  await button(ben, 'Save').tap();
  await item(ana, 'first').getByText('edited').waitFor();
  expect(await ben.composer.inputValue()).toBe('begun');
  await openMenuOf(ben, 'second');
  await choice(ben, 'Delete').tap();
  await item(ana, 'Message deleted').waitFor();
  // Nothing is left to be done with it.
  await expect.poll(() => item(ben, 'Message deleted').getByRole('button').count()).toBe(0);
});

test('[G5] an account is deleted for ever, from the device and in all tabs; its conversations stay for the others to read', async () => {
  const [ana, ben] = [await arrive('Ana Silva'), await arrive('Ben Okafor')];
  await writeTo(ana, ben);
  await send(ana, 'goodbye');
  await openFromList(ben, ana);
  await item(ben, 'goodbye').waitFor();
  const tab = meet(await ana.page.context().newPage(), ana.name);
  await tab.page.goto('/');
  await tab.conversations.getByRole('link', { name: /^Ben Okafor/ }).waitFor();

  await ana.page.bringToFront();
  await ana.page.getByRole('link', { name: 'Settings' }).click();
  await button(ana, 'Delete account…').click();
  await dialog(ana).getByLabel('Your password').fill('not this one');
  await dialog(ana).getByRole('button', { name: 'Delete for ever' }).click();
  await dialog(ana).getByText('This is not your password.').waitFor();
  await shoot(ana.page, 'delete-account');
  await expectAccessible(ana.page, 'delete account');
  await dialog(ana).getByLabel('Your password').fill(PASSWORD);
  await dialog(ana).getByRole('button', { name: 'Delete for ever' }).click();
  for (const { page } of [ana, tab]) await page.getByRole('button', { name: 'Sign in', exact: true }).first().waitFor();
  const kept = (): Promise<string[]> =>
    ana.page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name ?? '').filter((name) => name !== 'homing'));
  await expect.poll(kept).toEqual([]);
  await ana.page.reload();
  await ana.page.getByRole('button', { name: 'Sign in', exact: true }).first().waitFor();

  await ben.page.getByText('This account was deleted.').waitFor();
  await ben.conversations.getByRole('link', { name: /^Deleted account/ }).waitFor();
  await item(ben, 'goodbye').waitFor();
  expect([await ben.composer.count(), await button(ben, 'More').count()]).toEqual([0, 0]);
  await shoot(ben.page, 'gone');
  await expectAccessible(ben.page, 'a deleted account');
});
