import { array, assert, nat, property } from 'fast-check';
import { expect, test } from 'vitest';
import { makePlaces } from './places.ts';

test('whatever lists follow one another, each id stands where the last one has it', () => {
  const list = array(nat({ max: 12 })).map((numbers) => [...new Set(numbers.map(String))]);
  assert(
    property(array(list), (lists) => {
      const places = makePlaces();
      for (const ids of lists) {
        places.follow(ids);
        for (let n = 0; n <= 12; n++) expect(places.of(String(n)) ?? -1).toBe(ids.indexOf(String(n)));
      }
    }),
  );
});
