import { type Accessor, createEffect, createSignal, on, onCleanup } from 'solid-js';
import type { User } from '../../shared/api.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Uuid } from '../../shared/ids.ts';
import type { Api } from '../sync/api.ts';
import { type Problem, asProblem } from './attempt.ts';

/** What a search shows. Results stay on the screen while the next ones are asked for. */
export type PeopleSearch =
  | { kind: 'none' }
  | { kind: 'too-short' }
  | { kind: 'found'; users: readonly User[] }
  | { kind: 'failed'; problem: Problem };

export interface People {
  query: Accessor<string>;
  setQuery: (query: string) => void;
  search: Accessor<PeopleSearch>;
  /** A person's profile; null while it is asked for. */
  createProfile: (handle: Accessor<string>) => Accessor<Profile | null>;
  /** Somebody that was found or looked at here. */
  known: (userId: Uuid) => User | undefined;
}

export type Profile = { user: User } | { problem: Problem };

/** The server finds prefixes of this length and more. */
const MIN_QUERY = 3;
const PAUSE_MS = 200;

interface Options {
  api: Pick<Api, 'findPeople' | 'person'>;
  clock: Clock;
  /** People of this person's conversations. */
  others: () => readonly User[];
}

/** People by the beginning of handle or name, a moment after the last key; an answer to an older question is never shown. */
export function createPeople({ api, clock, others }: Options): People {
  const [query, setQuery] = createSignal('');
  const [search, setSearch] = createSignal<PeopleSearch>({ kind: 'none' });
  const known = new Map<Uuid, User>();

  async function ask(text: string, signal: AbortSignal): Promise<void> {
    const next = await api.findPeople(text, signal).then(
      (users): PeopleSearch => {
        for (const user of users) known.set(user.id, user);
        return { kind: 'found', users };
      },
      (error: unknown): PeopleSearch => ({ kind: 'failed', problem: asProblem(error) }),
    );
    if (!signal.aborted) setSearch(next);
  }

  createEffect(
    on(query, (text) => {
      const asked = text.trim().replace(/^@/, '');
      if (asked.length < MIN_QUERY) {
        setSearch({ kind: asked === '' ? 'none' : 'too-short' });
        return;
      }
      const abort = new AbortController();
      const cancel = clock.after(PAUSE_MS, () => void ask(asked, abort.signal));
      onCleanup(() => {
        cancel();
        abort.abort();
      });
    }),
  );

  function createProfile(handle: Accessor<string>): Accessor<Profile | null> {
    const [profile, setProfile] = createSignal<Profile | null>(null);
    createEffect(
      on(handle, (asked) => {
        let stale = false;
        onCleanup(() => (stale = true));
        // Who was found here can be looked at, and written to, without a network.
        const before = [...known.values(), ...others()].find((user) => user.handle === asked);
        setProfile(before ? { user: before } : null);
        api.person(asked).then(
          (user) => {
            known.set(user.id, user);
            if (!stale) setProfile({ user });
          },
          (error: unknown) => {
            const problem = asProblem(error);
            if (!stale && !before) setProfile({ problem });
          },
        );
      }),
    );
    return profile;
  }

  return { query, setQuery, search, createProfile, known: (userId) => known.get(userId) ?? others().find(({ id }) => id === userId) };
}
