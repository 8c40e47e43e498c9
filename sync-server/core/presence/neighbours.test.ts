import { describe, expect, test } from 'vitest';
import { systemRandom } from '../../../shared/clock.ts';
import { anId } from '../contracts/contract-examples.ts';
import type { Hint, PresenceNews } from '../ports.ts';
import { makeManualClock } from '../testing/manual-clock.ts';
import { type NeighbourHint, makeNeighbours } from './neighbours.ts';

const TICK_MS = 50;

/** One node's end, whose hints go where the test sends them. */
function makeEnd({ meets = true } = {}) {
  const time = makeManualClock();
  const tasks: (() => void)[] = [];
  let isFrozen = false;
  const clock = {
    now: time.now,
    elapsed: time.elapsed,
    after: (ms: number, task: () => void) => time.after(ms, () => (isFrozen ? void tasks.push(task) : task())),
  };
  const sent: NeighbourHint[] = [];
  const heard: PresenceNews[] = [];
  const people = new Map<string, PresenceNews[]>();
  let expired = -Infinity;
  let publish: (hint: Hint) => Promise<void> = () => Promise.resolve();
  const neighbours = makeNeighbours({
    local: {
      conversations: () => people.keys(),
      here: (conversationId) => people.get(conversationId) ?? [],
      heard: (news) => void heard.push(news),
      expire: (before) => void (expired = before),
    },
    publish: (hint) => {
      sent.push(hint as NeighbourHint);
      return publish(hint);
    },
    clock,
    random: systemRandom,
    logger: { info() {}, warn() {}, error() {} },
  });
  const other = anId();
  const hear = (hint: { clock?: number } & ({ news: PresenceNews[] } | { conversationIds: string[] })): void =>
    neighbours.hear(
      'news' in hint ? { kind: 'presence', node: other, clock: 1, ...hint } : { kind: 'who-is-here', node: other, clock: 1, ...hint },
    );
  if (meets) hear({ conversationIds: [] });
  return {
    neighbours,
    clock: time,
    sent,
    heard,
    people,
    hear,
    expired: () => expired,
    hold: (next: typeof publish) => void (publish = next),
    news: () => sent.flatMap((hint) => (hint.kind === 'presence' ? hint.news : [])),
    freeze: () => void (isFrozen = true),
    thaw() {
      isFrozen = false;
      for (const task of tasks.splice(0)) task();
    },
  };
}

const aNews = (client: number, typing: boolean | null = true, conversationId = 'c'): PresenceNews => [
  conversationId,
  client,
  'ben',
  1,
  typing,
  null,
];

describe('[P8] what nodes tell each other', () => {
  test('the changes of a tick are one hint, the newest of each client id', async () => {
    const { neighbours, clock, sent, news } = makeEnd();
    for (let i = 0; i < 100; i++) for (const client of [1, 2]) neighbours.tell(aNews(client, i % 2 === 0));
    neighbours.tell(aNews(2, null));
    await clock.advance(TICK_MS);
    expect(news()).toEqual([aNews(1, false), aNews(2, null)]);
    expect(sent.filter(({ kind }) => kind === 'presence')).toHaveLength(1);
  });

  test('a tick tells so many; what is left goes with the next ones, and none waits for a bus that is slow', async () => {
    const { neighbours, clock, sent, news, hold } = makeEnd();
    for (let client = 0; client < 2_000; client++) neighbours.tell(aNews(client));
    await clock.advance(TICK_MS);
    expect(news()).toHaveLength(512);
    let release = (): void => {};
    hold(() => new Promise((resolve) => (release = resolve)));
    await clock.advance(TICK_MS);
    const before = sent.length;
    for (let client = 1_024; client < 2_000; client++) neighbours.tell(aNews(client, false));
    await clock.advance(1_000);
    expect(sent).toHaveLength(before);
    hold(() => Promise.resolve());
    release();
    await clock.advance(10 * TICK_MS);
    expect(news()).toHaveLength(2_000);
    expect(news().filter(([, client, , , typing]) => client >= 1_024 && typing === true)).toEqual([]);
  });

  test('while the bus takes nothing, no more waits than may be', async () => {
    const { neighbours, clock, news, hold } = makeEnd();
    await clock.advance(TICK_MS);
    let release = (): void => {};
    hold(() => new Promise((resolve) => (release = resolve)));
    neighbours.tell(aNews(0));
    await clock.advance(TICK_MS);
    for (let client = 1; client <= 50_000; client++) neighbours.tell(aNews(client));
    hold(() => Promise.resolve());
    release();
    await clock.advance(5_000);
    expect(news()).toHaveLength(1 + 32_768);
    expect(news().at(-1)).toEqual(aNews(50_000));
  });

  test('a bus that fails loses what it was given, and nothing else', async () => {
    const { neighbours, clock, news, hold } = makeEnd();
    hold(() => Promise.reject(new Error('gone')));
    neighbours.tell(aNews(1));
    await clock.advance(TICK_MS);
    hold(() => Promise.resolve());
    neighbours.tell(aNews(2));
    await clock.advance(TICK_MS);
    expect(news()).toEqual([aNews(1), aNews(2)]);
  });

  test('it says every 5 s that it is there, and every 20 s who is', async () => {
    const { clock, sent, news, people, hear } = makeEnd();
    people.set('c', [aNews(1)]).set('d', [aNews(2, false, 'd')]);
    await clock.advance(100);
    sent.splice(0);
    for (let i = 0; i < 8; i++) {
      await clock.advance(5_000);
      hear({ conversationIds: [] });
    }
    await clock.advance(100);
    expect(sent.filter(({ kind }) => kind === 'who-is-here')).toHaveLength(8);
    expect(news()).toEqual([aNews(1), aNews(2, false, 'd'), aNews(1), aNews(2, false, 'd')]);
  });

  test('a node of which it had not heard is told who is here; so is one that asks, of what it asks', async () => {
    const { clock, news, people, hear } = makeEnd({ meets: false });
    people.set('c', [aNews(1)]).set('d', [aNews(2, false, 'd')]);
    await clock.advance(1_000);
    expect(news()).toEqual([]);
    hear({ conversationIds: [] });
    await clock.advance(TICK_MS);
    expect(news()).toHaveLength(2);
    hear({ conversationIds: ['d', 'e'] });
    await clock.advance(TICK_MS);
    expect(news().slice(2)).toEqual([aNews(2, false, 'd')]);
  });

  test('where it hears of no other for 30 s it tells nothing more', async () => {
    const { neighbours, clock, news } = makeEnd();
    await clock.advance(35_000);
    neighbours.tell(aNews(1));
    await clock.advance(TICK_MS);
    expect(news()).toEqual([]);
  });

  test('[L12] after a gap it asks about every conversation that it has open', async () => {
    const { neighbours, clock, sent, people } = makeEnd();
    for (let i = 0; i < 700; i++) people.set(`c${i}`, []);
    await clock.advance(100);
    sent.splice(0);
    neighbours.gap();
    await clock.advance(2 * TICK_MS);
    const asked = sent.map((hint) => (hint.kind === 'who-is-here' ? hint.conversationIds : []));
    expect(asked.map(({ length }) => length)).toEqual([512, 188]);
    expect(new Set(asked.flat())).toEqual(new Set(people.keys()));
  });

  test('[F9] its clock goes on from the highest that it heard of, and never stands still', () => {
    const { neighbours, clock, hear } = makeEnd();
    const ahead = clock.now() + 1e9;
    hear({ conversationIds: [], clock: ahead });
    expect([neighbours.nextClock(), neighbours.nextClock()]).toEqual([ahead + 1, ahead + 2]);
  });

  test('[F19] after a freeze it knows nobody, hears nothing that may be of then, and says nothing old', async () => {
    const { neighbours, clock, sent, heard, news, people, hear, expired, freeze, thaw } = makeEnd();
    people.set('c', [aNews(1)]);
    await clock.advance(6_000);
    for (const hint of sent) neighbours.hear(hint);
    freeze();
    const stale = sent.splice(0);
    await clock.advance(60_000);
    // The bus brings what was said meanwhile, before any timer runs.
    hear({ news: [aNews(9)] });
    for (const hint of stale) neighbours.hear(hint);
    hear({ news: [aNews(10)] });
    expect([heard, expired()]).toEqual([[], Infinity]);
    thaw();
    await clock.advance(TICK_MS);
    expect(news()).toEqual([]);
    expect(sent).toEqual([expect.objectContaining({ kind: 'who-is-here', conversationIds: ['c'] })]);
    neighbours.hear(sent[0]!);
    hear({ news: [aNews(11)] });
    await clock.advance(TICK_MS);
    expect(heard).toEqual([aNews(11)]);
    expect(news()).toEqual([aNews(1)]);
  });

  test('[F19] until it hears again it tells nobody who is here, whatever turn it is', async () => {
    const { neighbours, clock, sent, news, people, hear, freeze, thaw } = makeEnd();
    people.set('c', [aNews(1)]);
    await clock.advance(16_000);
    hear({ conversationIds: [] });
    for (const hint of sent.splice(0)) neighbours.hear(hint);
    freeze();
    await clock.advance(18_000);
    thaw();
    await clock.advance(TICK_MS);
    expect(news()).toEqual([]);
    neighbours.hear(sent.at(-1)!);
    await clock.advance(TICK_MS);
    expect(sent.at(-1)).toMatchObject({ news: [aNews(1)] });
  });

  test('[F9] a machine clock that is put forward or back is no freeze, and ends nobody', async () => {
    const { clock, heard, hear, expired } = makeEnd();
    await clock.advance(6_000);
    for (const ms of [3_600_000, -7_200_000]) {
      clock.jump(ms);
      hear({ news: [aNews(9)] });
      await clock.advance(5_000);
    }
    expect(heard).toHaveLength(2);
    expect(expired()).toBeLessThan(0);
  });

  test('it knows that it is deaf when its own hints do not come back', async () => {
    const { neighbours, clock, sent } = makeEnd();
    expect(neighbours.isDeaf()).toBe(false);
    await clock.advance(11_000);
    expect(neighbours.isDeaf()).toBe(true);
    neighbours.hear(sent.at(-1)!);
    expect(neighbours.isDeaf()).toBe(false);
  });

  test('[P5] when it stops, what waits is sent, unless the bus takes nothing', async () => {
    const ends = [makeEnd(), makeEnd()];
    ends[1]!.hold(() => new Promise(() => {}));
    const stopped = ends.map(({ neighbours }) => {
      for (let client = 0; client < 2_000; client++) neighbours.tell(aNews(client, null));
      return neighbours.stop();
    });
    await stopped[0];
    expect(ends[0]!.news()).toHaveLength(2_000);
    await ends[1]!.clock.advance(1_000);
    await stopped[1];
    for (const { clock, sent } of ends) {
      const before = sent.length;
      await clock.advance(60_000);
      expect(sent).toHaveLength(before);
    }
  });
});
