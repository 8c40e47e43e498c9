import type { Dialog } from 'playwright-core';
import { expect } from 'vitest';
import { readOutbox } from './device-outbox.ts';
import { conversationOf } from './history.ts';
import type { KeptBrowser } from './kept-browser.ts';
import { ARRIVED, DESKTOP, type Person, marked, meet, send, shellKept, signUp, texts, writeTo } from './person.ts';
import { readHistory } from './server-history.ts';
import type { Stage } from './stage.ts';
import { type Stop, type Tick, keepLedger, stopAt } from './stop-at.ts';

/** The eight points between the key and `sent` at which the browser dies (F12). */
export const MARKS = [
  'before the write',
  'before the end of its transaction',
  'kept',
  'claimed',
  'placed',
  'left',
  'committed',
  'acknowledged',
] as const;
export type DeathMark = (typeof MARKS)[number];

/** At these it is in no transaction that ended: nothing may have said that it is kept. */
const isTooEarly = (mark: DeathMark): boolean => mark === 'before the write' || mark === 'before the end of its transaction';
const STOPS: Record<DeathMark, readonly Stop[]> = {
  'before the write': ['before the write'],
  'before the end of its transaction': ['before its end'],
  kept: [],
  claimed: ['claimed'],
  placed: ['before it leaves'],
  left: ['before it leaves', 'left'],
  committed: ['left'],
  acknowledged: ['acknowledged'],
};
/** What says that a message is on this device, come what may. */
const KEPT = /Kept|Waiting for network|Sent|Delivered|Read/;
const soon = { timeout: 60_000 };

interface Run {
  stage: Stage;
  kept: KeptBrowser;
  rounds: number;
  marks?: readonly DeathMark[];
}

/** Writes a message, kills the browser's processes at the mark, starts it again; for each mark, so many times. */
export async function dieAtEveryMark({ stage, kept, rounds, marks = MARKS }: Run): Promise<void> {
  const ben = await stage.arrive('Ben Okafor');
  let path = '/';

  async function start(): Promise<{ ana: Person; ledger: readonly Tick[]; left: string[] }> {
    const page = await kept.start();
    await page.setViewportSize(DESKTOP);
    const left: string[] = [];
    page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => void left.push(payload.toString('latin1'))));
    const ledger = await keepLedger(page);
    const ana = meet(page, 'Ana Silva');
    await page.goto(stage.proxy.origin + path);
    return { ana, ledger, left };
  }
  const contents = async (): Promise<string[]> =>
    (await ben.page.evaluate(readHistory, path.split('/').at(-1)!)).map(({ content }) => content);

  let { ana, ledger, left } = await start();
  await signUp(ana);
  await writeTo(ana, ben);
  await send(ana, 'hello');
  await marked(ana, 'hello', 'Sent');
  await shellKept(ana);
  path = `/conversations/${conversationOf(ana)}`;
  // Browsers write cookies down when they like: from here on it knows whose it is.
  await kept.close();
  ({ ana, ledger, left } = await start());

  /** The dialogs by which the page is stopped, in their order; the first of two is let go. */
  async function stopped(text: string, stops: readonly Stop[]): Promise<void> {
    const next = (): Promise<Dialog> => ana.page.waitForEvent('dialog', { timeout: 60_000 });
    await stopAt(ana.page, text, stops);
    const first = next();
    await ana.composer.fill(text);
    // The page answers nothing any more once it has stopped.
    ana.composer.press('Enter').catch(() => {});
    const dialog = await first;
    if (stops.length === 1) return;
    stage.proxy.become({ kind: 'black-hole' });
    const second = next();
    await dialog.accept();
    await second;
  }

  for (let round = 0; round < rounds; round++)
    for (const mark of marks) {
      const text = `dies ${mark}, ${round}.`;
      await ana.composer.waitFor();
      await expect.poll(() => ana.page.getByRole('status', { name: 'Connection' }).textContent(), soon).toBe('Connected');
      await expect.poll(() => ana.page.evaluate(readOutbox), soon).toEqual([]);
      if (mark === 'kept') {
        stage.proxy.become({ kind: 'cut' });
        await send(ana, text);
        await expect.poll(() => ledger.some((tick) => tick.text === text && KEPT.test(tick.words)), soon).toBe(true);
      } else await stopped(text, STOPS[mark]);
      if (mark === 'left') await expect.poll(() => left.some((frame) => frame.includes(text)), soon).toBe(true);
      if (mark === 'committed') await expect.poll(contents, soon).toContain(text);
      await kept.kill();
      const isTicked = ledger.some((tick) => tick.text === text && KEPT.test(tick.words));
      if (isTooEarly(mark)) expect(isTicked, `${text} was called kept`).toBe(false);
      stage.proxy.become({ kind: 'well' });

      ({ ana, ledger, left } = await start());
      if (isTooEarly(mark)) await ana.messages.getByRole('listitem').first().waitFor();
      else await marked(ana, text, ARRIVED);
      await expect.poll(() => ana.page.evaluate(readOutbox), soon).toEqual([]);
      const all = await contents();
      expect(all.filter((one) => one === text).length, text).toBe(isTooEarly(mark) ? 0 : 1);
      const shown = await texts(ana);
      expect(shown, `${text}: the screen and the server agree`).toEqual(all.slice(-shown.length));
    }
  expect(ana.faults).toEqual([]);
}
