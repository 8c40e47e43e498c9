import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findChromium } from './chromium.ts';
import { expectSteady } from './long-thread.ts';
import { openPerson, signUp } from './person.ts';
import { type TestServer, startServer } from './server.ts';

let server: TestServer;
let browser: Browser;
/** `npm run fuzz` has a longer one. */
const COUNT = 3_000;

beforeAll(async () => {
  server = await startServer();
  browser = await chromium.launch(await findChromium());
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

test(`[C5.9] with ${COUNT} messages loaded few rows are in the document, and neither an arrival nor a key costs more than before`, async () => {
  const two = [await openPerson(browser, server.origin, 'Ana Silva'), await openPerson(browser, server.origin, 'Ben Okafor')] as const;
  for (const person of two) await signUp(person);
  await expectSteady(...two, COUNT);
  expect(two.flatMap(({ faults }) => faults)).toEqual([]);
});
