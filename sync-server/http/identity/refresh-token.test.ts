import { expect, test } from 'vitest';
import { systemRandom } from '../../../shared/clock.ts';
import { REPEATS_MAX, SAME_SUCCESSOR_MS, SIGN_IN_MS, type Rotation, readRefreshToken, rotate, startSignIn } from './refresh-token.ts';

const NOW = 1_800_000_000_000;
const userId = '0190a0a0-0000-7000-8000-000000000001';
const start = () => startSignIn({ userId, device: 'a test', now: NOW, random: systemRandom });
const read = (token: string) => readRefreshToken(token)!;

function rotated(rotation: Rotation) {
  if (rotation.kind !== 'rotated') throw new Error(rotation.kind);
  return rotation;
}

test('[S2] a token is 256 random bits, and its row holds none of them', () => {
  const { signIn, token } = start();
  const [sid, secret] = token.split('.');
  expect(sid).toBe(signIn.sid);
  expect(Buffer.from(secret!, 'base64url')).toHaveLength(32);
  expect(start().token).not.toBe(token);
  for (const stored of [signIn.tokenHash, signIn.successorKey]) expect(Buffer.from(stored).toString('base64url')).not.toBe(secret);
});

test.each([
  '',
  '.',
  'x.y',
  `${userId}.short`,
  `${userId}.${'A'.repeat(44)}`,
  `${userId}.${'A'.repeat(43)}.`,
  `${userId}.${'+'.repeat(43)}`,
  ` ${userId}.${'A'.repeat(43)}`,
])('what is not of the form of a token is none: %j', (text) => expect(readRefreshToken(text)).toBeNull());

test('[S2] the current token rotates and lives on', () => {
  const { signIn, token } = start();
  const first = rotated(rotate(signIn, read(token), NOW + 1000));
  expect(first.signIn).toMatchObject({ sid: signIn.sid, userId, rotatedAt: NOW + 1000, expiresAt: NOW + 1000 + SIGN_IN_MS });
  const second = rotated(rotate(first.signIn, read(first.successor), NOW + 2000));
  expect(new Set([token, first.successor, second.successor]).size).toBe(3);
});

test('[S2] the previous token gets the same successor for 20 s and changes nothing', () => {
  const { signIn, token } = start();
  const first = rotated(rotate(signIn, read(token), NOW));
  expect(rotated(rotate(first.signIn, read(token), NOW + SAME_SUCCESSOR_MS - 1))).toEqual(first);
  const received = { ...first.signIn, isReceived: true };
  expect(rotated(rotate(received, read(token), NOW + SAME_SUCCESSOR_MS - 1)).successor).toBe(first.successor);
});

test('[S2] after 20 s it gets it as long as nothing shows that the answer arrived, however often it asks', () => {
  const { signIn, token } = start();
  const first = rotated(rotate(signIn, read(token), NOW));
  let standing = first.signIn;
  for (let hours = 1; hours <= 48; hours++) {
    const again = rotated(rotate(standing, read(token), NOW + hours * 3_600_000));
    expect(again.successor).toBe(first.successor);
    standing = again.signIn;
  }
  expect(rotated(rotate(standing, read(first.successor), NOW + 49 * 3_600_000)).signIn.rotation).toBe(2);
});

test('[S2] once the answer has arrived, the previous token after 20 s ends the family', () => {
  const { signIn, token } = start();
  const { signIn: first } = rotated(rotate(signIn, read(token), NOW));
  const received = { ...first, isReceived: true };
  expect(rotate(received, read(token), NOW + SAME_SUCCESSOR_MS)).toEqual({
    kind: 'reused',
    signIn: null,
    ended: { userId, sid: signIn.sid },
  });
});

test('[S2] a thief who is always first, and hides it, is noticed when that has happened a few times in a row', () => {
  let { signIn, token: thief } = start();
  let owner = thief;
  let rounds = 0;
  for (let now = NOW; ; now += 900_000) {
    const taken = rotated(rotate(signIn, read(thief), now));
    thief = taken.successor;
    const late = rotate(taken.signIn, read(owner), now + 60_000);
    if (late.kind !== 'rotated') break;
    owner = late.successor;
    signIn = { ...late.signIn, isReceived: true };
    rounds += 1;
  }
  expect(rounds).toBe(REPEATS_MAX);
});

test('[S2] answers that are lost now and then are forgiven for ever', () => {
  let { signIn, token } = start();
  for (let round = 0, now = NOW; round < 100; round++, now += 900_000) {
    const rotation = rotated(rotate(signIn, read(token), now));
    const isLost = round % (REPEATS_MAX + 1) < REPEATS_MAX;
    const answered = isLost ? rotated(rotate(rotation.signIn, read(token), now + 60_000)) : rotation;
    expect(answered.successor).toBe(rotation.successor);
    token = answered.successor;
    signIn = { ...answered.signIn, isReceived: true };
  }
});

test('[S2] an older token than the previous one ends the family at once, as does a guessed one', () => {
  const { signIn, token } = start();
  const first = rotated(rotate(signIn, read(token), NOW));
  const second = rotated(rotate(first.signIn, read(first.successor), NOW));
  expect(rotate(second.signIn, read(token), NOW)).toMatchObject({ kind: 'reused' });
  expect(rotate(signIn, read(`${signIn.sid}.${'A'.repeat(43)}`), NOW)).toMatchObject({ kind: 'reused' });
});

test('[S2] a successor cannot be made from the token alone', () => {
  const { signIn, token } = start();
  const other = { ...signIn, successorKey: systemRandom(32) };
  expect(rotated(rotate(signIn, read(token), NOW)).successor).not.toBe(rotated(rotate(other, read(token), NOW)).successor);
});

test('[S2] a sign-in that ran out is over even for its current token', () => {
  const { signIn, token } = start();
  expect(rotate(signIn, read(token), NOW + SIGN_IN_MS - 1).kind).toBe('rotated');
  expect(rotate(signIn, read(token), NOW + SIGN_IN_MS).kind).toBe('expired');
});
