import { type CryptoKey, createLocalJWKSet, errors } from 'jose';
import { z } from 'zod';
import type { Logger } from '../../core/ports.ts';
import type { FindKey } from './verify-token.ts';

/** Keys that somebody else publishes cannot be had now, and none were had before. */
export class KeysUnavailable extends Error {
  override name = 'KeysUnavailable';
}

interface Deps {
  url: string;
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds since some moment, by a clock that nobody puts back. */
  elapsed: () => number;
  logger: Pick<Logger, 'warn'>;
}

/** Keys are asked for anew after this. */
export const FRESH_MS = 10 * 60_000;
/** While they cannot be had, the last ones serve so long. */
export const STALE_MS = 24 * 3_600_000;
/** Strangers name unknown keys as often as they like; they are asked for no more often than this, found or not. */
export const COOL_DOWN_MS = 30_000;
/** An answer that is later than this is none. */
const PATIENCE_MS = 5_000;
const LARGEST = 256 * 1024;

const jwks = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) });
type LocalKeys = ReturnType<typeof createLocalJWKSet>;

/** The keys behind an `AUTH_JWKS_URL` (S6): kept, asked for one request at a time, small, and soon, or not at all. */
export function makeRemoteKeys({ url, fetch, elapsed, logger }: Deps): FindKey {
  let known: { keys: LocalKeys; at: number } | null = null;
  let askedAt = -Infinity;
  let asking: Promise<void> | null = null;

  async function ask(): Promise<void> {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(PATIENCE_MS),
      redirect: 'error',
      headers: { accept: 'application/jwk-set+json, application/json' },
    });
    if (response.status !== 200) throw new Error(`answered ${response.status}`);
    known = { keys: createLocalJWKSet(jwks.parse(JSON.parse(await readSmall(response)))), at: elapsed() };
  }

  /** Whatever comes of it, the next is not before the cool-down. */
  async function refresh(): Promise<void> {
    if (!asking && elapsed() - askedAt < COOL_DOWN_MS) return;
    askedAt = asking ? askedAt : elapsed();
    asking ??= ask()
      .catch((error: unknown) => logger.warn({ url, error: String(error) }, 'the keys of the other platform could not be had'))
      .finally(() => (asking = null));
    await asking;
  }

  const age = (): number => (known ? elapsed() - known.at : Infinity);

  return async (header) => {
    if (age() >= FRESH_MS) await refresh();
    const found = await pick(header);
    if (found) return found;
    await refresh();
    return pick(header);
  };

  async function pick(header: Parameters<FindKey>[0]): Promise<CryptoKey | null> {
    if (!known || age() >= STALE_MS) throw new KeysUnavailable('the keys of the other platform cannot be had');
    try {
      return await known.keys(header);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return null;
      throw error;
    }
  }
}

/** The text of an answer, as long as it is no larger than keys are. */
async function readSmall(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > LARGEST) throw new Error(`answered more than ${LARGEST} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
