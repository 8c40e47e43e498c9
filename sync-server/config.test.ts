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
      deletedMessages: 'keep',
      allowedOrigins: [],
      signingKey: null,
      platform: null,
      metricsToken: null,
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
    DELETED_MESSAGES: 'remove',
    ALLOWED_ORIGINS: 'https://a.example, http://b.example:8080',
    AUTH_PRIVATE_KEY_FILE: '/etc/homing.pem',
    AUTH_JWKS_URL: 'https://id.example/jwks',
    AUTH_ISSUER: 'https://id.example',
    AUTH_AUDIENCE: 'homing-chat',
    AUTH_HANDLE_CLAIM: 'nickname',
    AUTH_NAME_CLAIM: 'full_name',
    METRICS_TOKEN: '0123456789abcdef',
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
      deletedMessages: 'remove',
      allowedOrigins: ['https://a.example', 'http://b.example:8080'],
      signingKey: { from: 'file', path: '/etc/homing.pem' },
      platform: {
        jwksUrl: 'https://id.example/jwks',
        issuer: 'https://id.example',
        audience: 'homing-chat',
        handleClaim: 'nickname',
        nameClaim: 'full_name',
      },
      metricsToken: '0123456789abcdef',
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
  ['DELETED_MESSAGES', 'hide'],
  ['LOG_LEVEL', 'loud'],
  ['TRUST_PROXY', 'yes'],
  ['ALLOWED_ORIGINS', 'chat.example.org'],
  ['ALLOWED_ORIGINS', 'https://chat.example.org/'],
  ['ALLOWED_ORIGINS', 'https://Chat.example.org'],
  ['ALLOWED_ORIGINS', '*'],
])('%s=%s is named as wrong', (name, value) => {
  expect(readConfig({ [name]: value })).toEqual({ wrong: [expect.stringContaining(`${name} is "${value}"`)] });
});

const platform = { AUTH_JWKS_URL: 'http://127.0.0.1:8080/jwks', AUTH_ISSUER: 'https://id.example', AUTH_AUDIENCE: 'chat' };

test('[S6] a platform is named whole, and its keys come over TLS but for this machine', () => {
  expect(readConfig(platform)).toMatchObject({
    config: { platform: { jwksUrl: platform.AUTH_JWKS_URL, handleClaim: 'preferred_username', nameClaim: 'name' } },
  });
  for (const name of Object.keys(platform))
    expect(readConfig({ ...platform, [name]: '' })).toEqual({ wrong: [expect.stringContaining('belong together')] });
  for (const url of ['http://id.example/jwks', 'ftp://id.example/jwks', 'id.example', 'http://127.0.0.1.example/jwks'])
    expect(readConfig({ ...platform, AUTH_JWKS_URL: url })).toEqual({ wrong: [expect.stringContaining('AUTH_JWKS_URL')] });
  expect(readConfig({ ...platform, AUTH_ISSUER: 'homing' })).toEqual({ wrong: [expect.stringContaining('AUTH_ISSUER')] });
});

test('[S5] a signing key comes from one place, and is not repeated', () => {
  expect(readConfig({ AUTH_PRIVATE_KEY: 'secret' })).toMatchObject({ config: { signingKey: { from: 'environment', pem: 'secret' } } });
  const both = readConfig({ AUTH_PRIVATE_KEY: 'secret', AUTH_PRIVATE_KEY_FILE: '/etc/homing.pem' });
  expect(both).toEqual({ wrong: [expect.stringContaining('AUTH_PRIVATE_KEY_FILE')] });
  expect(JSON.stringify(both)).not.toContain('secret');
});

test('everything that is wrong is told at once, and no password with it', () => {
  const answer = readConfig({ PORT: 'x', REGISTRATION: 'x', DATABASE_URL: 'mysql://u:secret@h/d' });
  expect(answer).toEqual({
    wrong: [expect.stringContaining('PORT'), expect.stringContaining('DATABASE_URL'), expect.stringContaining('REGISTRATION')],
  });
  expect(JSON.stringify(answer)).not.toContain('secret');
});

test.each(['short', 'sixteen and more but with spaces'])('the token for metrics is long, one word, and not repeated: %s', (token) => {
  const { wrong } = readConfig({ METRICS_TOKEN: token }) as { wrong: string[] };
  expect(wrong).toEqual([expect.stringContaining('METRICS_TOKEN should be')]);
  expect(wrong.join()).not.toContain(token);
});
