import { expect, test } from 'vitest';
import { outdated, sourceOf } from './cache-policy.ts';

const origin = 'https://homing.example';
const place = { origin, precached: new Set(['/', '/icon.svg']) };
const page = (path: string): string => sourceOf({ method: 'GET', mode: 'navigate', url: origin + path }, place);
const file = (path: string, method = 'GET'): string => sourceOf({ method, mode: 'cors', url: new URL(path, origin).href }, place);

test('every place in the app is the shell', () => {
  expect(['/', '/?a=b', '/conversations/018f', '/people/ana', '/settings'].map(page)).toEqual(Array(5).fill('shell'));
});

test('pages that are no place in the app are asked for', () => {
  expect(['/api/health', '/api', '/metrics', '/sw.js'].map(page)).toEqual(Array(4).fill('network'));
  expect(page('/apiary')).toBe('shell');
});

test('files of the build come from the cache, the API and strangers never do', () => {
  expect(['/assets/index-a1.js', '/icon.svg'].map((path) => file(path))).toEqual(['cache', 'cache']);
  const never = ['/api/me', '/api/users/ana/avatar', '/sw.js', 'https://elsewhere.example/assets/index-a1.js'];
  expect(never.map((path) => file(path))).toEqual(Array(4).fill('network'));
  expect(file('/assets/index-a1.js', 'POST')).toBe('network');
});

test('only GET is ever answered from here, and only for this origin: a page elsewhere and an upload go to the network', () => {
  const ask = (method: string, mode: string, url: string): string => sourceOf({ method, mode, url }, place);
  expect([ask('POST', 'navigate', `${origin}/settings`), ask('HEAD', 'cors', `${origin}/icon.svg`)]).toEqual(['network', 'network']);
  expect(ask('GET', 'navigate', 'https://elsewhere.example/settings')).toBe('network');
  expect(ask('GET', 'navigate', `${origin}/picture.webp`)).toBe('network');
});

test('an old hashed file goes 30 days after it was last built; one of this build never', () => {
  const day = 24 * 60 * 60_000;
  const now = 1_000 * day;
  const files = [
    { name: 'index-new.js', builtAt: now },
    { name: 'font-same-for-years.woff2', builtAt: now - 900 * day },
    { name: 'index-last-week.js', builtAt: now - 7 * day },
    { name: 'index-30-days.js', builtAt: now - 30 * day },
    { name: 'index-31-days.js', builtAt: now - 31 * day },
  ];
  expect(outdated(files, { current: new Set(['index-new.js', 'font-same-for-years.woff2']), now })).toEqual(['index-31-days.js']);
});
