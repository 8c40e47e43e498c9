import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { z } from 'zod';
import { conversationAnswer, messageAnswer, signedIn, user } from '../../shared/api.ts';
import { findChromium } from './chromium.ts';
import { HOSTILE } from './hostile-text.ts';
import { PASSWORD, type Person, meet, shellKept, signUp, texts } from './person.ts';
import { type TestServer, startServer } from './server.ts';

let server: TestServer;
let browser: Browser;
let context: BrowserContext;
let ana: Person;
let violations: string[];
let dialogs: string[];

beforeAll(async () => {
  server = await startServer({ LOG_LEVEL: 'warn' });
  browser = await chromium.launch(await findChromium());
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});
beforeEach(async () => {
  [violations, dialogs] = [[], []];
  context = await browser.newContext({ baseURL: server.origin, locale: 'en-GB' });
  await context.exposeBinding('violated', (_, words: string) => void violations.push(words));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sample }) =>
      (globalThis as unknown as { violated: (words: string) => void }).violated(`${effectiveDirective} ${blockedURI} ${sample}`),
    );
  });
  context.on('page', (page) =>
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    }),
  );
  ana = meet(await context.newPage(), 'Ana Silva');
  await ana.page.goto('/');
  await signUp(ana);
});
afterEach(() => context.close());

const stopped = (): string[] => server.said().match(/a browser stopped something/g) ?? [];

/** Somebody with a program of their own, who calls the API until it has time for them. */
async function openProgram(handle: string, way: 'register' | 'login') {
  let token = '';
  async function call<Schema extends z.ZodType>(schema: Schema, method: string, path: string, body?: unknown): Promise<z.infer<Schema>> {
    for (;;) {
      const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) };
      const response = await fetch(server.origin + path, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (response.ok) return schema.parse(await response.json());
      if (response.status !== 429) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
  const person = { handle, password: PASSWORD, client: 'program', ...(way === 'register' && { displayName: handle }) };
  const { accessToken, user } = await call(signedIn, 'POST', `/api/auth/${way}`, person);
  token = accessToken;
  return { id: user.id, call };
}

/** What would be there if any of it had become markup. */
const markup = (): Promise<number> =>
  ana.page.evaluate(
    () =>
      document.querySelectorAll(
        'script:not([src^="/assets/"], [src="/theme.js"]), iframe, object, embed, base, math, marquee, video, svg script, svg animate, style, meta[http-equiv], [onerror], [onload], [onfocus], [contenteditable], a[href^="javascript" i], a[href^="data" i]',
      ).length,
  );

/** What an attack that got into the page would try, as the page reads it. */
const ATTEMPTS = [
  `document.body.setHTMLUnsafe('<b>x</b>')`,
  `document.createElement('script').src = 'https://evil.example/x.js'`,
  `setTimeout('globalThis.ran = 1')`,
  `new Worker('/sw.js')`,
  `navigator.serviceWorker.register('/other.js')`,
  `trustedTypes.createPolicy('mine', {})`,
  `trustedTypes.createPolicy('solid-template', {})`,
];

test('the policy is in force: text that is set as markup, code in text and foreign scripts are stopped, seen here and told to the server', async () => {
  await shellKept(ana);
  const before = stopped().length;
  for (const attempt of ATTEMPTS) await expect(ana.page.evaluate(attempt), attempt).rejects.toThrow('TypeError');
  await ana.page.evaluate(() => void (new Image().src = 'https://evil.example/x.png'));
  await expect.poll(() => violations.length).toBeGreaterThan(ATTEMPTS.length);
  await expect.poll(() => stopped().length).toBeGreaterThan(before);
  violations.length = 0;
});

/** The name on the profile that is open; null when it does not come. */
const profileName = (): Promise<string | null> =>
  ana.page
    .locator('.profile h2')
    .textContent({ timeout: 3_000 })
    .catch(() => null);

/** The names that a search for the hostile person finds. */
async function foundNames(): Promise<string[]> {
  const box = ana.page.getByRole('searchbox', { name: 'Find people' });
  await box.fill('');
  await box.fill('mallory');
  const people = ana.page.getByRole('region', { name: 'People' });
  await people
    .getByRole('link')
    .first()
    .waitFor({ timeout: 3_000 })
    .catch(() => null);
  return people.locator('.row__name').allTextContents();
}

test('hostile text is text wherever it is shown, and nothing is stopped because nothing is tried', async () => {
  const { page } = ana;
  await shellKept(ana);
  const before = stopped().length;
  const mallory = await openProgram('mallory', 'register');
  const me = await openProgram(ana.handle, 'login');
  const opened = await me.call(conversationAnswer, 'POST', '/api/messaging/conversations', { userId: mallory.id });
  const { id } = opened.conversation;
  await me.call(messageAnswer, 'POST', '/api/messaging/messages', { conversationId: id, content: 'begin' });

  // Messages, and the list's preview of each.
  await page.goto(`/conversations/${id}`);
  await ana.messages.getByText('begin').waitFor();
  const preview = ana.conversations.locator('.row__preview').first();
  for (const content of HOSTILE) {
    await mallory.call(messageAnswer, 'POST', '/api/messaging/messages', { conversationId: id, content });
    await expect.poll(() => preview.textContent()).toContain(content.slice(0, 40));
  }
  await expect.poll(() => texts(ana)).toEqual(expect.arrayContaining([HOSTILE.at(-1)]));
  const shown = await texts(ana);
  expect(shown.filter((text) => HOSTILE.includes(text)).length).toBeGreaterThan(10);
  const links = await ana.messages
    .getByRole('link')
    .evaluateAll((found: HTMLAnchorElement[]) => found.map(({ href, target, rel }) => ({ href, target, rel })));
  for (const link of links) {
    expect(link).toMatchObject({ target: '_blank', rel: 'noopener noreferrer nofollow' });
    expect(link.href).toMatch(/^https:\/\/(a|evil)\.example\//);
  }
  expect(await markup()).toBe(0);

  // Names and titles, in profile, search and list.
  for (const [i, text] of HOSTILE.entries()) {
    const displayName = text.slice(0, 60).trim();
    await mallory.call(user, 'PATCH', '/api/me', { displayName, bio: text });
    // Looking people up has its allowance, which this uses up.
    await expect.poll(() => page.goto('/people/mallory').then(() => profileName()), { interval: 500 }).toBe(displayName);
    expect(await page.locator('.profile__bio').textContent()).toBe(text);
    if (i % 20 === 0) await expect.poll(() => foundNames(), { interval: 1_000 }).toContain(displayName);
    expect(await markup()).toBe(0);
  }
  for (const text of HOSTILE)
    await me.call(conversationAnswer, 'POST', '/api/messaging/conversations', {
      title: text.slice(0, 100).trim(),
      memberIds: [mallory.id],
    });
  await page.goto('/');
  await expect.poll(() => ana.conversations.getByRole('link').count()).toBeGreaterThan(HOSTILE.length);
  const titles = await ana.conversations.locator('.row__name').allTextContents();
  for (const text of HOSTILE) expect(titles.map((title) => title.trim())).toContain(text.slice(0, 100).trim());
  expect(await markup()).toBe(0);

  // What one writes oneself.
  for (const text of HOSTILE) await page.getByRole('searchbox', { name: 'Find people' }).fill(text);
  await page.goto(`/conversations/${id}`);
  await ana.composer.waitFor();
  for (const text of HOSTILE.slice(0, 10)) {
    await ana.composer.fill(text);
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await expect.poll(() => texts(ana).then((all) => all.at(-1))).toBe(text);
  }
  expect(await markup()).toBe(0);
  expect(violations).toEqual([]);
  expect(dialogs).toEqual([]);
  expect(stopped().length).toBe(before);
});
