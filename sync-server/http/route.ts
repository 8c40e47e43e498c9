import type { HttpBindings } from '@hono/node-server';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { z } from 'zod';
import type { Clock, RandomBytes } from '../../shared/clock.ts';
import { problem as problemSchema, uuid } from '../../shared/api.ts';
import type { Accounts, History, SignIns } from '../core/accounts.ts';
import type { ForeignAccounts } from '../core/identity.ts';
import type { Invites, Passkeys, PasswordStore } from '../core/ways-in.ts';
import type { Messaging } from '../core/messaging-port.ts';
import type { Logger } from '../core/ports.ts';
import type { Reports } from '../core/rights/reports.ts';
import type { Authenticate, Identity } from './identity/authenticate.ts';
import type { Devices } from './identity/devices.ts';
import type { Enrol } from './identity/enrol.ts';
import type { KeyRing } from './identity/key-ring.ts';
import type { Passwords } from './identity/passwords.ts';
import type { Platform } from './identity/platform.ts';
import type { Place } from './origin.ts';
import type { Limits } from './rate-limit.ts';

/** Who asks, once a route has let them in. */
export type Viewer = Extract<Identity, { kind: 'signed-in' }>;

/** What every route finds in its context. */
export interface Env {
  Bindings: Partial<HttpBindings>;
  Variables: { place: Place };
}
export interface SignedInEnv extends Env {
  Variables: Env['Variables'] & { viewer: Viewer };
}
export type App = OpenAPIHono<Env>;

/** What routes are made of. */
export interface RouteDeps {
  accounts: Accounts;
  signIns: SignIns;
  passwordStore: PasswordStore;
  passkeys: Passkeys;
  invites: Invites;
  history: History;
  reports: Reports;
  /** Whether the messages of deleted accounts go too. */
  deletedMessages: 'keep' | 'remove';
  messaging: Messaging;
  keys: KeyRing;
  /** Another platform whose people are at home here too; null: none (S6). */
  platform: Platform | null;
  enrol: Enrol;
  foreignAccounts: ForeignAccounts;
  devices: Devices;
  passwords: Passwords;
  limits: Limits;
  registration: 'open' | 'invite' | 'closed';
  clock: Pick<Clock, 'now' | 'elapsed'>;
  random: RandomBytes;
  logger: Logger;
  authenticate: Authenticate;
  /** Lets in who is signed in, else answers 401. */
  signedIn: MiddlewareHandler<SignedInEnv>;
}

const json = <Schema extends z.ZodType>(schema: Schema) => ({ 'application/json': { schema } });

/** A JSON body, as a route's description has it. */
export const jsonBody = <Schema extends z.ZodType>(schema: Schema) => ({ content: json(schema), required: true as const });
/** A JSON answer. */
export const jsonAnswer = <Schema extends z.ZodType>(description: string, schema: Schema) => ({ description, content: json(schema) });
/** What every route may answer besides. */
export const problems = {
  default: { description: 'A problem (RFC 9457).', content: { 'application/problem+json': { schema: problemSchema } } },
} as const;
/** Either way of signing in. */
export const security: Record<string, string[]>[] = [{ cookie: [] }, { bearer: [] }];

/** A time as the API tells it. */
export const iso = (at: number): string => new Date(at).toISOString();

const DIGITS = /^[0-9]{1,15}$/;
/** A whole number in a query. */
export const queryNumber = z.string().regex(DIGITS, 'must be a whole number').transform(Number);
/** How many of a page. */
export const queryLimit = (fallback: number, most: number) => queryNumber.pipe(z.number().min(1).max(most)).default(fallback);
export const conversationParams = z.object({ id: uuid });
