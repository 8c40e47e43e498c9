import sharp from 'sharp';
import { LIMITS } from '../../shared/limits.ts';
import { expect, test } from 'vitest';
import { PHONE, type Person, item, marked, openFromList, send, shellKept, tabTo, texts, writeTo } from './person.ts';
import { setStage } from './stage.ts';

const stage = setStage();
const { arrive } = stage;

test('the shell is kept, and nothing else: every place in the app opens without a network, and no answer of the API is in a cache', async () => {
  const ana = await arrive('Ana Silva', stage.proxy.origin);
  await shellKept(ana);
  await ana.page.reload();
  await ana.conversations.waitFor();
  const cached = await ana.page.evaluate(async () => {
    const names = await caches.keys();
    const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    return requests.flat().map(({ url }) => new URL(url).pathname);
  });
  expect(cached).toContain('/');
  expect(cached.filter((path) => !/^\/($|theme\.js$|assets\/[\w-]+\.(js|css|woff2)$|[\w-]+\.(png|svg|webmanifest)$)/.test(path))).toEqual(
    [],
  );

  stage.proxy.become({ kind: 'cut' });
  for (const path of ['/', '/settings', '/waiting', '/people/nobody', '/no/such/place']) {
    await ana.page.goto(path);
    await ana.page.getByRole('link', { name: 'Settings' }).waitFor();
  }
  expect(await ana.page.goto('/api/health').catch(() => null)).toBeNull();
});

test('what browsers need to install the app is there', async () => {
  const ana = await arrive('Ana Silva');
  const manifest = (await (await ana.page.request.get('/manifest.webmanifest')).json()) as {
    id: string;
    icons: { src: string; purpose: string; sizes: string }[];
  };
  expect(manifest.id).toBe('/');
  expect(manifest.icons.map(({ purpose }) => purpose)).toContain('maskable');
  for (const { src, sizes } of manifest.icons) {
    const answer = await ana.page.request.get(src);
    const { width } = await sharp(await answer.body()).metadata();
    if (sizes !== 'any') expect(`${width}x${width}`).toBe(sizes);
  }
  const worker = await ana.page.request.get('/sw.js');
  expect([worker.status(), worker.headers()['cache-control']]).toEqual([200, 'no-cache']);
});

test('name, bio and picture are changed in the settings, and others see them', async () => {
  const ana = await arrive('Ana Silva');
  const ben = await arrive('Ben Okafor');
  await writeTo(ana, ben);
  await send(ana, 'hello');
  await openFromList(ben, ana);

  const { page } = ana;
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByLabel('Display name').fill('Ana of the Boats');
  await page.getByLabel('About you').fill('Boats and bread.');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();
  await page.getByRole('link', { name: /^Ana of the Boats/ }).waitFor();

  const shows = (person: Person): Promise<number> =>
    person.page
      .locator('.avatar img')
      .evaluateAll((images: HTMLImageElement[]) => images.filter(({ naturalWidth }) => naturalWidth > 0).length);
  const picture = await sharp({ create: { width: 900, height: 600, channels: 3, background: '#3a7d44' } })
    .jpeg()
    .toBuffer();
  await page.getByLabel('Picture file').setInputFiles({ name: 'me.jpg', mimeType: 'image/jpeg', buffer: picture });
  await page.getByRole('button', { name: 'Use picture' }).click();
  await page.getByRole('button', { name: 'Change picture' }).waitFor();
  await expect.poll(() => shows(ana)).toBe(2);

  await ben.page.goto(`/people/${ana.handle}`);
  await ben.page.getByRole('heading', { name: 'Ana of the Boats' }).waitFor();
  await ben.page.getByText('Boats and bread.').waitFor();
  await expect.poll(() => shows(ben)).toBeGreaterThan(0);

  await page.getByLabel('Picture file').setInputFiles({ name: 'me.txt', mimeType: 'image/png', buffer: Buffer.from('no picture') });
  await page.getByRole('button', { name: 'Use picture' }).click();
  await expect.poll(() => page.getByRole('alert').filter({ hasText: /\S/ }).count()).toBe(1);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Remove picture' }).click();
  await page.getByRole('button', { name: 'Add picture' }).waitFor();
  await expect.poll(() => shows(ana)).toBe(0);
});

test('a photo of a phone, larger than the server takes, is scaled down before it leaves, upright and without its data', async () => {
  const ana = await arrive('Ana Silva');
  const { page } = ana;
  await page.getByRole('link', { name: 'Settings' }).click();
  const noise = {
    create: { width: 3400, height: 2600, channels: 3, background: '#777777', noise: { type: 'gaussian', mean: 128, sigma: 60 } },
  } as const;
  // Turned by its data alone, as phones do it: it stands upright.
  const photo = await sharp(noise)
    .withExif({ IFD0: { Copyright: 'where it was taken' } })
    .withMetadata({ orientation: 6 })
    .jpeg({ quality: 98 })
    .toBuffer();
  expect(photo.length).toBeGreaterThan(LIMITS.avatar);
  expect(photo.includes('where it was taken')).toBe(true);
  await page.getByLabel('Picture file').setInputFiles({ name: 'photo.jpg', mimeType: 'image/jpeg', buffer: photo });
  await page.evaluate(() => {
    const send = window.fetch;
    window.fetch = async (input, init) => {
      if (init?.body instanceof Blob) {
        const { width, height } = await createImageBitmap(init.body);
        const text = await init.body.text();
        document.body.dataset.sent = JSON.stringify([width, height, init.body.size < 1024 * 1024, text.includes('where it was taken')]);
      }
      return send(input, init);
    };
  });
  await page.getByRole('button', { name: 'Use picture' }).click();
  await page.getByRole('button', { name: 'Change picture' }).waitFor();
  expect(await page.locator('body').getAttribute('data-sent')).toBe('[783,1024,true,false]');
});

test('[C10.3] a chosen theme holds over that of the device, in every tab at once and after a reload', async () => {
  const ana = await arrive('Ana Silva');
  const { page } = ana;
  const other = await page.context().newPage();
  await other.goto('/');
  await other.emulateMedia({ colorScheme: 'light' });
  const surface = (): Promise<string> => other.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const bar = (): Promise<string[]> =>
    other.evaluate(() =>
      [...document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')]
        .filter(({ media }) => matchMedia(media).matches)
        .map(({ content }) => content),
    );
  const [light, dark] = ['rgb(250, 249, 253)', 'rgb(18, 16, 24)'];
  await other.getByRole('navigation', { name: 'Conversations' }).waitFor();
  expect([await surface(), await bar()]).toEqual([light, ['#faf9fd']]);
  await page.goto('/settings');
  await page.getByLabel('Dark').check();
  await expect.poll(surface).toBe(dark);
  expect(await bar()).toEqual(['#121018']);
  await other.reload();
  await other.getByRole('navigation', { name: 'Conversations' }).waitFor();
  expect([await surface(), await bar()]).toEqual([dark, ['#121018']]);
  await page.getByLabel('As the device').check();
  await expect.poll(surface).toBe(light);
  await other.emulateMedia({ colorScheme: 'dark' });
  expect([await surface(), await bar()]).toEqual([dark, ['#121018']]);
});

test('a phone: one column, from the search to an answer, and what waits is seen and taken back', async () => {
  const phone = { viewport: PHONE, hasTouch: true, isMobile: true };
  const ana = await arrive('Ana Silva', stage.proxy.origin, phone);
  const ben = await arrive('Ben Okafor', stage.server.origin, phone);
  await writeTo(ana, ben);
  expect(await ana.conversations.isVisible()).toBe(false);
  await send(ana, 'from a phone');
  await ben.conversations.getByRole('link', { name: /^Ana Silva.*1 unread/ }).tap();
  await item(ben, 'from a phone').waitFor();
  await send(ben, 'to a phone');
  await item(ana, 'to a phone').waitFor();

  stage.proxy.become({ kind: 'cut' });
  await send(ana, 'on the train');
  await ana.page.getByRole('link', { name: '1 message waiting to be sent' }).tap();
  await ana.page.getByRole('button', { name: 'Delete' }).tap();
  await ana.page.getByText('Everything is sent.').waitFor();
  await ana.page.getByRole('link', { name: 'Back to conversations' }).tap();
  await ana.conversations.getByRole('link', { name: /^Ben Okafor/ }).tap();
  await item(ana, 'to a phone').waitFor();
  expect(await texts(ana)).toEqual(['from a phone', 'to a phone']);
  const width = await ana.page.evaluate(() => document.documentElement.scrollWidth);
  expect(width).toBe(PHONE.width);
});

test('[C5.7] going back to a conversation goes back to the message that was read', async () => {
  const ana = await arrive('Ana Silva');
  const friends = [await arrive('Ben Okafor'), await arrive('Chiara Rossi')] as const;
  for (const friend of friends) await writeTo(ana, friend);
  await openFromList(ana, friends[0]);
  for (let i = 0; i < 40; i++) await send(ana, `line ${i}.`);
  await marked(ana, 'line 39.', 'Sent');
  await ana.composer.press('PageUp');
  await ana.composer.press('PageUp');
  const top = async (): Promise<number> => Math.round((await item(ana, 'line 12.').boundingBox())?.y ?? 0);
  const before = await top();
  await openFromList(ana, friends[1]);
  await openFromList(ana, friends[0]);
  await item(ana, 'line 12.').waitFor();
  await expect.poll(top).toBe(before);
});

test('what waits is changed and taken back without a mouse', async () => {
  const ana = await arrive('Ana Silva', stage.proxy.origin);
  const ben = await arrive('Ben Okafor');
  const { page } = ana;
  await writeTo(ana, ben);
  stage.proxy.become({ kind: 'cut' });
  for (const text of ['one', 'two']) {
    await page.keyboard.type(text);
    await page.keyboard.press('Enter');
  }
  const panel = page.getByRole('main', { name: 'Waiting to be sent' });
  await tabTo(ana, page.getByRole('link', { name: '2 messages waiting to be sent' }).first());
  await page.keyboard.press('Enter');
  await panel.waitFor();
  await tabTo(ana, panel.getByRole('button', { name: 'Edit' }).first());
  await page.keyboard.press('Enter');
  await page.keyboard.type(' changed');
  await page.keyboard.press('Enter');
  await panel.getByText('one changed').waitFor();
  await tabTo(ana, panel.getByRole('button', { name: 'Delete' }).last());
  await page.keyboard.press('Enter');
  await panel.getByText('two', { exact: true }).waitFor({ state: 'detached' });
  // The focus stays among what waits.
  expect(await panel.evaluate((element) => element.contains(document.activeElement))).toBe(true);
  stage.proxy.become({ kind: 'well' });
  await openFromList(ben, ana);
  await expect.poll(() => texts(ben)).toEqual(['one changed']);
});
