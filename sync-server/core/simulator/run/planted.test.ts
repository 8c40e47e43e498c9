import { expect, test } from 'vitest';
import { sources } from '../../../../shared/test-sources.ts';
import { HARD } from './planted-hard.ts';
import { PLANTED, SMALL } from './planted.ts';

test.each([{ name: 'small limits', patches: SMALL }, ...PLANTED, ...HARD])('it still fits the source: $name', ({ patches }) => {
  for (const { file, find } of patches) expect(sources.get(file)?.split(find), `${file}: ${find}`).toHaveLength(2);
});

test('at least 30 mistakes are planted, each under a name of its own', () => {
  expect(PLANTED.length).toBeGreaterThanOrEqual(30);
  expect(new Set(PLANTED.map(({ name }) => name)).size).toBe(PLANTED.length);
});
