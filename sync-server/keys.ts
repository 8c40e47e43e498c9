import { systemClock } from '../shared/clock.ts';
import type { Config } from './config.ts';
import { joinDatabase } from './database.ts';
import { AHEAD_MS, importStored, makeStoredKey } from './http/identity/signing-keys.ts';
import { makeSigningKeys } from './postgres/signing-keys.ts';

const USAGE = `npm run keys                 lists the keys that access tokens are signed with
npm run keys -- rotate       makes a new key; it signs in two minutes, when every node knows it, and the older ones verify until their tokens are over
npm run keys -- revoke KID   takes a key away at once: whoever has a token of it signs in again; made anew when it was the last`;

/** `npm run keys`: the keys of access tokens in the database, also while servers run on it (S5). Answers what to tell. */
export async function runKeys([command = 'list', kid = '', ...more]: readonly string[], config: Config): Promise<string> {
  if (config.signingKey)
    throw new Error('The signing keys come from the environment here, not from the database: put the new key first there.');
  const isKnown = command === 'list' || command === 'rotate' ? kid === '' : command === 'revoke' && kid !== '';
  if (!isKnown || more.length > 0) throw new Error(USAGE);
  const { sql, close } = await joinDatabase(config);
  try {
    const keys = makeSigningKeys(sql);
    const now = systemClock.now();
    const make = () => makeStoredKey(now);
    const before = await importStored(await keys.load(make));
    if (command === 'rotate') {
      for (const old of before) if (old.verifiesUntil !== null && old.verifiesUntil <= now) await keys.remove(old.kid);
      await keys.add(await makeStoredKey(now + AHEAD_MS));
    }
    if (command === 'revoke') {
      if (!before.some((key) => key.kid === kid)) throw new Error(`There is no key ${kid}.`);
      await keys.remove(kid);
    }
    const after = await keys.load(make);
    return after.map((key) => `${key.kid}  signs from ${new Date(key.signsFrom).toISOString()}`).join('\n');
  } finally {
    await close();
  }
}
