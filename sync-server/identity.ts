import { readFile } from 'node:fs/promises';
import { systemClock, systemRandom } from '../shared/clock.ts';
import type { Config } from './config.ts';
import type { ForeignAccounts } from './core/identity.ts';
import type { Logger } from './core/ports.ts';
import { type Devices, makeDevices } from './http/identity/devices.ts';
import { type Enrol, makeEnrol } from './http/identity/enrol.ts';
import { type KeyRing, openKeyRing } from './http/identity/key-ring.ts';
import { type Platform, makePlatform } from './http/identity/platform.ts';
import { makeRemoteKeys } from './http/identity/remote-keys.ts';
import { importPem, importStored, makeStoredKey } from './http/identity/signing-keys.ts';
import type { Sql } from './postgres/connect.ts';
import { makeForeignAccounts } from './postgres/foreign-accounts.ts';
import { makeKnownDevices } from './postgres/known-devices.ts';
import { makeSigningKeys } from './postgres/signing-keys.ts';
import { tellUnavailable } from './postgres/unavailable.ts';

/** By which keys people are known, and where else they may come from (S5, S6, S7). */
export interface IdentityDeps {
  keys: KeyRing;
  platform: Platform | null;
  enrol: Enrol;
  foreignAccounts: ForeignAccounts;
  devices: Devices;
}

/** Reads the keys from where the configuration says, and goes on reading them. */
export async function openIdentity({ signingKey, platform }: Config, sql: Sql, logger: Logger): Promise<IdentityDeps> {
  const clock = systemClock;
  const stored = tellUnavailable(makeSigningKeys(sql));
  const load = async () => {
    if (signingKey?.from === 'file') return importPem(await readFile(signingKey.path, 'utf8'));
    if (signingKey?.from === 'environment') return importPem(signingKey.pem);
    return importStored(await stored.load(() => makeStoredKey(clock.now())));
  };
  const foreignAccounts = tellUnavailable(makeForeignAccounts(sql));
  const findKey =
    platform && makeRemoteKeys({ url: platform.jwksUrl, fetch: (...request) => fetch(...request), elapsed: clock.elapsed, logger });
  return {
    keys: await openKeyRing({ load, clock, logger }),
    platform: platform && findKey && makePlatform(platform, findKey),
    foreignAccounts,
    enrol: makeEnrol({ foreignAccounts, random: systemRandom }),
    devices: makeDevices({ knownDevices: tellUnavailable(makeKnownDevices(sql)), random: systemRandom, now: clock.now }),
  };
}
