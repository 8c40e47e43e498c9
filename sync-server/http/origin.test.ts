import { expect, test } from 'vitest';
import { isAllowedOrigin, isForeign, readPlace } from './origin.ts';

const plain = { secure: false, host: 'chat.example:3000' };
const tls = { secure: true, host: 'chat.example' };

test.each([
  [plain, 'http://chat.example:3000', true],
  [plain, 'https://chat.example:3000', true],
  [plain, 'http://chat.example', false],
  [plain, 'http://chat.example:3001', false],
  [plain, 'HTTP://chat.example:3000', false],
  [plain, 'http://CHAT.example:3000', false],
  [plain, 'http://chat.example:3000/', false],
  [plain, 'http://chat.example:3000.evil.example', false],
  [plain, 'http://evil-chat.example:3000', false],
  [plain, 'http://sub.chat.example:3000', false],
  [plain, 'null', false],
  [plain, '', false],
  [plain, '*', false],
  [tls, 'https://chat.example', true],
  [tls, 'https://chat.example:443', false],
  [tls, 'http://chat.example', false],
  [tls, 'https://embedding.example', true],
  [tls, 'http://embedding.example', false],
  [{ secure: false, host: '' }, 'http://', false],
])('[S3] %o lets in %s: %s', (place, origin, allowed) => {
  expect(isAllowedOrigin(place, origin, ['https://embedding.example'])).toBe(allowed);
});

const cookie = { cookie: 'a=b; homing_session=x' };
const hostCookie = { cookie: '__Host-homing_session=x' };
const bearer = { authorization: 'Bearer x' };
test.each([
  ['its own page', { ...cookie, origin: 'https://chat.example' }, false],
  ['another page', { ...cookie, origin: 'https://evil.example' }, true],
  ['a sandboxed page', { ...cookie, origin: 'null' }, true],
  ['another page with a token', { ...bearer, origin: 'https://evil.example' }, true],
  ['another page without cookies', { origin: 'https://evil.example' }, true],
  ['a program with a token', bearer, false],
  ['a program with a token and cookies', { ...bearer, ...cookie }, false],
  ['a program without either', {}, false],
  ['no origin, with cookies', cookie, true],
  ['no origin, with cookies of TLS', hostCookie, true],
  ['no origin, with a foreign cookie only', { cookie: 'other=x' }, false],
  ['no origin, its own page by the browser', { ...cookie, 'sec-fetch-site': 'same-origin' }, false],
  ['no origin, its user by the browser', { ...cookie, 'sec-fetch-site': 'none' }, false],
  ['no origin, a neighbour by the browser', { ...cookie, 'sec-fetch-site': 'same-site' }, true],
  ['no origin, another site by the browser', { 'sec-fetch-site': 'cross-site' }, true],
  ['another scheme of authorization', { ...cookie, authorization: 'Basic x' }, true],
])('[S3] %s is foreign: %o %s', (_, headers, foreign) => {
  expect(isForeign({ ...tls, address: '' }, new Headers(headers as Record<string, string>), [])).toBe(foreign);
});

const request = (headers: Record<string, string>) => ({ url: 'http://Inner:3000/api/me', headers: new Headers(headers) });
const forwarded = {
  'x-forwarded-proto': 'https, http',
  'x-forwarded-host': 'chat.example, inner',
  'x-forwarded-for': '203.0.113.9, 198.51.100.7',
};

test('a place is read from the request, and from the nearest proxy when it is trusted', () => {
  expect(readPlace(request({}), '192.0.2.1', true)).toEqual({ secure: false, host: 'inner:3000', address: '192.0.2.1' });
  expect(readPlace(request(forwarded), '10.0.0.1', true)).toEqual({ secure: true, host: 'chat.example', address: '198.51.100.7' });
  expect(readPlace(request(forwarded), '10.0.0.1', false)).toEqual({ secure: true, host: 'inner:3000', address: '10.0.0.1' });
});

test('a host that is none lets in nobody', () => {
  expect(readPlace(request({ 'x-forwarded-host': 'a b/c' }), '', true).host).toBe('');
});
