import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { laneName } from '../../../shared/segment.ts';
import { encodable, encodeUpdate } from './encode.ts';
import { type Entry, makeOverlay } from './overlay.ts';
import { type Id, lastOfKey } from './stored.ts';
import { ANNA } from './test-world.ts';
import { endsWith } from './winner.ts';

const KEY = 'k';
/** An item of one of a few client ids after any clock that is there, or first; `length` 0 is a value, else a tombstone. */
interface Put {
  client: number;
  after: number;
  length: number;
  frame: boolean;
}
const put: fc.Arbitrary<Put> = fc.record({
  client: fc.constantFrom(11, 22, 33, 44, 55),
  after: fc.nat({ max: 60 }),
  length: fc.constantFrom(0, 0, 0, 1, 2, 3),
  frame: fc.boolean(),
});

/** Where an item goes: mostly after something recent, so that chains and branches grow. */
const originOf = (ticks: readonly Id[], after: number): Id | null =>
  after < 8 ? null : (ticks[ticks.length - 1 - ((after - 8) % 12)] ?? null);

describe('the value of a key', () => {
  it('[L4] is known before the update is applied, whatever concurrent items there are', () => {
    let beside = 0;
    fc.assert(
      fc.property(fc.array(put, { minLength: 1, maxLength: 40, size: 'max' }), (puts) => {
        const doc = new Y.Doc();
        const ticks: Id[] = [];
        let overlay = makeOverlay(doc);
        const commit = () => {
          const slot = overlay.slot(overlay.lane(ANNA), KEY);
          const expected = slot.last;
          Y.applyUpdate(doc, encodeUpdate([...overlay.accepted.values()].flat().map(encodable), []));
          expect(doc.store.pendingStructs).toBeNull();
          const last = lastOfKey(doc.share.get(laneName(ANNA)), KEY)!.lastId;
          expect(last).toMatchObject({ client: expected!.client, clock: expected!.clock + expected!.length - 1 });
          overlay = makeOverlay(doc);
        };
        for (const { client, after, length, frame } of puts) {
          const slot = overlay.slot(overlay.lane(ANNA), KEY);
          const clock = overlay.clock(client);
          const origin = originOf(ticks, after);
          const deleted = length > 0;
          const entry: Entry = {
            client,
            clock,
            length: length || 1,
            origin,
            deleted,
            value: deleted ? undefined : clock,
            key: KEY,
            slot,
            meaning: null,
            isFollowed: false,
          };
          const left = origin && overlay.find(slot.lane, origin);
          if (left === 'elsewhere') throw new Error('an origin left its lane');
          const before = slot.last;
          overlay.place(entry, left);
          if (before !== null && !endsWith(before, origin)) beside++;
          for (let i = 0; i < entry.length; i++) ticks.push({ client, clock: clock + i });
          if (frame) commit();
        }
        if (overlay.accepted.size > 0) commit();
      }),
      { seed: 7, numRuns: 1_500 },
    );
    expect(beside).toBeGreaterThan(5_000);
  });
});
