import { createEffect, createRoot } from 'solid-js';
import { expect, test } from 'vitest';
import { makeStores } from './make-stores.ts';

interface Row {
  id: string;
  text: string | null;
  seq: number;
}
const row = (id: string, text: string | null, seq = 0): Row => ({ id, text, seq });

test('a row keeps its store through changes and a new order; who looks at a part of it is told of that part alone', () => {
  const stores = makeStores<Row>();
  const [a, b] = stores([row('a', 'one'), row('b', 'two')]);
  const texts: (string | null)[] = [];
  const dispose = createRoot((end) => {
    createEffect(() => texts.push(a!.text));
    return end;
  });
  expect(stores([row('b', 'two'), row('a', 'one', 1)])).toEqual([b, a]);
  expect(stores([row('b', 'two'), row('a', null, 1)])[1]).toBe(a);
  expect([a!.seq, a!.text, texts]).toEqual([1, null, ['one', null]]);
  dispose();
});

test('a row that was away comes back as another one; what was handed in is not written to', () => {
  const stores = makeStores<Row>();
  const given = row('a', 'one');
  const [first] = stores([given]);
  stores([row('a', 'changed')]);
  expect(given.text).toBe('one');
  stores([]);
  const [second] = stores([given]);
  expect(second).toEqual(given);
  expect(second).not.toBe(first);
});
