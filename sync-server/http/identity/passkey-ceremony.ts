import { SettingsService, verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';
import { z } from 'zod';
import type { CreatedPasskey, CreationOptions, RequestOptions, SignedPasskey } from '../../../shared/account-api.ts';
import type { User } from '../../../shared/api.ts';
import type { Uuid } from '../../../shared/ids.ts';
import type { Passkey } from '../../core/ways-in.ts';
import { type Place, ownOrigins } from '../origin.ts';

/** How long a ceremony may take (U4). */
export const CEREMONY_MS = 5 * 60_000;
/** EdDSA, ES256, RS256. */
const ALGORITHMS = [-8, -7, -257];

// Nobody is asked which make their device is. Without roots no certificate is followed, and nothing fetched, for one who says so anyway.
for (const identifier of ['android-key', 'android-safetynet', 'apple', 'mds'] as const)
  SettingsService.setRootCertificates({ identifier, certificates: [] });

/** Passkeys belong to the host's name, without its port. */
const rpId = ({ host }: Place): string => (host === '' ? '' : new URL(`http://${host}`).hostname);
/** What an authenticator keeps of a person: the bytes of their id. */
const userHandle = (userId: Uuid): string => Buffer.from(userId.replaceAll('-', ''), 'hex').toString('base64url');

export function creationOptions(place: Place, user: User, known: readonly Passkey[], challenge: string): CreationOptions {
  return {
    rp: { id: rpId(place), name: 'Homing' },
    user: { id: userHandle(user.id), name: user.handle, displayName: user.displayName },
    challenge,
    pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
    timeout: CEREMONY_MS,
    excludeCredentials: known.map(({ id }) => ({ type: 'public-key', id })),
    authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
    attestation: 'none',
  };
}

export const requestOptions = (place: Place, challenge: string): RequestOptions => ({
  challenge,
  rpId: rpId(place),
  timeout: CEREMONY_MS,
  userVerification: 'required',
});

const clientData = z.object({ challenge: z.string() });

/** The challenge that a browser says it has signed; null when it says none. */
export function readChallenge({ response }: CreatedPasskey | SignedPasskey): string | null {
  try {
    return clientData.parse(JSON.parse(Buffer.from(response.clientDataJSON, 'base64url').toString())).challenge;
  } catch {
    return null;
  }
}

/** A new passkey, when it was made here, for this challenge, by somebody whom the device has verified. Throws why not. */
export async function verifyCreated(
  passkey: CreatedPasskey,
  { place, challenge }: { place: Place; challenge: string },
): Promise<Pick<Passkey, 'id' | 'publicKey' | 'counter'>> {
  const { registrationInfo } = await verifyRegistrationResponse({
    response: passkey,
    expectedChallenge: challenge,
    expectedOrigin: ownOrigins(place),
    expectedRPID: rpId(place),
    requireUserVerification: true,
    supportedAlgorithmIDs: ALGORITHMS,
  });
  if (!registrationInfo) throw new Error('its attestation does not hold');
  const { id, publicKey, counter } = registrationInfo.credential;
  return { id, publicKey, counter };
}

/** How often the passkey has signed now, when this signature is its own, made here, for this challenge and this person. Throws why not. */
export async function verifySigned(
  signed: SignedPasskey,
  { place, challenge, passkey }: { place: Place; challenge: string; passkey: Passkey },
): Promise<number> {
  const { id, publicKey, counter, userId } = passkey;
  if (signed.response.userHandle !== userHandle(userId)) throw new Error('it is of another person');
  const { verified, authenticationInfo } = await verifyAuthenticationResponse({
    response: signed,
    expectedChallenge: challenge,
    expectedOrigin: ownOrigins(place),
    expectedRPID: rpId(place),
    credential: { id, publicKey, counter },
    requireUserVerification: true,
  });
  if (!verified) throw new Error('the signature is not its own');
  return authenticationInfo.newCounter;
}
