import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { z } from 'zod';
import { CommitUnknown, LogUnavailable } from '../core/ports.ts';
import { PROBLEMS, type Problem, type ProblemCode } from '../../shared/api.ts';
import { KeysUnavailable } from './identity/remote-keys.ts';

const TITLES: Record<ProblemCode, string> = {
  'bad-request': 'The request is not of the right shape.',
  unauthorized: 'Sign in.',
  expired: 'The session has expired: refresh it.',
  forbidden: 'This is not allowed.',
  origin: 'This origin may not do that.',
  'wrong-password': 'This is not your password.',
  'registration-closed': 'Nobody can register here.',
  'not-found': 'There is no such thing.',
  'method-not-allowed': 'This cannot be done here.',
  'handle-taken': 'This handle is taken.',
  'group-full': 'This group is full.',
  'id-used': 'This id is used.',
  'too-many': 'There are as many as there may be.',
  'link-ended': 'This link has been used, or has run out.',
  'too-large': 'The request is too large.',
  'unsupported-media-type': 'The body must be application/json.',
  'bad-image': 'This is no picture that can be used.',
  'bad-passkey': 'This passkey cannot be used.',
  'not-delivered': 'The message was not delivered.',
  refused: 'An update was refused.',
  'upgrade-required': 'This version of the app is too old.',
  'too-many-requests': 'Too many requests.',
  internal: 'Something went wrong here.',
  unavailable: 'Not available now, try again later.',
};

export interface ProblemDetails {
  detail?: string;
  closeCode?: number;
  reason?: string;
  errors?: { path: string; message: string }[];
  headers?: Record<string, string | string[]>;
}

/** Thrown by routes; the app's edge turns it into an answer (H1). */
export class ProblemError extends Error {
  readonly code: ProblemCode;
  readonly details: ProblemDetails;

  constructor(code: ProblemCode, details: ProblemDetails = {}) {
    super(code);
    this.code = code;
    this.details = details;
  }
}

/** A refusal to throw: its code, and words for the person. */
export const problem = (code: ProblemCode, detail?: string, more: ProblemDetails = {}): ProblemError =>
  new ProblemError(code, detail === undefined ? more : { ...more, detail });

/** A refusal whose words stand at a field of a form. */
export const wrongField = (code: ProblemCode, path: string): ProblemError =>
  problem(code, undefined, { errors: [{ path, message: TITLES[code] }] });

/** What is wrong, field by field; of a choice of shapes, what is wrong with the one that is nearest. */
function flatten(issues: readonly z.core.$ZodIssue[], above: readonly PropertyKey[] = []): { path: string; message: string }[] {
  return issues.flatMap((issue) => {
    const path = [...above, ...issue.path];
    const nearest = issue.code === 'invalid_union' ? issue.errors.toSorted((a, b) => a.length - b.length)[0] : undefined;
    return nearest ? flatten(nearest, path) : [{ path: path.map(String).join('.'), message: issue.message }];
  });
}

/** Which fields are wrong, by path. */
export const invalid = (error: z.core.$ZodError): ProblemError => problem('bad-request', undefined, { errors: flatten(error.issues) });

/** The answer to a refusal, as RFC 9457 has it. */
export function answerProblem(c: Context, { code, details }: ProblemError): Response {
  const status = PROBLEMS[code];
  const { headers = {}, ...words } = details;
  for (const [name, value] of Object.entries(headers)) for (const one of [value].flat()) c.header(name, one, { append: true });
  if (status === 401) c.header('WWW-Authenticate', 'Bearer');
  c.header('Content-Type', 'application/problem+json');
  const body: Problem = { type: `/problems/${code}`, title: TITLES[code], status, code, ...words };
  return c.body(JSON.stringify(body), status);
}

/** Asking again is safe: every call is idempotent, or was not committed. */
const UNAVAILABLE = problem('unavailable', undefined, { headers: { 'Retry-After': '1' } });

/** What the core and the libraries below throw, as a problem of ours; null for a fault of our own. */
export function asProblem(error: Error): ProblemError | null {
  if (error instanceof ProblemError) return error;
  if (error instanceof LogUnavailable || error instanceof CommitUnknown || error instanceof KeysUnavailable) return UNAVAILABLE;
  if (!(error instanceof HTTPException) || error.status >= 500) return null;
  if (error.status === 413) return problem('too-large');
  if (error.status === 415) return problem('unsupported-media-type');
  return problem('bad-request', error.message);
}
