import { expect, test } from 'vitest';
import { stepFrom } from './roving.ts';

const press = (key: string, more: Partial<KeyboardEvent> = {}): KeyboardEvent =>
  ({ key, altKey: false, metaKey: false, shiftKey: false, ...more }) as KeyboardEvent;
const byPage = (direction: 1 | -1): number => 50 + 8 * direction;
const from = (index: number, key: string, more?: Partial<KeyboardEvent>): number | null => stepFrom(press(key, more), index, 100, byPage);

test('[C9.7] arrows go by one, Home and End to the ends, and none beyond', () => {
  expect([from(50, 'ArrowUp'), from(50, 'ArrowDown'), from(50, 'Home'), from(50, 'End')]).toEqual([49, 51, 0, 99]);
  expect([from(0, 'ArrowUp'), from(99, 'ArrowDown')]).toEqual([0, 99]);
});

test('[C9.7] a screen up or down always goes on, also over a message higher than the screen', () => {
  expect([from(50, 'PageUp'), from(50, 'PageDown')]).toEqual([42, 58]);
  expect([from(42, 'PageUp'), from(58, 'PageDown')]).toEqual([41, 59]);
});

test('other keys, and those of other shortcuts, are not of the list', () => {
  expect([from(50, 'x'), from(50, 'ArrowUp', { altKey: true }), from(50, 'ArrowDown', { shiftKey: true })]).toEqual([null, null, null]);
  expect(stepFrom(press('Home'), 0, 0, byPage)).toBe(null);
});
