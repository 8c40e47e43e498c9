import { expect, it } from 'vitest';
import * as Y from 'yjs';
import { type EncodableStruct, encodeUpdate } from './encode.ts';
import type { Plain } from './stored.ts';
import { rawUpdate, value } from './test-world.ts';

const struct = (client: number, clock: number, key: string, values: readonly Plain[]): EncodableStruct => ({
  client,
  clock,
  length: values.length,
  origin: null,
  root: 'u',
  key,
  values,
});

const VALUES: readonly Plain[] = [
  '',
  'letters only',
  '\u0000 and \u007f',
  '\u0080',
  'gemütlich',
  '👍🎉',
  'a'.repeat(20_000),
  'ä'.repeat(40_000),
  0,
  -1,
  1.5,
  0.1,
  2 ** 40,
  -Infinity,
  true,
  false,
  null,
  [],
  ['words', null, 7, { größe: ['x', 'é'], plain: 'text' }],
  [[['deep', ['deeper']]]],
  {},
];

it.each(VALUES.map((plain) => [JSON.stringify(plain).slice(0, 30), plain]))('[A8] %s is written as lib0 writes it', (_, plain) => {
  expect(encodeUpdate([struct(5, 0, 'k', [plain])], [])).toEqual(rawUpdate([[5, 0, [{ root: 'u', key: 'k', ...value(plain) }]]]));
});

it('[A8] client ids go from the highest down, their structs and deletions in order of clock', () => {
  const structs = [struct(3, 4, 'a', ['x']), struct(9, 0, 'b', ['y']), struct(3, 5, 'c', ['z']), struct(7, 1, 'd', ['w'])];
  const deletes = [
    { client: 3, clock: 8, length: 1 },
    { client: 7, clock: 2, length: 2 },
    { client: 3, clock: 2, length: 6 },
  ];
  const update = encodeUpdate(structs, deletes);
  const { structs: read, ds } = Y.decodeUpdate(update);
  expect(read.map(({ id }) => [id.client, id.clock])).toEqual([
    [9, 0],
    [7, 1],
    [3, 4],
    [3, 5],
  ]);
  expect([...ds.clients].map(([client, spans]) => [client, spans.map(({ clock, len }) => [clock, len])])).toEqual([
    [7, [[2, 2]]],
    [3, [[2, 7]]],
  ]);
  expect(encodeUpdate([structs[3]!, structs[0]!, structs[1]!, structs[2]!], deletes.toReversed())).toEqual(update);
});
