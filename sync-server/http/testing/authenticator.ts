import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { CreatedPasskey, CreationOptions, RequestOptions, SignedPasskey } from '../../../shared/account-api.ts';

/** What a test may have its device do wrong. */
export interface Deviation {
  /** The page that asked, as the browser saw it. */
  origin?: string;
  rpId?: string;
  challenge?: string;
  /** Nobody showed the device who they are. */
  isUnverified?: boolean;
  /** How often it says it has signed. */
  counter?: number;
  userHandle?: string;
}

const sha256 = (bytes: Uint8Array | string): Buffer => createHash('sha256').update(bytes).digest();
const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
const uint = (value: number, bytes: number): Buffer => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
};
/** CBOR's beginning of a text. */
const text = (value: string): Buffer => Buffer.concat([Buffer.from([0x60 + value.length]), Buffer.from(value)]);

/** A device with one passkey, in software: what a browser and its authenticator make of the options, bit by bit (WebAuthn 6.1, 6.5). */
export function makeAuthenticator(origin: string) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const id = randomBytes(16);
  let handle = '';
  let counter = 0;

  function authenticatorData(rpId: string, { isUnverified, counter: said }: Deviation, attested: Buffer[] = []): Buffer {
    const flags = 0x01 | (isUnverified ? 0 : 0x04) | (attested.length > 0 ? 0x40 : 0);
    return Buffer.concat([sha256(rpId), Buffer.from([flags]), uint(said ?? counter, 4), ...attested]);
  }

  function clientData(type: string, challenge: string, from = origin): Buffer {
    return Buffer.from(JSON.stringify({ type, challenge, origin: from, crossOrigin: false }));
  }

  /** The public half as COSE has it: EC2, ES256, P-256, x, y. */
  function coseKey(): Buffer {
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
    const start = Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
    return Buffer.concat([start, Buffer.from(x, 'base64url'), Buffer.from([0x22, 0x58, 0x20]), Buffer.from(y, 'base64url')]);
  }

  return {
    id: base64url(id),
    create(options: CreationOptions, deviation: Deviation = {}): CreatedPasskey {
      handle = options.user.id;
      const attested = [Buffer.alloc(16), uint(id.length, 2), id, coseKey()];
      const data = authenticatorData(deviation.rpId ?? options.rp.id, deviation, attested);
      const map = [Buffer.from([0xa3]), text('fmt'), text('none'), text('attStmt'), Buffer.from([0xa0]), text('authData')];
      const attestationObject = Buffer.concat([...map, Buffer.from([0x58, data.length]), data]);
      const clientDataJSON = clientData('webauthn.create', deviation.challenge ?? options.challenge, deviation.origin);
      return {
        id: base64url(id),
        rawId: base64url(id),
        type: 'public-key',
        response: { clientDataJSON: base64url(clientDataJSON), attestationObject: base64url(attestationObject) },
        clientExtensionResults: {},
      };
    },
    get(options: RequestOptions, deviation: Deviation = {}): SignedPasskey {
      counter += 1;
      const data = authenticatorData(deviation.rpId ?? options.rpId, deviation);
      const clientDataJSON = clientData('webauthn.get', deviation.challenge ?? options.challenge, deviation.origin);
      const signature = sign('sha256', Buffer.concat([data, sha256(clientDataJSON)]), privateKey);
      return {
        id: base64url(id),
        rawId: base64url(id),
        type: 'public-key',
        response: {
          clientDataJSON: base64url(clientDataJSON),
          authenticatorData: base64url(data),
          signature: base64url(signature),
          userHandle: deviation.userHandle ?? handle,
        },
        clientExtensionResults: {},
      };
    },
  };
}
