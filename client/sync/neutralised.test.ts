import { afterEach, expect, test } from 'vitest';
import { systemRandom } from '../../shared/clock.ts';
import { NEUTRALISED, type Neutralised } from '../../shared/close-codes.ts';
import { makeMessageId, makeUuid } from '../../shared/ids.ts';
import { takeNeutralised } from './neutralised.ts';
import { makeMemoryOutboxStore } from './outbox/outbox-store.ts';
import { NO_SIBLINGS, type Outbox, openOutbox } from './outbox/outbox.ts';
import { makeTestClock } from './test-server.ts';

const conversationId = makeUuid(1, systemRandom);
const id = makeMessageId(1, systemRandom);
const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

/** How each kind of change is written, and under which key it was set. */
const KINDS = {
  message: { key: id, write: (outbox: Outbox) => outbox.send(conversationId, id, ['text', null, null]) },
  edit: { key: id, write: (outbox: Outbox) => outbox.edit(conversationId, id, 1, 'text') },
  delete: { key: id, write: (outbox: Outbox) => outbox.remove(conversationId, id, 1) },
  react: { key: `r${id}`, write: (outbox: Outbox) => outbox.react(conversationId, id, 1, { emoji: '👍', isOn: true }) },
};
/** What becomes of it: it goes into the next segment (`next`), is done, or failed with this code. */
const OUTCOMES: Record<keyof typeof KINDS, Record<Neutralised, string>> = {
  message: { closed: 'next', duplicate: 'done', removed: 'removed', blocked: 'blocked', role: 'role', quota: 'quota' },
  edit: { closed: 'closed', duplicate: 'duplicate', removed: 'gone', blocked: 'blocked', role: 'role', quota: 'quota' },
  delete: { closed: 'done', duplicate: 'done', removed: 'done', blocked: 'done', role: 'done', quota: 'done' },
  react: { closed: 'closed', duplicate: 'done', removed: 'done', blocked: 'blocked', role: 'role', quota: 'quota' },
};

const kinds = Object.keys(KINDS) as (keyof typeof KINDS)[];
test.each(kinds.flatMap((kind) => NEUTRALISED.map((code) => [kind, code, OUTCOMES[kind][code]] as const)))(
  '[A6] a %s neutralised as %s: %s',
  (kind, code, outcome) => {
    const outbox = openOutbox({ store: makeMemoryOutboxStore(), siblings: NO_SIBLINGS, clock: makeTestClock() });
    closers.push(outbox.close);
    const { key, write } = KINDS[kind];
    write(outbox);
    const closed: unknown[] = [];
    const judged: number[] = [];
    const mover = { closed: (...at: unknown[]) => void closed.push(at), judged: (n: number) => void judged.push(n) };
    takeNeutralised({ outbox, mover }, { n: 3, key, code });
    const [entry] = outbox.entries();
    const state = entry?.state;
    expect(state ? (state.kind === 'failed' ? state.code : 'next') : 'done').toBe(outcome);
    expect([closed, judged]).toEqual([outcome === 'next' ? [[id, 3]] : [], [3]]);
  },
);

test('what is in no outbox, or under a key of none of the kinds, is nobody’s', () => {
  const outbox = openOutbox({ store: makeMemoryOutboxStore(), siblings: NO_SIBLINGS, clock: makeTestClock() });
  closers.push(outbox.close);
  const mover = { closed: () => {}, judged: () => {} };
  for (const key of [id, `r${id}`, `x${id}`, 'later']) takeNeutralised({ outbox, mover }, { n: 1, key, code: 'blocked' });
  expect(outbox.entries()).toEqual([]);
});
