import { type Accessor, createEffect, createSignal, on, onCleanup } from 'solid-js';

/** What is asked of the server or of the device while something is open. */
export interface Asked<T> {
  /** Undefined until the first answer. */
  latest: Accessor<T | undefined>;
  again: () => Promise<void>;
}

/**
 * Asks when it is made, and anew whenever `about` changes; `false`: nothing is to be asked yet. Only the answer to the last question counts.
 * Unlike a resource it holds up nothing: what is opened is there at once, also where no answer comes for long.
 */
export function createAsked<S, T>(about: Accessor<S | false>, ask: (about: S) => Promise<T>): Asked<T> {
  const [latest, setLatest] = createSignal<T>();
  let question = 0;
  async function put(now: S): Promise<void> {
    const mine = ++question;
    const answer = await ask(now);
    if (mine === question) setLatest(() => answer);
  }
  createEffect(on(about, (now) => void (now !== false && put(now))));
  onCleanup(() => (question += 1));
  return {
    latest,
    async again() {
      const now = about();
      if (now !== false) await put(now);
    },
  };
}
