import { hash, verify } from '@node-rs/argon2';

/** Passwords as stored hashes (S1). */
export interface Passwords {
  hash(password: string): Promise<string>;
  /** Whether the password belongs to the hash. Null, for nobody's, takes as long and is false. */
  matches(stored: string | null, password: string): Promise<boolean>;
}

// OWASP's first choice for argon2id; the library's default algorithm is argon2id.
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
// The same characters typed on another system may come in another form.
const normal = (password: string): string => password.normalize('NFC');

/** argon2id on the thread pool, 19 MiB and about 25 ms each. */
export function makePasswords(): Passwords {
  let nobodys: Promise<string> | undefined;
  return {
    hash: (password) => hash(normal(password), COST),
    async matches(stored, password) {
      nobodys ??= hash('', COST);
      const against = stored ?? (await nobodys);
      return (await verify(against, normal(password))) && stored !== null;
    },
  };
}
