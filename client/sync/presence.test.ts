import { afterEach, expect, test } from 'vitest';
import { Awareness, applyAwarenessUpdate } from 'y-protocols/awareness';
import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';
import { systemRandom } from '../../shared/clock.ts';
import { makeUuid } from '../../shared/ids.ts';
import { encodeAwareness } from '../../shared/protocol.ts';
import { openPresence } from './presence.ts';
import { makeTestClock } from './test-server.ts';

const [ana, ben] = [makeUuid(1, systemRandom), makeUuid(2, systemRandom)];
const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

function setUp() {
  const clock = makeTestClock();
  const awareness = new Awareness(new Y.Doc());
  const published: unknown[] = [];
  awareness.on('update', (_: unknown, origin: unknown) => origin === 'local' && published.push(awareness.getLocalState()));
  let changes = 0;
  const presence = openPresence({ me: ana, clock, onChange: () => (changes += 1) });
  presence.attach(awareness);
  closers.push(presence.close, () => awareness.destroy());
  let serverClock = 0;
  const tell = (client: number, state: unknown): void => {
    const message = decoding.createDecoder(encodeAwareness([{ client, clock: ++serverClock, state }]));
    decoding.readVarUint(message);
    applyAwarenessUpdate(awareness, decoding.readVarUint8Array(message), 'server');
  };
  published.length = 0;
  return { clock, published, presence, tell, changes: () => changes };
}

test('[C7.1] typing is sent at most every 2 s, and taken back 5 s after the last key', () => {
  const { clock, published, presence } = setUp();
  for (let key = 0; key < 50; key++) {
    presence.typed();
    clock.pass(100);
  }
  expect(published).toHaveLength(3);
  expect(published).toEqual(Array.from({ length: 3 }, () => ({ typing: true, read: 0 })));
  clock.pass(4_800);
  expect(published).toHaveLength(3);
  clock.pass(200);
  expect(published.slice(3)).toEqual([{ typing: false, read: 0 }]);
});

test('[C7.1] sending takes typing back at once, and the next key is sent at once', () => {
  const { published, presence } = setUp();
  presence.typed();
  presence.stopTyping();
  presence.typed();
  expect(published).toMatchObject([{ typing: true }, { typing: false }, { typing: true }]);
});

test('[C7.1] others are typing for 6 s after their last signal, and no longer when they leave', () => {
  const { clock, presence, tell, changes } = setUp();
  tell(7, { user: { id: ben }, typing: true, read: 0 });
  clock.pass(4_000);
  tell(7, { user: { id: ben }, typing: true, read: 0 });
  clock.pass(5_900);
  expect(presence.typing()).toEqual([ben]);
  const before = changes();
  clock.pass(100);
  expect(presence.typing()).toEqual([]);
  expect(changes()).toBe(before + 1);
  tell(7, { user: { id: ben }, typing: true, read: 0 });
  expect(presence.typing()).toEqual([ben]);
  tell(7, null);
  expect(presence.typing()).toEqual([]);
});

test('the other device of the same person, not typing, takes nothing back; own devices are nobody else', () => {
  const { presence, tell } = setUp();
  tell(7, { user: { id: ben }, typing: true });
  tell(8, { user: { id: ben }, typing: false });
  tell(9, { user: { id: ana }, typing: true });
  expect(presence.typing()).toEqual([ben]);
});

test('[P4] positions come from those who are here and those who are away, and never go back', () => {
  const { presence, tell } = setUp();
  tell(5, { away: { [ben]: [3, 6], nonsense: 4 } });
  expect([presence.read(ben), presence.delivered(ben)]).toEqual([3, 6]);
  tell(7, { user: { id: ben }, typing: false, read: 9 });
  expect([presence.read(ben), presence.delivered(ben)]).toEqual([9, 9]);
  tell(5, { away: { [ben]: [3, 6] } });
  tell(7, { user: { id: ben }, typing: false, read: 'much' });
  expect(presence.read(ben)).toBe(9);
});

test('[P4] the own position only moves forward, and quick steps make one message', () => {
  const { clock, published, presence } = setUp();
  [1, 2, 5, 4].forEach(presence.markRead);
  expect(published).toEqual([]);
  clock.pass(300);
  expect(published).toEqual([{ typing: false, read: 5 }]);
});
