import { createHash } from 'node:crypto';
import type { RandomBytes } from '../../../shared/clock.ts';
import type { Uuid } from '../../../shared/ids.ts';
import type { KnownDevices } from '../../core/identity.ts';
import { deviceCookie, readDeviceCookie } from './cookies.ts';

/** Browsers that people have signed in from, known again by a cookie (S7). */
export interface Devices {
  /** The key of a browser that this account has signed in from before; null for any other. */
  recognise(request: { secure: boolean; cookies: string | null }, handle: string): Promise<string | null>;
  /** Notes that somebody has signed in; the `Set-Cookie` value by which the browser is known from now on. */
  remember(request: { secure: boolean; cookies: string | null }, userId: Uuid): Promise<string>;
}

const hashOf = (device: string): Buffer => createHash('sha256').update(device).digest();

export function makeDevices(deps: { knownDevices: KnownDevices; random: RandomBytes; now: () => number }): Devices {
  const { knownDevices, random, now } = deps;
  return {
    async recognise({ secure, cookies }, handle) {
      const device = readDeviceCookie(secure, cookies);
      return device !== null && (await knownDevices.knows(handle, hashOf(device))) ? hashOf(device).toString('base64url') : null;
    },
    async remember({ secure, cookies }, userId) {
      const device = readDeviceCookie(secure, cookies) ?? Buffer.from(random(32)).toString('base64url');
      await knownDevices.remember(userId, hashOf(device), now());
      return deviceCookie(secure, device);
    },
  };
}
