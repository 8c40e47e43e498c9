import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

/** Somebody in front of their own browser. */
export interface Person {
  name: string;
  handle: string;
  page: Page;
  /** What went wrong in the page: uncaught errors and breaches of its content security policy. */
  faults: string[];
  conversations: Locator;
  messages: Locator;
  composer: Locator;
}

export const PASSWORD = 'correct horse battery';
export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

let people = 0;
/** Longer than the longest pause before a client tries again, 30 s (`backOffMs`). */
const COMES_BACK_MS = 60_000;

/** Whoever sits before this page, with names of things as assistive technology finds them. */
export function meet(page: Page, name: string): Person {
  const faults: string[] = [];
  page.setDefaultTimeout(COMES_BACK_MS);
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && /Content Security Policy|requires 'Trusted/.test(message.text())) faults.push(message.text());
  });
  people += 1;
  return {
    name,
    handle: `${name.toLowerCase().split(' ')[0]}-${people}`,
    page,
    faults,
    conversations: page.getByRole('navigation', { name: 'Conversations' }),
    messages: page.getByRole('list', { name: 'Messages' }),
    composer: page.getByRole('textbox', { name: 'Message', exact: true }),
  };
}

/** A new browser profile on the first page. */
export async function openPerson(browser: Browser, origin: string, name: string, options: BrowserContextOptions = {}): Promise<Person> {
  const context = await browser.newContext({ baseURL: origin, viewport: DESKTOP, locale: 'en-GB', ...options });
  const person = meet(await context.newPage(), name);
  await person.page.goto('/');
  return person;
}

export async function signUp({ page, name, handle, conversations }: Person): Promise<void> {
  await page.getByLabel('Handle').fill(handle);
  await page.getByLabel('Display name').fill(name);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign up' }).click();
  await conversations.waitFor();
}

/** The same person once more, on a page where nobody is signed in. */
export async function signIn({ page, handle, conversations }: Person, password = PASSWORD): Promise<void> {
  await page.getByLabel('Password').waitFor();
  if ((await page.getByLabel('Display name').count()) > 0) await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByLabel('Handle').fill(handle);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await conversations.waitFor();
}

/** Goes the whole way to a conversation: search, profile, "Send message". */
export async function writeToStranger({ page, composer }: Person, other: Person): Promise<void> {
  await page.getByRole('searchbox', { name: 'Find people' }).fill(other.handle);
  await page.getByRole('region', { name: 'People' }).getByRole('link', { name: other.name }).click();
  await page.getByRole('button', { name: 'Send message' }).click();
  await page.getByRole('main', { name: `Conversation with ${other.name}` }).waitFor();
  await composer.waitFor();
}

/** The same, and the other has taken the request: what follows is between two who know each other (G3). */
export async function writeTo(person: Person, other: Person): Promise<void> {
  await writeToStranger(person, other);
  const path = `/api/messaging${new URL(person.page.url()).pathname}/accept`;
  const accept = (): Promise<boolean> => other.page.evaluate(async (asked) => (await fetch(asked, { method: 'PUT' })).ok, path);
  await expect.poll(accept).toBe(true);
}

/** Sends what is written, by the button. */
export async function send({ page, composer }: Person, text: string): Promise<void> {
  await composer.fill(text);
  await page.getByRole('button', { name: 'Send', exact: true }).click();
}

/** The item of the thread that holds this text. */
export const item = ({ messages }: Person, text: string): Locator => messages.getByRole('listitem').filter({ hasText: text });

/** The texts of the open conversation, from the first to the last. */
export const texts = ({ page }: Person): Promise<string[]> => page.locator('.bubble__text').allTextContents();

/** The marks of what the server has: soon after the first comes the next. */
export const ARRIVED = /^(?:Sent|Delivered|Read)$/;

/** A message is marked so; the mark is words. */
export const marked = (person: Person, text: string, mark: string | RegExp): Promise<void> =>
  item(person, text).getByText(mark, { exact: true }).waitFor();

/** Opens a conversation from the list. */
export async function openFromList({ page, conversations, composer }: Person, other: { name: string }): Promise<void> {
  await conversations.getByRole('link', { name: new RegExp(`^${other.name}`) }).click();
  await page.getByRole('main', { name: `Conversation with ${other.name}` }).waitFor();
  await composer.waitFor();
}

/** From now on this browser starts the app without a network. */
export const shellKept = ({ page }: Person): Promise<unknown> => page.evaluate(() => navigator.serviceWorker.ready);

/** Presses Tab until this has the focus. */
export async function tabTo({ page }: Person, target: Locator): Promise<void> {
  for (let presses = 0; presses < 30; presses++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not lead to ${String(target)}.`);
}
