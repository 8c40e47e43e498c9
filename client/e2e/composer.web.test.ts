import { type CDPSession } from 'playwright-core';
import { expect, test } from 'vitest';
import { type Person, item, marked, openFromList, send, texts, writeTo } from './person.ts';
import { setStage } from './stage.ts';

const stage = setStage();
const { arrive } = stage;

async function twoInConversation(): Promise<[Person, Person]> {
  const two: [Person, Person] = [await arrive('Ana Silva'), await arrive('Ben Okafor')];
  await writeTo(...two);
  return two;
}

test('[C1] Enter while an input method is composing takes the candidate and sends nothing', async () => {
  const [ana] = await twoInConversation();
  const session: CDPSession = await ana.page.context().newCDPSession(ana.page);
  await ana.composer.focus();
  await session.send('Input.imeSetComposition', { text: 'に', selectionStart: 1, selectionEnd: 1 });
  // As browsers tell of the key that ends a composition.
  const key = { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 229 };
  await session.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', ...key });
  await session.send('Input.dispatchKeyEvent', { type: 'keyUp', ...key });
  await session.send('Input.insertText', { text: '日本' });
  expect(await ana.composer.inputValue()).toBe('日本');
  expect(await texts(ana)).toEqual([]);
  await ana.composer.press('Enter');
  await marked(ana, '日本', 'Sent');
});

test('[C1] where Ctrl+Enter was chosen Enter makes a line, in every tab at once and after a reload', async () => {
  const [ana] = await twoInConversation();
  const settings = await ana.page.context().newPage();
  await settings.goto('/settings');
  await settings.getByLabel('Ctrl+Enter').check();
  await ana.composer.focus();
  await expect.poll(() => ana.composer.getAttribute('enterkeyhint')).toBe('enter');
  await ana.page.keyboard.type('one');
  await ana.page.keyboard.press('Enter');
  await ana.page.keyboard.type('two');
  await ana.page.keyboard.press('Shift+Enter');
  await ana.page.keyboard.type('three');
  await ana.page.keyboard.press('Control+Enter');
  await marked(ana, 'three', 'Sent');
  expect(await texts(ana)).toEqual(['one\ntwo\nthree']);

  await settings.reload();
  expect(await settings.getByLabel('Ctrl+Enter').isChecked()).toBe(true);
  await settings.getByLabel('Enter', { exact: true }).check();
  await expect.poll(() => ana.composer.getAttribute('enterkeyhint')).toBe('send');
  await ana.composer.fill('four');
  await ana.composer.press('Enter');
  await marked(ana, 'four', 'Sent');
});

test('[C1, C8.1] Up in the empty composer changes the last own message, on both sides; in a text it moves the cursor', async () => {
  const [ana, ben] = await twoInConversation();
  await send(ana, 'see you at ten');
  await marked(ana, 'see you at ten', 'Sent');
  await openFromList(ben, ana);
  await send(ben, 'good');
  await item(ana, 'good').waitFor();

  await ana.composer.fill('a thought');
  await ana.composer.press('ArrowUp');
  expect(await ana.composer.inputValue()).toBe('a thought');
  await ana.composer.fill('');
  await ana.composer.press('ArrowUp');
  const editor = ana.page.getByRole('textbox', { name: 'Edit message', exact: true });
  expect(await editor.inputValue()).toBe('see you at ten');
  await ana.page.keyboard.type(' thirty');
  await ana.page.keyboard.press('Enter');
  for (const person of [ana, ben]) await item(person, 'see you at ten thirty').getByText('edited').waitFor();
  expect(await texts(ben)).toEqual(['see you at ten thirty', 'good']);
  expect(await ana.composer.inputValue()).toBe('');
});

test('[C1] Escape goes one step at a time: out of the edit first, then to the newest message; no text is lost', async () => {
  const [ana] = await twoInConversation();
  for (let i = 0; i < 40; i++) await send(ana, `line ${i}.`);
  await marked(ana, 'line 39.', 'Sent');
  const history = ana.page.locator('.thread__box');
  const isAtEnd = (): Promise<boolean> => history.evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight < 2);
  await ana.composer.press('ArrowUp');
  await ana.page.keyboard.press('PageUp');
  await expect.poll(isAtEnd).toBe(false);
  await ana.page.keyboard.press('Escape');
  await ana.composer.waitFor();
  expect([await ana.composer.inputValue(), await isAtEnd()]).toEqual(['', false]);
  await ana.composer.fill('half a thought');
  await ana.composer.press('Escape');
  await expect.poll(isAtEnd).toBe(true);
  expect(await ana.composer.inputValue()).toBe('half a thought');
  expect((await texts(ana)).at(-1)).toBe('line 39.');
});

test('the composer grows with its text, up to a height, and is small again once it is sent', async () => {
  const [ana] = await twoInConversation();
  const height = async (): Promise<number> => Math.round((await ana.composer.boundingBox())!.height);
  const small = await height();
  await ana.composer.fill('one\ntwo\nthree');
  expect(await height()).toBeGreaterThan(small + 30);
  await ana.composer.fill('line\n'.repeat(60));
  expect(await height()).toBeLessThan(330);
  await ana.composer.press('Enter');
  await expect.poll(height).toBe(small);
});
