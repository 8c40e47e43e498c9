import type { CryptoKey, JWK } from 'jose';
import type { Clock } from '../../../shared/clock.ts';
import type { Logger } from '../../core/ports.ts';
import type { SigningKey } from './signing-keys.ts';

/** The keys of access tokens, as they change while the node runs (S5). */
export interface KeyRing {
  /** The newest key whose time to sign has come. */
  signing(now: number): Pick<SigningKey, 'kid' | 'sign'>;
  /** What verifies the tokens of a key id. An id that is not known here is looked for once more: another node may have made it. */
  verifying(kid: string, now: number): Promise<CryptoKey | null>;
  /** Public halves, also of keys that will sign soon. */
  published(now: number): JWK[];
  stop(): void;
}

/** Every node knows of a new key by then. */
const RELOAD_MS = 60_000;
/** Strangers name unknown keys as often as they like; they are looked for no more often than this. */
const LOOK_MS = 5_000;

/** Opens the ring on what `load` gives, the newest first: now, every minute, and when somebody names an unknown key. */
export async function openKeyRing(deps: {
  load: () => Promise<SigningKey[]>;
  clock: Pick<Clock, 'elapsed' | 'after'>;
  logger: Pick<Logger, 'error'>;
}): Promise<KeyRing> {
  const { clock, logger } = deps;
  let keys = await load();
  let loadedAt = clock.elapsed();
  let loading: Promise<void> | null = null;
  let stopTimer = clock.after(RELOAD_MS, reloadAgain);

  async function load(): Promise<SigningKey[]> {
    const found = await deps.load();
    if (found.length === 0) throw new TypeError('there is no signing key');
    return found;
  }

  /** At most one at a time. */
  function reload(): Promise<void> {
    loading ??= readKeys().finally(() => (loading = null));
    return loading;
  }

  async function readKeys(): Promise<void> {
    keys = await load();
    loadedAt = clock.elapsed();
  }

  function reloadAgain(): void {
    stopTimer = clock.after(RELOAD_MS, reloadAgain);
    // With the keys it has, a node goes on.
    reload().catch((error: unknown) => logger.error({ error: String(error) }, 'the signing keys could not be read anew'));
  }

  const isGood = (key: SigningKey, now: number): boolean => key.verifiesUntil === null || now < key.verifiesUntil;
  const find = (kid: string, now: number): SigningKey | undefined => keys.find((key) => key.kid === kid && isGood(key, now));

  return {
    signing: (now) => keys.find((key) => key.signsFrom <= now) ?? keys.at(-1)!,
    async verifying(kid, now) {
      const known = find(kid, now);
      if (known) return known.verify;
      if (loading || clock.elapsed() - loadedAt >= LOOK_MS) await reload();
      return find(kid, now)?.verify ?? null;
    },
    published: (now) => keys.filter((key) => isGood(key, now)).map((key) => key.published),
    stop: () => stopTimer(),
  };
}
