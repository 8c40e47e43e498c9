import { resolve } from 'node:path';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything that the environment decides. */
export interface Config {
  port: number;
  host: string;
  /** Folder of the embedded database. */
  dataDir: string;
  /** A Postgres of the operator's own; null starts the embedded one. */
  databaseUrl: string | null;
  registration: 'open' | 'invite' | 'closed';
  /** Whether the messages of deleted accounts stay, under "Deleted account", or go. */
  deletedMessages: 'keep' | 'remove';
  /** Origins besides the own host that may act with cookies, as browsers write them. */
  allowedOrigins: readonly string[];
  /** Where the keys of access tokens come from, Ed25519 as PKCS #8 PEM; null keeps them in the database (S5). */
  signingKey: { from: 'file'; path: string } | { from: 'environment'; pem: string } | null;
  /** Another platform whose people are at home here too; null: none (S6). */
  platform: PlatformConfig | null;
  logLevel: LogLevel;
  /** Who shows this as a Bearer token may read `/metrics`; null: nobody may. */
  metricsToken: string | null;
  /** Whether the nearest proxy's `X-Forwarded-…` headers are believed. */
  trustProxy: boolean;
}

/** Whose tokens are good here, and what they tell. */
export interface PlatformConfig {
  /** Where the platform publishes its keys. */
  jwksUrl: string;
  issuer: string;
  audience: string;
  /** Claims that hold somebody's handle and name. */
  handleClaim: string;
  nameClaim: string;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
/** The issuer of our own access tokens. */
export const OWN_ISSUER = 'homing';
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;
const REGISTRATIONS = ['open', 'invite', 'closed'] as const;

/** Reads the environment whole: a config, or one sentence for each thing that is wrong. Empty values count as not set. */
export function readConfig(env: Environment): { config: Config } | { wrong: string[] } {
  const wrong: string[] = [];
  const complain = (name: string, should: string): void => void wrong.push(`${name} is "${env[name]}", but should be ${should}.`);
  const text = (name: string): string | null => env[name]?.trim() || null;

  function choice<Value extends string>(name: string, values: readonly Value[], fallback: Value): Value {
    const given = text(name) ?? fallback;
    const found = values.find((value) => value === given);
    if (found === undefined) complain(name, `one of ${values.join(', ')}`);
    return found ?? fallback;
  }

  function port(): number {
    const given = text('PORT') ?? '3000';
    const value = Number(given);
    if (!/^[0-9]{1,5}$/.test(given) || value > 65_535) complain('PORT', 'a number from 0 to 65535');
    return value;
  }

  function databaseUrl(): string | null {
    const given = text('DATABASE_URL');
    // The value may hold a password: it is not repeated.
    if (given !== null && !/^postgres(ql)?:\/\//.test(given)) wrong.push('DATABASE_URL should start with postgres:// or postgresql://.');
    return given;
  }

  function metricsToken(): string | null {
    const given = text('METRICS_TOKEN');
    // It is a secret: it is not repeated.
    if (given !== null && !/^\S{16,}$/.test(given)) wrong.push('METRICS_TOKEN should be at least 16 characters without spaces.');
    return given;
  }

  function origins(): string[] {
    const given = (text('ALLOWED_ORIGINS') ?? '').split(/[\s,]+/).filter((origin) => origin !== '');
    const bad = given.filter((origin) => !URL.canParse(origin) || new URL(origin).origin !== origin);
    if (bad.length > 0) complain('ALLOWED_ORIGINS', 'origins like https://chat.example.org, separated by commas');
    return given;
  }

  function signingKey(): Config['signingKey'] {
    const [path, pem] = [text('AUTH_PRIVATE_KEY_FILE'), text('AUTH_PRIVATE_KEY')];
    // No key is repeated.
    if (path !== null && pem !== null) wrong.push('AUTH_PRIVATE_KEY and AUTH_PRIVATE_KEY_FILE are both set; one of them is enough.');
    if (path !== null) return { from: 'file', path };
    return pem === null ? null : { from: 'environment', pem };
  }

  function platform(): PlatformConfig | null {
    const [jwksUrl, issuer, audience] = [text('AUTH_JWKS_URL'), text('AUTH_ISSUER'), text('AUTH_AUDIENCE')];
    if (jwksUrl === null && issuer === null && audience === null) return null;
    if (jwksUrl === null || issuer === null || audience === null) {
      wrong.push('AUTH_JWKS_URL, AUTH_ISSUER and AUTH_AUDIENCE belong together: set all of them, or none.');
      return null;
    }
    const url = URL.canParse(jwksUrl) ? new URL(jwksUrl) : null;
    const isPrivate = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.test(url.hostname));
    if (!isPrivate) complain('AUTH_JWKS_URL', 'an https:// address (http:// only on this machine)');
    if (issuer === OWN_ISSUER) complain('AUTH_ISSUER', 'the issuer of another platform');
    const [handleClaim, nameClaim] = [text('AUTH_HANDLE_CLAIM') ?? 'preferred_username', text('AUTH_NAME_CLAIM') ?? 'name'];
    return { jwksUrl, issuer, audience, handleClaim, nameClaim };
  }

  const config: Config = {
    port: port(),
    host: text('HOST') ?? '0.0.0.0',
    dataDir: resolve(text('DATA_DIR') ?? '.data'),
    databaseUrl: databaseUrl(),
    registration: choice('REGISTRATION', REGISTRATIONS, 'open'),
    deletedMessages: choice('DELETED_MESSAGES', ['keep', 'remove'], 'keep'),
    allowedOrigins: origins(),
    signingKey: signingKey(),
    platform: platform(),
    metricsToken: metricsToken(),
    logLevel: choice('LOG_LEVEL', LOG_LEVELS, 'info'),
    trustProxy: choice('TRUST_PROXY', ['true', 'false', '1', '0'], 'false').match(/^(true|1)$/) !== null,
  };
  return wrong.length > 0 ? { wrong } : { config };
}
