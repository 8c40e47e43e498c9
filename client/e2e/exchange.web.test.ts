import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findChromium } from './chromium.ts';
import { type Person, item, marked, openFromList, openPerson, send, signUp, texts, writeTo } from './person.ts';
import { type RefusingProxy, openRefusingProxy } from './refusing-proxy.ts';
import { type TestServer, startServer } from './server.ts';

let server: TestServer;
let browser: Browser;
let proxy: RefusingProxy;

beforeAll(async () => {
  server = await startServer();
  browser = await chromium.launch(await findChromium());
  proxy = await openRefusingProxy(server.origin);
});
afterAll(async () => {
  await browser?.close();
  await proxy?.close();
  await server?.stop();
});

const slowMark = ({ page }: Person) => page.getByRole('status', { name: 'Connection' }).getByText('Connected without a live line');

test('[W12] where WebSockets are refused, two people write and read all the same, with a small mark; a socket that gets through takes over', async () => {
  const ana = await openPerson(browser, proxy.origin, 'Ana Silva');
  const ben = await openPerson(browser, server.origin, 'Ben Okafor');
  await signUp(ana);
  await signUp(ben);
  await slowMark(ana).waitFor();
  expect(proxy.refused()).toBeGreaterThan(0);

  await writeTo(ana, ben);
  await send(ana, 'My proxy is a wall.');
  await marked(ana, 'My proxy is a wall.', 'Sent');
  await openFromList(ben, ana);
  await marked(ana, 'My proxy is a wall.', 'Read');
  await send(ben, 'And yet I hear you.');
  await item(ana, 'And yet I hear you.').waitFor();
  expect(await ana.page.getByText('Waiting for network').count()).toBe(0);

  // What is written while a socket takes over, and while it is lost again, arrives once and in order.
  proxy.setRefuses(false);
  await ana.page.evaluate(() => window.dispatchEvent(new Event('offline')));
  await send(ana, 'One');
  await ana.page.evaluate(() => window.dispatchEvent(new Event('online')));
  await slowMark(ana).waitFor({ state: 'detached' });
  await marked(ana, 'One', 'Read');
  proxy.setRefuses(true);
  await send(ana, 'Two');
  await slowMark(ana).waitFor();
  await marked(ana, 'Two', 'Read');
  const all = ['My proxy is a wall.', 'And yet I hear you.', 'One', 'Two'];
  expect(await texts(ana)).toEqual(all);
  expect(await texts(ben)).toEqual(all);
  expect([...ana.faults, ...ben.faults]).toEqual([]);
}, 180_000);
