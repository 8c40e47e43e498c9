import { SignJWT, calculateJwkThumbprint, decodeJwt, exportJWK, importPKCS8 } from 'jose';
import { systemRandom } from '../../shared/clock.ts';
import { makeUuid } from '../../shared/ids.ts';
import type { Person } from './person.ts';

/** Another access token of a person's sign-in, which ends when a test wants it to; by a key of the server's own, as PKCS #8 PEM. */
export async function signToken(pem: string, person: Person, { expiresInS, kid }: { expiresInS: number; kid?: string }): Promise<string> {
  const key = await importPKCS8(pem, 'EdDSA', { extractable: true });
  const expires = Math.floor(Date.now() / 1000) + expiresInS;
  return new SignJWT({ sid: decodeJwt(person.token).sid })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: kid ?? (await calculateJwkThumbprint(await exportJWK(key))) })
    .setIssuer('homing')
    .setAudience('homing')
    .setSubject(person.id)
    .setJti(makeUuid(Date.now(), systemRandom))
    .setIssuedAt(expires - 15 * 60)
    .setExpirationTime(expires)
    .sign(key);
}
