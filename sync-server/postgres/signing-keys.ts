import type { SigningKeys, StoredKey } from '../core/identity.ts';
import type { Queries, Sql } from './connect.ts';
import { transaction } from './transaction.ts';

type KeyRow = Omit<StoredKey, 'signsFrom'> & { signsFrom: Date };

/** The keys of access tokens, the first of them made by whichever node comes first (S5). */
export function makeSigningKeys(sql: Sql): SigningKeys {
  const insert = async (to: Queries, { kid, jwk, signsFrom }: StoredKey): Promise<void> =>
    void (await to`insert into signing_keys (kid, jwk, signs_from) values (${kid}, ${jwk}, ${new Date(signsFrom)})`);
  const select = async (from: Queries): Promise<StoredKey[]> => {
    const rows = await from<KeyRow[]>`select kid, jwk, signs_from as "signsFrom" from signing_keys order by signs_from desc, kid`;
    return rows.map((row) => ({ ...row, signsFrom: row.signsFrom.getTime() }));
  };

  return {
    async load(make) {
      const stored = await select(sql);
      if (stored.length > 0) return stored;
      return transaction(sql, async (tx) => {
        await tx`lock table signing_keys in exclusive mode`;
        const others = await select(tx);
        if (others.length > 0) return others;
        const made = await make();
        await insert(tx, made);
        return [made];
      });
    },
    add: (key) => insert(sql, key),
    remove: async (kid) => void (await sql`delete from signing_keys where kid = ${kid}`),
  };
}
