import { expect, test } from 'vitest';
import { LIMITS } from '../../shared/limits.ts';
import { PASSWORD, PHONE, item, marked, openFromList, send, tabTo, texts, writeTo } from './person.ts';
import { setStage } from './stage.ts';

const stage = setStage();
const { arrive, come } = stage;

test('two people meet, write, and read each other', async () => {
  const ana = await arrive('Ana Silva');
  const ben = await arrive('Ben Okafor', stage.server.origin, { viewport: PHONE, colorScheme: 'dark' });

  await writeTo(ana, ben);
  await send(ana, 'Are you around?');
  await marked(ana, 'Are you around?', 'Sent');
  await send(ana, 'This weekend, I mean.');
  await send(ana, 'Saturday?');

  const row = ben.conversations.getByRole('link', { name: /^Ana Silva.*3 unread/ });
  await row.waitFor();
  await expect.poll(() => ben.page.title()).toBe('(3) Homing');
  expect(await item(ana, 'Saturday?').getByText('Read', { exact: true }).count()).toBe(0);

  await row.click();
  await item(ben, 'Saturday?').waitFor();
  await ben.messages.getByRole('separator', { name: 'New messages' }).waitFor();
  await marked(ana, 'Saturday?', 'Read');
  await expect.poll(() => ben.page.title()).toBe('Homing');

  await ben.composer.pressSequentially('Saturday is');
  await ana.page.getByText('typing…').waitFor();
  await ben.composer.pressSequentially(' perfect.');
  await ben.page.getByRole('button', { name: 'Send', exact: true }).click();
  await item(ana, 'Saturday is perfect.').waitFor();
  await ana.page.getByText('typing…').waitFor({ state: 'detached' });
  await ana.page.getByText('Ben Okafor: Saturday is perfect.', { exact: true }).waitFor({ state: 'attached' });
  await marked(ben, 'Saturday is perfect.', 'Read');
  // A screen reader hears how far it came (C9.3).
  await ben.page.getByRole('main').getByRole('status').getByText('Read', { exact: true }).waitFor({ state: 'attached' });
  expect(await ana.messages.getByRole('listitem').count()).toBe(4);
  expect(await ana.page.getByRole('status', { name: 'Connection' }).textContent()).toBe('Connected');
});

test('a conversation is as it was after a reload, and after signing out and in', async () => {
  const ana = await arrive('Ana Silva');
  const ben = await arrive('Ben Okafor');
  await writeTo(ana, ben);
  for (const text of ['one', 'two', 'three']) await send(ana, text);
  await marked(ana, 'three', 'Sent');

  await ana.page.reload();
  await item(ana, 'three').waitFor();
  expect(await texts(ana)).toEqual(['one', 'two', 'three']);

  await ana.page.getByRole('link', { name: 'Settings' }).click();
  await ana.page.getByRole('button', { name: 'Sign out' }).click();
  await ana.page.getByLabel('Handle').fill(ana.handle);
  await ana.page.getByLabel('Password').fill('not the password');
  await ana.page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await ana.page.getByText('The handle or the password is wrong.').waitFor();
  await ana.page.getByLabel('Password').fill(PASSWORD);
  await ana.page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await openFromList(ana, ben);
  await item(ana, 'three').waitFor();
  expect(await texts(ana)).toEqual(['one', 'two', 'three']);
});

test('[C5.1, C5.2] who reads further up is not moved, and finds the new ones by the pill; own sending goes to the end', async () => {
  const ana = await arrive('Ana Silva');
  const ben = await arrive('Ben Okafor');
  await writeTo(ana, ben);
  for (let i = 0; i < 30; i++) await send(ana, `line ${i}\nand more of it`);
  await marked(ana, 'line 29', 'Sent');
  const history = ana.page.getByRole('group', { name: 'History' });
  await history.evaluate((box) => (box.scrollTop = 300));
  const top = (): Promise<number | undefined> =>
    item(ana, 'line 5\n')
      .boundingBox()
      .then((box) => box?.y);
  const before = await top();

  await ben.conversations.getByRole('link', { name: /^Ana Silva/ }).click();
  await send(ben, 'an answer');
  const pill = ana.page.getByRole('button', { name: '1 new' });
  await pill.waitFor();
  expect(await top()).toBe(before);
  expect(await item(ben, 'an answer').getByText('Read', { exact: true }).count()).toBe(0);

  await pill.click();
  await marked(ben, 'an answer', 'Read');
  await history.evaluate((box) => (box.scrollTop = 0));
  await send(ana, 'at the end');
  await expect.poll(() => history.evaluate((box) => Math.round(box.scrollHeight - box.scrollTop - box.clientHeight))).toBe(0);
});

test('[C1] keys of the composer: Shift+Enter makes a line, Enter sends, white space and too much do not leave', async () => {
  const ana = await arrive('Ana Silva');
  const ben = await arrive('Ben Okafor');
  await writeTo(ana, ben);
  await ana.composer.press('Enter');
  await ana.composer.fill('   ');
  await ana.composer.press('Enter');
  await ana.composer.fill('x'.repeat(LIMITS.body + 1));
  await ana.composer.press('Enter');
  await ana.page.getByText('1 too many characters').waitFor();
  await ana.composer.fill('first');
  await ana.composer.press('Shift+Enter');
  await ana.composer.pressSequentially('second');
  await ana.composer.press('Enter');
  await marked(ana, 'first', 'Sent');
  expect(await ana.composer.inputValue()).toBe('');
  expect(await texts(ana)).toEqual(['first\nsecond']);
});

test('the way from sign-up to a sent message needs no mouse', async () => {
  const ben = await arrive('Ben Okafor');
  const ana = await come('Ana Silva');
  const { page } = ana;
  for (const [label, text] of [
    ['Handle', ana.handle],
    ['Display name', ana.name],
    ['Password', PASSWORD],
  ] as const) {
    await tabTo(ana, page.getByLabel(label));
    await page.keyboard.type(text);
  }
  await page.keyboard.press('Enter');
  await ana.conversations.waitFor();

  await tabTo(ana, page.getByRole('searchbox', { name: 'Find people' }));
  await page.keyboard.type(ben.handle);
  const found = page.getByRole('region', { name: 'People' }).getByRole('link', { name: ben.name });
  await found.waitFor();
  await tabTo(ana, found);
  // What the search found shows at once; the server's own word of him comes when she is already at the button.
  let answer = (): void => {};
  const isThere = new Promise<void>((resolve) => (answer = resolve));
  await page.route(`**/api/users/${ben.handle}`, async (route) => {
    const response = await route.fetch();
    await isThere;
    await route.fulfill({ response, json: { ...((await response.json()) as object), bio: 'Here since today' } });
  });
  await page.keyboard.press('Enter');
  const sendMessage = page.getByRole('button', { name: 'Send message' });
  await sendMessage.waitFor();
  await tabTo(ana, sendMessage);
  answer();
  await page.getByText('Here since today').waitFor();
  await page.keyboard.press('Enter');

  await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Message');
  await page.keyboard.type('no mouse');
  await page.keyboard.press('Enter');
  await marked(ana, 'no mouse', 'Sent');
});
