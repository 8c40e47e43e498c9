import type { Uuid } from '../../../shared/ids.ts';

/** Somebody who speaks under a client id, on this node or another. */
export interface Standing {
  readonly client: number;
  readonly userId: Uuid;
  typing: boolean;
  read: number | null;
  /** Since when they do, by the nodes' clock: of two connections of one person the later holds the id (P8). */
  readonly since: number;
  /** The node that they are on; null: this one. */
  readonly node: Uuid | null;
  /** When another node last spoke of them, by the time that has elapsed here. */
  heardAt: number;
}

/** Who speaks under which client id in one root, and under which somebody did. */
export interface Standings {
  get(client: number): Standing | undefined;
  all(): Standing[];
  put(standing: Standing): void;
  remove(standing: Standing): void;
  /** How many have gone. */
  departures(): number;
  /** Whether somebody under this id has gone since that many had (P3). */
  hasGoneSince(client: number, departures: number): boolean;
}

/** Client ids that are gone, of which a connection may still relay one. */
const GONE_IDS = 2_048;

export function makeStandings(): Standings {
  const standings = new Map<number, Standing>();
  /** By their departure, the newest last: a stock client relays what it was sent, also later. */
  const gone = new Map<number, number>();
  let departures = 0;
  return {
    get: (client) => standings.get(client),
    all: () => [...standings.values()],
    put: (standing) => void standings.set(standing.client, standing),
    remove({ client }) {
      standings.delete(client);
      gone.delete(client);
      gone.set(client, ++departures);
      const [oldest] = gone.keys();
      if (gone.size > GONE_IDS && oldest !== undefined) gone.delete(oldest);
    },
    departures: () => departures,
    hasGoneSince: (client, since) => (gone.get(client) ?? 0) > since,
  };
}
