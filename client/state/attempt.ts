import { ApiError } from '../sync/api.ts';

/** What went wrong with something a person asked for, in words, and per field of a form. */
export interface Problem {
  words: string;
  fields: ReadonlyMap<string, string>;
}

/** The problem in an error of the API; everything else is thrown on. */
export function asProblem(error: unknown): Problem {
  if (error instanceof ApiError) return { words: error.message, fields: error.fields };
  throw error;
}

/** What came of something a person asked for. */
export type Outcome<T> = { kind: 'done'; value: T } | { kind: 'failed'; problem: Problem };

export const failed = (words: string): Outcome<never> => ({ kind: 'failed', problem: { words, fields: new Map() } });

/** What came of a call; what is no error of the API is thrown on. */
export async function outcomeOf<T>(asked: Promise<T>): Promise<Outcome<T>> {
  try {
    return { kind: 'done', value: await asked };
  } catch (error) {
    return { kind: 'failed', problem: asProblem(error) };
  }
}
