import { afterEach, expect, test } from 'vitest';
import { systemRandom } from '../../shared/clock.ts';
import { makeUuid } from '../../shared/ids.ts';
import { LIMITS } from '../../shared/limits.ts';
import { draftKey } from '../../shared/user-document.ts';
import { type Drafts, openDrafts } from './drafts.ts';
import { privateKey } from './outbox/entry.ts';
import { type OutboxStore, makeMemoryOutboxStore } from './outbox/outbox-store.ts';
import { NO_SIBLINGS, openOutbox } from './outbox/outbox.ts';
import { makeTestClock, settled } from './test-server.ts';

const [me, id, other] = [1, 2, 3].map((n) => makeUuid(n, systemRandom)) as [string, string, string];
const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

/** Drafts over a real outbox and a private document that is what has left the outbox, or what the test says another device wrote. */
function setUp(values = new Map<string, unknown>(), wrap = (store: OutboxStore): OutboxStore => store) {
  const clock = makeTestClock();
  const outbox = openOutbox({ store: wrap(makeMemoryOutboxStore()), siblings: NO_SIBLINGS, clock });
  const document = new Map<string, string>();
  const set: string[] = [];
  const waiting = (conversationId: string): string | null => {
    const entry = outbox.get(privateKey(draftKey(conversationId)));
    return entry?.kind === 'private' && typeof entry.value === 'string' ? entry.value : null;
  };
  const drafts: Drafts = openDrafts({
    clock,
    outbox,
    database: {
      readAll: async (prefix) =>
        new Map([...values].filter(([name]) => name.startsWith(prefix)).map(([name, value]) => [name.slice(prefix.length), value])),
      async write(name, value) {
        if (value === null) values.delete(name);
        else values.set(name, value);
      },
    },
    personal: {
      draft: (conversationId) => waiting(conversationId) ?? document.get(conversationId) ?? '',
      setDraft(conversationId, text) {
        if (text.length > LIMITS.body) return false;
        set.push(text);
        outbox.set(me, draftKey(conversationId), text);
        return true;
      },
    },
  });
  closers.push(drafts.close, outbox.close);
  /** What waits arrives. */
  function arrive(): void {
    for (const entry of outbox.entries()) {
      if (entry.kind !== 'private') continue;
      document.set(entry.key.slice(1), entry.value as string);
      outbox.done([entry]);
    }
  }
  return { clock, outbox, document, drafts, set, values, arrive };
}

test('every key is kept on this device; to the others it goes at a pause, the newest', async () => {
  const { clock, drafts, set, values } = setUp();
  await drafts.ready;
  for (const text of ['h', 'he', 'hel']) {
    clock.pass(900);
    drafts.set(id, text);
    expect([drafts.get(id), values.get(`draft:${id}`)]).toEqual([text, text]);
  }
  clock.pass(999);
  expect(set).toEqual([]);
  clock.pass(1);
  expect([set, drafts.get(id)]).toEqual([['hel'], 'hel']);
  drafts.set(id, 'hell');
  drafts.set(other, 'and');
  clock.pass(1_000);
  expect(set).toEqual(['hel', 'hell', 'and']);
});

test('who writes without a pause is heard of every five seconds', async () => {
  const { clock, drafts, set } = setUp();
  await drafts.ready;
  for (let i = 1; i <= 100; i++) {
    drafts.set(id, 'x'.repeat(i));
    clock.pass(200);
  }
  expect(set.map(({ length }) => length)).toEqual([25, 50, 75, 100]);
});

test('it goes at once when nobody writes any more, and when it was sent', async () => {
  const { clock, drafts, set } = setUp();
  await drafts.ready;
  drafts.set(id, 'begun');
  drafts.flush();
  expect(set).toEqual(['begun']);
  drafts.set(id, 'begun and en');
  drafts.set(id, '');
  expect([set, drafts.get(id)]).toEqual([['begun', ''], '']);
  clock.pass(10_000);
  expect(set).toHaveLength(2);
});

test('what another device writes is there, but for where something newer was begun here', async () => {
  const { drafts, document, arrive, outbox } = setUp();
  await drafts.ready;
  document.set(id, 'from the other');
  expect(drafts.get(id)).toBe('from the other');
  drafts.set(id, 'newer');
  document.set(id, 'from the other, longer');
  expect(drafts.get(id)).toBe('newer');
  drafts.flush();
  expect(drafts.get(id)).toBe('newer');
  arrive();
  expect([drafts.get(id), outbox.entries()]).toEqual(['newer', []]);
  document.set(id, 'the last word');
  expect(drafts.get(id)).toBe('the last word');
});

test('a tab that ends within the second loses nothing: what the outbox does not hold yet goes at the next start', async () => {
  const { drafts, values } = setUp();
  await drafts.ready;
  drafts.set(id, 'almost');
  drafts.close();
  const { drafts: again, set, document } = setUp(values);
  document.set(id, 'older');
  await again.ready;
  expect([again.get(id), set]).toEqual(['almost', ['almost']]);
  // Kept by the outbox, it is kept here no more.
  await expect.poll(() => values.size).toBe(0);
});

test('[F14] what the outbox cannot keep stays in its own place on the device', async () => {
  let isBroken = true;
  const { drafts, values, outbox, clock } = setUp(new Map(), (store) => ({
    load: store.load,
    change: (ids, decide) => (isBroken ? Promise.reject(new DOMException('no room', 'QuotaExceededError')) : store.change(ids, decide)),
  }));
  await drafts.ready;
  drafts.set(id, 'dear');
  drafts.flush();
  await expect.poll(outbox.status).toBe('memory');
  expect([drafts.get(id), values.get(`draft:${id}`)]).toEqual(['dear', 'dear']);
  isBroken = false;
  clock.pass(1_000);
  await expect.poll(() => values.size).toBe(0);
  expect([outbox.status(), drafts.get(id)]).toEqual(['kept', 'dear']);
});

test('one too long for a message stays here until it is shorter', async () => {
  const { drafts, set, values, clock } = setUp();
  await drafts.ready;
  const long = 'x'.repeat(LIMITS.body + 1);
  drafts.set(id, long);
  clock.pass(5_000);
  expect([drafts.get(id), set, values.get(`draft:${id}`)]).toEqual([long, [], long]);
  drafts.set(id, 'short');
  drafts.flush();
  await settled();
  expect([set, values.size]).toEqual([['short'], 0]);
});
