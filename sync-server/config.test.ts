import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig } from './config.ts';

test('an empty environment is a whole config', () => {
  expect(readConfig({})).toEqual({
    config: {
      port: 3000,
      host: '0.0.0.0',
      dataDir: resolve('.data'),
      databaseUrl: null,
      registration: 'open',
      allowedOrigins: [],
      authPrivateKeyFile: null,
      logLevel: 'info',
      trustProxy: false,
    },
  });
});

test('every value is read, and empty ones count as not set', () => {
  const env = {
    PORT: '0',
    HOST: '127.0.0.1',
    DATA_DIR: '/srv/homing',
    DATABASE_URL: 'postgres://homing:secret@db/homing',
    REGISTRATION: 'closed',
    ALLOWED_ORIGINS: 'https://a.example, http://b.example:8080',
    AUTH_PRIVATE_KEY_FILE: '/etc/homing.pem',
    LOG_LEVEL: 'warn',
    TRUST_PROXY: '1',
  };
  expect(readConfig(env)).toEqual({
    config: {
      port: 0,
      host: '127.0.0.1',
      dataDir: '/srv/homing',
      databaseUrl: 'postgres://homing:secret@db/homing',
      registration: 'closed',
      allowedOrigins: ['https://a.example', 'http://b.example:8080'],
      authPrivateKeyFile: '/etc/homing.pem',
      logLevel: 'warn',
      trustProxy: true,
    },
  });
  expect(readConfig(Object.fromEntries(Object.keys(env).map((name) => [name, ' '])))).toEqual(readConfig({}));
});

test.each([
  ['PORT', '-1'],
  ['PORT', '65536'],
  ['PORT', '3000x'],
  ['REGISTRATION', 'Open'],
  ['LOG_LEVEL', 'loud'],
  ['TRUST_PROXY', 'yes'],
  ['ALLOWED_ORIGINS', 'chat.example.org'],
  ['ALLOWED_ORIGINS', 'https://chat.example.org/'],
  ['ALLOWED_ORIGINS', 'https://Chat.example.org'],
  ['ALLOWED_ORIGINS', '*'],
])('%s=%s is named as wrong', (name, value) => {
  expect(readConfig({ [name]: value })).toEqual({ wrong: [expect.stringContaining(`${name} is "${value}"`)] });
});

test('everything that is wrong is told at once, and no password with it', () => {
  const answer = readConfig({ PORT: 'x', REGISTRATION: 'x', DATABASE_URL: 'mysql://u:secret@h/d' });
  expect(answer).toEqual({
    wrong: [expect.stringContaining('PORT'), expect.stringContaining('DATABASE_URL'), expect.stringContaining('REGISTRATION')],
  });
  expect(JSON.stringify(answer)).not.toContain('secret');
});
