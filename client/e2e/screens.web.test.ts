import { type Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { expectAccessible } from './accessibility.ts';
import { PASSWORD, PHONE, type Person, item, marked, openFromList, send, shellKept, writeTo } from './person.ts';
import { setStage } from './stage.ts';

const stage = setStage();
const { arrive, come } = stage;

/** From the address bar: also to where no link leads. */
async function look({ page }: Person, path: string, words: string | RegExp, screen: string): Promise<void> {
  await page.goto(path);
  await page.getByText(words).first().waitFor();
  await expectAccessible(page, screen);
}

test('[C9, C10] the way in is accessible, with everything that can be said about it', async () => {
  const ana = await come('Ana Silva', stage.proxy.origin);
  const { page } = ana;
  await expectAccessible(page, 'sign up');
  await page.getByLabel('Handle').fill('a!');
  await page.getByLabel('Display name').fill('Ana');
  await page.getByLabel('Password').fill('short');
  await page.getByRole('button', { name: 'Sign up' }).click();
  await page.getByText('must be 3 to 30 letters').waitFor();
  await expectAccessible(page, 'sign up with mistakes');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
  await expectAccessible(page, 'sign in');
  await page.getByLabel('Handle').fill('nobody-here');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('The handle or the password is wrong.').waitFor();
  await expectAccessible(page, 'sign in refused');
  await shellKept(ana);
  stage.proxy.become({ kind: 'cut' });
  await page.goto('/');
  await page.getByRole('heading', { name: 'Homing cannot be reached' }).waitFor();
  await expectAccessible(page, 'unreachable');
});

test('[C9, C10] every other screen is accessible, in light and dark, on a desktop and on a phone', async () => {
  const ana = await arrive('Ana Silva');
  const { page } = ana;
  await expectAccessible(page, 'no conversations');
  const ben = await arrive('Ben Okafor');
  const search = page.getByRole('searchbox', { name: 'Find people' });
  await search.fill('zzzz');
  await page.getByText('Nobody of that name.').waitFor();
  await expectAccessible(page, 'search that finds nobody');
  await search.fill(ben.handle);
  const found = page.getByRole('region', { name: 'People' }).getByRole('link', { name: ben.name });
  await found.waitFor();
  await expectAccessible(page, 'search');
  await found.click();
  await page.getByRole('button', { name: 'Send message' }).waitFor();
  await expectAccessible(page, 'profile');
  await page.getByRole('button', { name: 'Send message' }).click();
  await page.getByText('No messages yet').first().waitFor();
  await expectAccessible(page, 'conversation without messages');

  await writeTo(ben, ana);
  await send(ben, 'hello');
  await page.goto('/');
  const row = ana.conversations.getByRole('link', { name: /^Ben Okafor.*1 unread/ });
  await row.waitFor();
  await expectAccessible(page, 'list');
  await row.click();
  await item(ana, 'hello').waitFor();
  await expectAccessible(page, 'conversation with unread');
  await send(ana, 'hello to you');
  await marked(ana, 'hello to you', 'Read');
  await ben.composer.pressSequentially('well');
  await page.getByText('typing…').waitFor();
  await expectAccessible(page, 'conversation');
  await ana.composer.press('ArrowUp');
  await page.getByText('Editing your message').waitFor();
  await expectAccessible(page, 'editing');

  await look(ana, '/settings', 'Look and writing', 'settings');
  await page.getByLabel('Display name').fill('Ana of the Boats');
  await page.getByLabel('Ctrl+Enter').check();
  await expectAccessible(page, 'settings, changed');
  await look(ana, '/waiting', 'Everything is sent.', 'nothing waits');
  await look(ana, `/people/${ana.handle}`, 'Edit your profile', 'own profile');
  await look(ana, '/people/nobody-here', 'Nobody has this handle.', 'nobody');
  await look(ana, '/conversations/nowhere', 'There is no such conversation.', 'no such conversation');
});

/** Words that no browser wants to break. */
const LONG = `https://example.org/${'a-way-without-any-end/'.repeat(6)}${'Pneumonoultramicroscopicsilicovolcanoconiosis'.repeat(3)}`;

const width = (page: Page): Promise<number> =>
  page.evaluate(() => Math.max(document.documentElement.scrollWidth, document.body.scrollWidth, innerWidth));

test('[C10] nothing is wider than a screen of 320 px, whatever is written', async () => {
  const ana = await arrive('Ana Silva', stage.server.origin, { viewport: { width: 320, height: 640 } });
  const ben = await arrive('Maximilian Alexander Freiherr von Hohenstein Wittelsbach');
  const { page } = ana;
  await page.request.patch('/api/me', { data: { bio: LONG }, headers: { origin: stage.server.origin } });
  await writeTo(ana, ben);
  await send(ana, LONG);
  await marked(ana, LONG, 'Sent');
  await ana.composer.fill(LONG);
  const wide: string[] = [];
  for (const path of [
    null,
    '/',
    '/settings',
    '/waiting',
    `/people/${ana.handle}`,
    `/people/${ben.handle}`,
    '/people/nobody',
    '/conversations/no',
  ]) {
    if (path !== null) await page.goto(path);
    await page.getByRole('main').waitFor({ state: 'attached' });
    if ((await width(page)) > 320) wide.push(path ?? 'conversation');
    // Nothing is cut off beside the screen either.
    const out = await page.evaluate(() =>
      [...document.querySelectorAll('button, a, input, textarea, .bubble')]
        .filter((element) => {
          const { left, right, width: size } = element.getBoundingClientRect();
          return size > 1 && (left < -1 || right > innerWidth + 1);
        })
        .map((element) => `${element.tagName} ${element.className} ${element.textContent}`),
    );
    wide.push(...out);
  }
  expect(wide).toEqual([]);
});

test('[C10] what is pressed on a phone has 44 px', async () => {
  const ana = await arrive('Ana Silva', stage.proxy.origin, { viewport: PHONE, hasTouch: true, isMobile: true });
  const ben = await arrive('Ben Okafor');
  const { page } = ana;
  await writeTo(ana, ben);
  await send(ana, 'hello');
  await marked(ana, 'hello', 'Sent');
  stage.proxy.become({ kind: 'cut' });
  await send(ana, 'waits');
  await page.getByRole('link', { name: '1 message waiting to be sent' }).waitFor();
  /** The height to be hit: with what reaches out of the element. */
  const small = (): Promise<string[]> =>
    page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('button, a, input, textarea, label:has(input)')].flatMap((element) => {
        const { height, width: size } = element.getBoundingClientRect();
        if (size <= 1 || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return [];
        const around = getComputedStyle(element, '::after');
        const reach = around.position === 'absolute' ? Number.parseFloat(around.height) || 0 : 0;
        const hit = Math.max(height, reach);
        return hit < 43.5 ? [`${element.tagName} ${element.textContent} ${hit}`] : [];
      }),
    );
  await expect.poll(small).toEqual([]);
  for (const path of ['/', '/settings', '/waiting']) {
    await page.goto(path);
    await page.getByRole('main').waitFor({ state: 'attached' });
    expect([path, await small()]).toEqual([path, []]);
  }
});

test('[C5.6] the layout is the same with and without a network', async () => {
  const ana = await arrive('Ana Silva', stage.proxy.origin);
  const ben = await arrive('Ben Okafor');
  await writeTo(ana, ben);
  for (let i = 0; i < 12; i++) await send(ana, `line ${i}.`);
  await marked(ana, 'line 11.', 'Sent');
  const { page } = ana;
  const places = (): Promise<unknown> =>
    page.evaluate(() =>
      [
        '.list-pane',
        '.search',
        '.row',
        'main > .bar',
        '.thread',
        '.thread__box',
        '.message:last-child',
        '.composer',
        '.composer textarea',
      ].map((selector) => {
        const { x, y, width: w, height } = document.querySelector(selector)!.getBoundingClientRect();
        return [selector, x, y, w, height];
      }),
    );
  const pill = page.getByRole('status', { name: 'Connection' });
  const before = await places();
  stage.proxy.become({ kind: 'cut' });
  await pill.getByText(/Connecting|Waiting for network/).waitFor();
  expect(await places()).toEqual(before);
  stage.proxy.become({ kind: 'well' });
  await page.bringToFront();
  await pill.getByText('Connected', { exact: true }).waitFor({ state: 'attached' });
  expect(await places()).toEqual(before);
});

test('[C9.10] with reduced motion nothing moves', async () => {
  const ana = await arrive('Ana Silva', stage.proxy.origin, { reducedMotion: 'reduce' });
  const ben = await arrive('Ben Okafor');
  await writeTo(ana, ben);
  const { page } = ana;
  // Whatever ran at any moment, as long as it took any time; a delay alone moves nothing.
  await page.evaluate(() => {
    const seen = new Set<string>();
    const watch = (): void => {
      for (const one of document.getAnimations()) {
        const { activeDuration } = one.effect!.getComputedTiming();
        if (Number(activeDuration) > 1) seen.add(one instanceof CSSTransition ? one.transitionProperty : one.id || one.constructor.name);
      }
      document.body.dataset.moved = [...seen].join(' ');
      requestAnimationFrame(watch);
    };
    watch();
  });
  await send(ana, 'hello');
  await openFromList(ben, ana);
  await send(ben, 'hello to you');
  await item(ana, 'hello to you').waitFor();
  await page.getByRole('link', { name: 'Settings' }).hover();
  await page.getByRole('button', { name: 'Send', exact: true }).hover();
  stage.proxy.become({ kind: 'cut' });
  await page
    .getByRole('status', { name: 'Connection' })
    .getByText(/Connecting|Waiting for network/)
    .waitFor();
  expect(await page.locator('body').getAttribute('data-moved')).toBe('');
});
