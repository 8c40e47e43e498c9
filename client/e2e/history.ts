import type { Locator } from 'playwright-core';
import { fillOutbox } from './fill-outbox.ts';
import type { Person } from './person.ts';

/** The conversation that is open. */
export const conversationOf = ({ page }: Person): string => new URL(page.url()).pathname.split('/').at(-1)!;
/** What scrolls. */
export const history = ({ page }: Person): Locator => page.getByRole('group', { name: 'History' });

/** Text of one line or of several, always the same for a number. */
export const textOf = (n: number): string => `line ${n}. ${'and so on '.repeat((n * 7) % 23)}`.trim();

/** Writes many messages, in this order, through the outbox; whose page is at the list then. */
export async function write(person: Person, conversationId: string, texts: readonly string[]): Promise<void> {
  await fillOutbox(person, conversationId, texts);
  await person.page.goto('/');
  const waiting = person.page.getByText(/waiting to be sent$/).first();
  await waiting.waitFor();
  await waiting.waitFor({ state: 'detached' });
  // What was loaded to send them is not loaded any more.
  await person.page.goto('/');
}

/** The first message on the screen and its pixel, how far up the history goes, and how many rows there are. */
export interface Look {
  id: string;
  top: number;
  scrollTop: number;
  rows: number;
  /** Numbers of the messages whose rows are in the document. */
  positions: number[];
}
export const look = (person: Person): Promise<Look> =>
  history(person).evaluate((box) => {
    const edge = box.getBoundingClientRect().top;
    const rows = [...box.querySelectorAll<HTMLElement>('li[data-id]')];
    const first = rows.find((row) => row.querySelector('.bubble')!.getBoundingClientRect().top >= edge)!;
    return {
      id: first.dataset.id!,
      top: first.querySelector('.bubble')!.getBoundingClientRect().top - edge,
      scrollTop: box.scrollTop,
      rows: box.querySelectorAll('li').length,
      positions: rows.map((row) => Number(row.getAttribute('aria-posinset'))),
    };
  });
/** Where a message stands now; null: its row is not in the document. */
export const pixelOf = (person: Person, id: string): Promise<number | null> =>
  history(person).evaluate((box, wanted) => {
    const bubble = box.querySelector(`[data-id="${wanted}"] .bubble`);
    return bubble && bubble.getBoundingClientRect().top - box.getBoundingClientRect().top;
  }, id);
/** Resolves when nothing has scrolled for some frames. */
export const rest = (person: Person): Promise<void> =>
  history(person).evaluate(async (box) => {
    for (let still = 0, before = -1; still < 4;) {
      await new Promise(requestAnimationFrame);
      still = box.scrollTop === before ? still + 1 : 0;
      before = box.scrollTop;
    }
  });
/** Turns the wheel over the history, down by so many pixels. */
export async function wheel(person: Person, pixels: number): Promise<void> {
  await history(person).hover();
  await person.page.mouse.wheel(0, pixels);
  await rest(person);
}

/** How far it is to the end of the history. */
export const toEnd = (person: Person): Promise<number> =>
  history(person).evaluate((box) => Math.round(box.scrollHeight - box.scrollTop - box.clientHeight));
