import { expect, test } from 'vitest';
import { sourceOf } from './cache-policy.ts';

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
