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
