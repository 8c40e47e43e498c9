import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { linkedText } from './linked-text.ts';

const links = (text: string): [string, string][] => linkedText(text).flatMap(({ text, href }) => (href === null ? [] : [[text, href]]));
const whole = (text: string): string =>
  linkedText(text)
    .map((part) => part.text)
    .join('');

test.each([
  ['see https://a.example/x', 'https://a.example/x', 'https://a.example/x'],
  ['HTTPS://A.example', 'HTTPS://A.example', 'https://a.example/'],
  ['http://a.example:8080/?q=1#x.', 'http://a.example:8080/?q=1#x', 'http://a.example:8080/?q=1#x'],
  ['(https://a.example/wiki/X_(y))', 'https://a.example/wiki/X_(y)', 'https://a.example/wiki/X_(y)'],
  ['"https://a.example", he said', 'https://a.example', 'https://a.example/'],
  ['go to www.a.example!', 'www.a.example', 'https://www.a.example/'],
  ['mailto:ada@a.example?subject=hi', 'mailto:ada@a.example?subject=hi', 'mailto:ada@a.example?subject=hi'],
  ['**https://a.example**', 'https://a.example', 'https://a.example/'],
  ['https://bücher.example', 'https://bücher.example', 'https://xn--bcher-kva.example/'],
])('%s has the link %s', (text, shown, href) => {
  expect(links(text)).toEqual([[shown, href]]);
  expect(whole(text)).toBe(text);
});

test.each([
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'java\nscript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:msgbox(1)',
  'file:///etc/passwd',
  'ftp://a.example',
  'intent://a.example#Intent;end',
  'https://bank.example@evil.example/',
  'https://bank.example:pass@evil.example/',
  'https://',
  'https:///',
  'http://[::1',
  'www.',
  'mailto:',
  'mailto:nobody',
  'xhttps://a.example',
  `https://a.example/${'x'.repeat(3_000)}`,
  'a.example',
  '',
])('%j has no link', (text) => {
  expect(links(text)).toEqual([]);
  expect(whole(text)).toBe(text);
});

test('markup around a link is text, and ends it', () => {
  expect(links('<a href="https://a.example" onclick="x">')).toEqual([['https://a.example', 'https://a.example/']]);
  expect(links('https://a.example/<script>')).toEqual([['https://a.example/', 'https://a.example/']]);
  expect(links('https://a.example/\u202egnp.exe')).toEqual([['https://a.example/', 'https://a.example/']]);
});

describe('whatever is written', () => {
  const pieces = [
    'https://',
    'http://',
    'www.',
    'mailto:',
    'javascript:',
    'a.example',
    '@',
    ':',
    '/',
    '(',
    ')',
    '.',
    ' ',
    '\n',
    '<',
    '"',
    '\u202e',
    '\\',
  ];
  const text = fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary' }))).map((parts) => parts.join(''));

  test('the parts are the message, and links lead to the web or to mail alone', () => {
    fc.assert(
      fc.property(text, (written) => {
        expect(whole(written)).toBe(written);
        for (const [, href] of links(written)) expect(href).toMatch(/^(https?:\/\/[^/@]+(\/|$)|mailto:)/);
      }),
      { numRuns: 2_000 },
    );
  });

  test('it takes no longer for being made to', () => {
    for (const bad of [
      'https://'.repeat(1_000),
      `https://a.example/${'('.repeat(7_900)}`,
      `https://a.example/${').'.repeat(3_900)}`,
      'www.'.repeat(2_000),
    ]) {
      const before = performance.now();
      linkedText(bad);
      expect(performance.now() - before).toBeLessThan(500);
    }
  });
});
