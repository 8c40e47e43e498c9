import { once } from 'node:events';
import { type Server, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { expectAccessible } from './accessibility.ts';
import { findChromium } from './chromium.ts';
import { openPerson, shellKept, signUp, writeTo } from './person.ts';
import { type TestServer, startServer } from './server.ts';

let server: TestServer;
let browser: Browser;
/** Before the server: as if another version had been installed there, once asked for. */
let front: Server;
let isNewer = false;
/** A file of the older version that the newer one does without. */
let dropped = '';

beforeAll(async () => {
  server = await startServer();
  browser = await chromium.launch(await findChromium());
  front = createServer((asked, answer) => {
    const { hostname, port } = new URL(server.origin);
    const passed = request({ hostname, port, path: asked.url, method: asked.method, headers: asked.headers }, async (got) => {
      const chunks = await got.toArray();
      const body = Buffer.concat(chunks as Buffer[]);
      const isWorker = asked.url === '/sw.js' && isNewer;
      const newer = () =>
        body
          .toString()
          .replaceAll(/version:`\w+`/g, 'version:`newer`')
          .replace(`\`${dropped}\`,`, '');
      const sent = isWorker ? Buffer.from(newer()) : body;
      const { 'transfer-encoding': _, ...headers } = got.headers;
      answer.writeHead(got.statusCode ?? 502, { ...headers, 'content-length': sent.length }).end(sent);
    });
    asked.pipe(passed);
  });
  // No WebSocket gets through here: the page goes on over HTTP.
  front.on('upgrade', (_asked, socket) => socket.destroy());
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
});
beforeEach(() => {
  isNewer = false;
  dropped = '';
});
afterAll(async () => {
  await browser?.close();
  front?.close();
  await server?.stop();
});

test('[C11.5] a newer version is offered and waits; text being written stays where it is; it starts on consent', async () => {
  const ana = await openPerson(browser, `http://127.0.0.1:${(front.address() as AddressInfo).port}`, 'Ana Silva');
  const ben = await openPerson(browser, server.origin, 'Ben Okafor');
  await signUp(ana);
  await signUp(ben);
  await writeTo(ana, ben);
  await shellKept(ana);
  const { page } = ana;
  await page.getByRole('status', { name: 'Connection' }).getByText('Connected without a live line').waitFor({ state: 'attached' });
  await page.reload();
  await ana.composer.fill('half a thought');
  await page.evaluate(() => document.body.setAttribute('data-page', 'the first'));

  isNewer = true;
  await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
  await page.getByText('A new version is ready.').waitFor();
  await expectAccessible(page, 'a new version');
  expect(await page.locator('body').getAttribute('data-page')).toBe('the first');
  expect(await ana.composer.inputValue()).toBe('half a thought');

  await page.getByRole('button', { name: 'Restart' }).click();
  await page.locator('body:not([data-page])').waitFor();
  await ana.composer.waitFor();
  expect(await ana.composer.inputValue()).toBe('half a thought');
  await expect.poll(() => page.evaluate(() => caches.keys())).toEqual(['homing-shell-newer']);
  expect(ana.faults).toEqual([]);
});

/** Runs in the page: every path in every cache. */
async function cached(): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const name of await caches.keys()) found[name] = (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname);
  return found;
}

test('[C11.5] an older page still gets its hashed files after another tab went on; only files of the build are ever kept', async () => {
  const ana = await openPerson(browser, `http://127.0.0.1:${(front.address() as AddressInfo).port}`, 'Ana Silva');
  await signUp(ana);
  await shellKept(ana);
  await ana.page.reload();
  const old = await ana.page.context().newPage();
  await old.goto(ana.page.url());
  const answers: { path: string; fromWorker: boolean }[] = [];
  old.on('response', (answer) => answers.push({ path: new URL(answer.url()).pathname, fromWorker: answer.fromServiceWorker() }));
  const [before] = Object.values(await old.evaluate(cached));
  dropped = before!.find((path) => /^\/assets\/.*\.css$/.test(path))!;

  isNewer = true;
  await ana.page.evaluate(async () => (await navigator.serviceWorker.ready).update());
  await ana.page.getByRole('button', { name: 'Restart' }).click();
  await expect.poll(async () => Object.keys(await old.evaluate(cached))).toEqual(['homing-shell-newer']);

  const ask = (path: string) =>
    old.evaluate(async (asked) => ((answer) => [answer.status, answer.headers.get('content-type')])(await fetch(asked)), path);
  const [status, type] = await ask(dropped);
  expect([status, type]).toEqual([200, expect.stringContaining('text/css')]);
  expect(await ask('/api/me')).toEqual([200, expect.stringContaining('application/json')]);
  expect(await ask('/api/health')).toEqual([200, expect.stringContaining('application/json')]);
  await expect.poll(() => answers.filter(({ path }) => path === dropped)).toEqual([{ path: dropped, fromWorker: true }]);
  expect(answers.filter(({ path, fromWorker }) => fromWorker && path.startsWith('/api'))).toEqual([]);
  expect(await old.evaluate(cached)).toEqual({ 'homing-shell-newer': before!.filter((path) => path !== dropped) });
});
