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
  /** Origins besides the own host that may act with cookies, as browsers write them. */
  allowedOrigins: readonly string[];
  /** PKCS #8 PEM of an Ed25519 key; null keeps the keys in the database. */
  authPrivateKeyFile: string | null;
  logLevel: LogLevel;
  /** Whether the nearest proxy's `X-Forwarded-…` headers are believed. */
  trustProxy: boolean;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
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

  function origins(): string[] {
    const given = (text('ALLOWED_ORIGINS') ?? '').split(/[\s,]+/).filter((origin) => origin !== '');
    const bad = given.filter((origin) => !URL.canParse(origin) || new URL(origin).origin !== origin);
    if (bad.length > 0) complain('ALLOWED_ORIGINS', 'origins like https://chat.example.org, separated by commas');
    return given;
  }

  const config: Config = {
    port: port(),
    host: text('HOST') ?? '0.0.0.0',
    dataDir: resolve(text('DATA_DIR') ?? '.data'),
    databaseUrl: databaseUrl(),
    registration: choice('REGISTRATION', REGISTRATIONS, 'open'),
    allowedOrigins: origins(),
    authPrivateKeyFile: text('AUTH_PRIVATE_KEY_FILE'),
    logLevel: choice('LOG_LEVEL', LOG_LEVELS, 'info'),
    trustProxy: choice('TRUST_PROXY', ['true', 'false', '1', '0'], 'false').match(/^(true|1)$/) !== null,
  };
  return wrong.length > 0 ? { wrong } : { config };
}
