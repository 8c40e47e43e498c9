import { afterEach, beforeEach, expect, test } from 'vitest';
import { MARKS, dieAtEveryMark } from './client-death.ts';
import { conversationOf } from './history.ts';
import { type KeptBrowser, makeKeptBrowser } from './kept-browser.ts';
import { ARRIVED, marked, meet, send, shellKept, texts, writeTo } from './person.ts';
import { readHistory } from './server-history.ts';
import { setStage } from './stage.ts';

let kept: KeptBrowser;
const stage = setStage();
const { arrive } = stage;
beforeEach(async () => {
  kept = await makeKeptBrowser();
});
afterEach(async () => {
  await kept.remove();
});

test(`[F12] the browser killed at each of ${MARKS.length} points between the key and sent: what was kept is sent once, nothing else was called kept`, async () => {
  await dieAtEveryMark({ stage, kept, rounds: 1 });
});

test('[F12] after a reload and after a crash of its tab what was kept is there, and is sent once', async () => {
  const ana = await arrive('Ana Silva', stage.proxy.origin);
  const ben = await arrive('Ben Okafor');
  await writeTo(ana, ben);
  await send(ana, 'hello');
  await marked(ana, 'hello', 'Sent');
  await shellKept(ana);
  const { page } = ana;
  const path = new URL(page.url()).pathname;
  stage.proxy.become({ kind: 'cut' });
  await send(ana, 'before the reload');
  await marked(ana, 'before the reload', 'Waiting for network');
  await page.reload();
  await marked(ana, 'before the reload', 'Waiting for network');
  await send(ana, 'before the crash');
  await marked(ana, 'before the crash', 'Waiting for network');

  const crashed = page.waitForEvent('crash');
  page.goto('chrome://crash').catch(() => {});
  await crashed;
  const again = stage.join(meet(await page.context().newPage(), 'Ana Silva'));
  await again.page.goto(stage.proxy.origin + path);
  const expected = ['hello', 'before the reload', 'before the crash'];
  await expect.poll(() => texts(again)).toEqual(expected);
  stage.proxy.become({ kind: 'well' });
  for (const text of expected) await marked(again, text, ARRIVED);
  const history = await ben.page.evaluate(readHistory, conversationOf(again));
  expect(history.map(({ content }) => content)).toEqual(expected);
});
