import { describe, expect, test } from 'vitest';
import { LIMITS } from './limits.ts';
import { isPrivateEntry, isPrivateKey } from './user-document.ts';

const ID = '01890a5d-ac96-774b-bcce-b302099a8057';
const parsed = (json: string): unknown => JSON.parse(json);

const allowed: [key: string, value: unknown][] = [
  [`d${ID}`, ''],
  [`d${ID}`, 'x'.repeat(LIMITS.body)],
  [`c${ID}`, {}],
  [`c${ID}`, { mute: 1_790_000_000_000, pin: 1, archive: true, unreadFrom: 41 }],
  [`c${ID}`, { mute: null, pin: null, archive: false, unreadFrom: null }],
  ['stheme', 'dark'],
  ['sreadReceipts', false],
  ['sscale', 1.5],
  ['stheme', null],
  ['stheme', 'x'.repeat(256)],
];

const refused: [why: string, key: string, value: unknown][] = [
  ['a draft beyond a message', `d${ID}`, 'x'.repeat(LIMITS.body + 1)],
  ['a draft that is no text', `d${ID}`, 1],
  ['a draft of nothing', 'd', ''],
  ['a draft of another spelling', `d${ID.toUpperCase()}`, ''],
  ['a draft in a segment', `d${ID}/1`, ''],
  ['conversation: a list', `c${ID}`, []],
  ['conversation: nothing', `c${ID}`, null],
  ['conversation: an unknown name', `c${ID}`, { colour: 1 }],
  ['conversation: a name of the prototype', `c${ID}`, { toString: 1 }],
  ['conversation: __proto__ of its own', `c${ID}`, parsed('{"__proto__": {"pin": 1}}')],
  ['conversation: __proto__ as a decoder sets it', `c${ID}`, Object.create({ pin: 1 })],
  ['conversation: no prototype', `c${ID}`, Object.create(null)],
  ['conversation: a mute that is no time', `c${ID}`, { mute: 'forever' }],
  ['conversation: a broken number', `c${ID}`, { pin: Number.NaN }],
  ['conversation: an archive that is no yes or no', `c${ID}`, { archive: null }],
  ['setting: a long text', 'stheme', 'x'.repeat(257)],
  ['setting: infinite', 'sscale', Infinity],
  ['setting: an object', 'stheme', {}],
  ['setting: nothing at all', 'stheme', undefined],
  ['setting: no name', 's', true],
  ['setting: a long name', `s${'x'.repeat(33)}`, true],
  ['setting: a capital first', 'sTheme', true],
  ['setting: a line break after it', 'stheme\n', true],
  ['a key of another kind', `x${ID}`, 1],
  ['the name that reaches prototypes', '__proto__', ''],
  ['no key', '', ''],
];

describe('[D8] a private lane', () => {
  test.each(allowed)('takes %s: %j', (key, value) => {
    expect(isPrivateEntry(key, value)).toBe(true);
    expect(isPrivateKey(key)).toBe(true);
  });

  test.each(refused)('refuses %s', (_, key, value) => expect(isPrivateEntry(key, value)).toBe(false));

  test('knows its keys whatever their values', () => {
    for (const key of ['', 'd', 'c', 's', 'sTheme', `x${ID}`, ID, `d${ID}/1`, '__proto__'])
      expect([key, isPrivateKey(key)]).toEqual([key, false]);
  });
});
