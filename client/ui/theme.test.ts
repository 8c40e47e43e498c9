import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';

const css = readFileSync(new URL('theme.css', import.meta.url), 'utf8');

const channel = (value: number): number => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
const luminance = ([r, g, b]: number[]): number => 0.2126 * channel(r!) + 0.7152 * channel(g!) + 0.0722 * channel(b!);
function contrast(a: number[], b: number[]): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}
const mix = (a: number[], b: number[], share: number): number[] => a.map((value, i) => value + (b[i]! - value) * share);

/** A token as the light or the dark theme has it; some are the same in both. */
function token(name: string, theme: 'light' | 'dark'): number[] {
  const [, first, second] = new RegExp(`--${name}: (?:light-dark\\()?#([0-9a-f]{6})(?:, #([0-9a-f]{6}))?`).exec(css) ?? [];
  const hex = theme === 'dark' ? (second ?? first) : first;
  if (!hex) throw new Error(`There is no --${name}.`);
  return hex.match(/../g)!.map((pair) => parseInt(pair, 16) / 255);
}

// The audit in the browser cannot judge a gradient.
test('[C10.3] white stands on every point of the signature with 4.5:1', () => {
  const stops = ['violet', 'magenta', 'rose', 'amber'].map((name) => token(name, 'light'));
  const points = stops.slice(1).flatMap((stop, i) => Array.from({ length: 21 }, (_, step) => mix(stops[i]!, stop, step / 20)));
  expect(Math.min(...points.map((point) => contrast(point, token('on-signature', 'light'))))).toBeGreaterThanOrEqual(4.5);
});

test('[C10.3] every colour of text stands on every surface with 4.5:1, in light and dark', () => {
  for (const theme of ['light', 'dark'] as const) {
    for (const text of ['text', 'quiet', 'accent', 'error']) {
      for (const surface of ['surface', 'surface-raised', 'surface-lifted', 'surface-sunken', 'surface-chosen', 'bubble']) {
        expect(contrast(token(text, theme), token(surface, theme)), `${text} on ${surface}, ${theme}`).toBeGreaterThanOrEqual(4.5);
      }
    }
  }
});

test('colours are named in one file', () => {
  const places = readdirSync(new URL('.', import.meta.url), { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.css') && path !== 'theme.css',
  );
  expect(places.length).toBeGreaterThan(5);
  for (const place of places) {
    const rules = readFileSync(new URL(place, import.meta.url), 'utf8');
    expect([place, rules.match(/#[0-9a-f]{3,8}\b|\brgb\(|\bhsl\(/g)]).toEqual([place, null]);
  }
});
