import { type Accessor, createEffect, createSignal, on, onCleanup } from 'solid-js';
import type { User } from '../../shared/api.ts';
import type { Clock } from '../../shared/clock.ts';
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
}

/** The server finds prefixes of this length and more. */
const MIN_QUERY = 3;
const PAUSE_MS = 200;

/** People by the beginning of handle or name, a moment after the last key; an answer to an older question is never shown. */
export function createPeople(api: Api, clock: Clock): People {
  const [query, setQuery] = createSignal('');
  const [search, setSearch] = createSignal<PeopleSearch>({ kind: 'none' });

  async function ask(text: string, signal: AbortSignal): Promise<void> {
    const next = await api.findPeople(text, signal).then(
      (users): PeopleSearch => ({ kind: 'found', users }),
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
  return { query, setQuery, search };
}

/** A person's profile; null while it is asked for. */
export function createProfile(api: Api, handle: Accessor<string>): Accessor<{ user: User } | { problem: Problem } | null> {
  const [profile, setProfile] = createSignal<{ user: User } | { problem: Problem } | null>(null);
  createEffect(
    on(handle, (asked) => {
      let stale = false;
      onCleanup(() => (stale = true));
      setProfile(null);
      api.person(asked).then(
        (user) => !stale && setProfile({ user }),
        (error: unknown) => !stale && setProfile({ problem: asProblem(error) }),
      );
    }),
  );
  return profile;
}
