import { createSignal } from 'solid-js';
import type { Outcome, Problem } from '../state/attempt.ts';

/** One thing at a time that a person asks for, and what went wrong with the last: beside the fields, or in words. */
export function createAttempt() {
  const [problem, setProblem] = createSignal<Problem | null>(null);
  const [isBusy, setBusy] = createSignal(false);

  return {
    isBusy,
    /** What stands at no field. */
    words: (): string => (problem()?.fields.size === 0 ? (problem()?.words ?? '') : ''),
    fieldError: (name: string): string | undefined => problem()?.fields.get(name),
    /** Null: it failed, or something else is still on its way. */
    async attempt<T>(act: () => Promise<Outcome<T>>): Promise<{ value: T } | null> {
      if (isBusy()) return null;
      setBusy(true);
      const came = await act();
      setBusy(false);
      setProblem(came.kind === 'failed' ? came.problem : null);
      return came.kind === 'done' ? came : null;
    },
  };
}
