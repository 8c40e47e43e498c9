import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT, importsOf, isTest, sources } from './test-sources.ts';

const DOCUMENTS = ['yjs', 'y-protocols', 'lib0'];

/** Which way the arrows go: what a folder may import beside itself. A folder without a row is a decision not taken. */
const ROWS: Record<string, { ours: string[]; libraries: string[] }> = {
  shared: { ours: [], libraries: [...DOCUMENTS, 'zod'] },
  'sync-server/core': { ours: ['shared'], libraries: DOCUMENTS },
  'sync-server/memory': { ours: ['shared', 'sync-server/core'], libraries: [] },
  'sync-server/postgres': { ours: ['shared', 'sync-server/core'], libraries: ['postgres', 'node:'] },
  'sync-server/http': {
    ours: ['shared', 'sync-server/core'],
    libraries: [
      ...['hono', '@hono/node-server', '@hono/zod-openapi', 'zod', 'ws', 'prom-client', 'sharp', 'node:'],
      ...['jose', '@node-rs/argon2', '@simplewebauthn/server'],
    ],
  },
  'client/sync': { ours: ['shared'], libraries: [...DOCUMENTS, 'y-websocket', 'y-indexeddb', 'idb', 'zod'] },
  'client/state': { ours: ['shared', 'client/sync', 'client/search'], libraries: ['solid-js'] },
  'client/ui': { ours: ['shared', 'client/state'], libraries: ['solid-js', '@solidjs/router', '@kobalte/core', 'virtua'] },
  'client/search': { ours: ['shared'], libraries: ['minisearch'] },
  'client/platform': { ours: ['shared'], libraries: ['@simplewebauthn/browser', 'zod'] },
};
/** They put the parts together, so they may import all of them; nobody imports them. */
const COMPOSITION_ROOTS = [
  // The last of them runs while the client is built.
  ...['client/main.tsx', 'client/service-worker.ts', 'client/platform/service-worker-build.ts'],
  ...[
    'sync-server/main.ts',
    'sync-server/config.ts',
    'sync-server/database.ts',
    'sync-server/identity.ts',
    'sync-server/keys.ts',
    'sync-server/user.ts',
    'sync-server/reports.ts',
    'sync-server/backup.ts',
    'sync-server/restored.ts',
  ],
];

const product = [...sources.keys()].filter((path) => !isTest(path));
const folderOf = (path: string): string =>
  path
    .split('/')
    .slice(0, path.startsWith('shared/') ? 1 : 2)
    .join('/');
const isOf = (library: string) => (name: string) =>
  library === 'node:' ? name.startsWith(library) : name === library || name.startsWith(`${library}/`);
const thisFile = 'shared/architecture.test.ts';
const holding = (pattern: RegExp, paths: Iterable<string> = sources.keys()): string[] =>
  [...paths].filter((path) => path !== thisFile && pattern.test(sources.get(path)!));

describe('arrows', () => {
  test('every import statement is read', () => {
    for (const [path, text] of sources) {
      const statements = text.match(/^import\b/gm)?.length ?? 0;
      expect([path, importsOf(path).length >= statements]).toEqual([path, true]);
    }
    expect(product.flatMap(importsOf).length).toBeGreaterThan(product.length);
  });

  test('every folder has its row', () => {
    const folders = new Set(product.filter((path) => !COMPOSITION_ROOTS.includes(path)).map(folderOf));
    expect([...folders].filter((folder) => !(folder in ROWS))).toEqual([]);
  });

  test('go where the table says', () => {
    const wrong: string[] = [];
    for (const path of product) {
      const row = ROWS[folderOf(path)];
      if (!row || COMPOSITION_ROOTS.includes(path)) continue;
      const may = [folderOf(path), ...row.ours];
      for (const { target, library } of importsOf(path)) {
        const right = library ? row.libraries.some((each) => isOf(each)(target)) : may.includes(folderOf(target));
        if (!right) wrong.push(`${path} → ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('never go between client and server, but for tests of the client’s engine against the real core, and the world of both', () => {
    const crossing = [...sources.keys()].flatMap((path) => {
      if (isTest(path) && path.startsWith('client/sync/')) return [];
      if (path.startsWith('sync-server/core/simulator/')) return [];
      const other = path.startsWith('client/') ? 'sync-server/' : path.startsWith('sync-server/') ? 'client/' : null;
      return importsOf(path).filter(({ target }) => other !== null && target.startsWith(other));
    });
    expect(crossing).toEqual([]);
  });

  test('never go from what runs to what is there for tests', () => {
    const shipped = new Set(['client/main.tsx', 'sync-server/main.ts', 'sync-server/user.ts', 'sync-server/reports.ts']);
    for (const path of shipped) {
      for (const { target } of importsOf(path)) if (sources.has(target)) shipped.add(target);
    }
    expect(shipped.size).toBeGreaterThan(product.length / 2);
    expect([...shipped].filter(isTest)).toEqual([]);
  });

  test('the seeded world stands on the core, on memory and on the client’s engine alone', () => {
    const world = [...sources.keys()].filter((path) => path.startsWith('sync-server/core/simulator/'));
    const folders = new Set(world.flatMap((path) => importsOf(path).flatMap(({ target, library }) => (library ? [] : folderOf(target)))));
    expect([...folders].sort()).toEqual(['client/sync', 'shared', 'sync-server/core', 'sync-server/memory']);
  });

  test('screens take types and limits from shared, nothing that does something', () => {
    const wrong = product
      .filter((path) => folderOf(path) === 'client/ui')
      .flatMap((path) => importsOf(path).filter(({ target, types }) => !types && target.startsWith('shared/')))
      .filter(({ target }) => target !== 'shared/limits.ts');
    expect(wrong).toEqual([]);
  });

  test('never meet their own beginning', () => {
    const cycles: string[] = [];
    const done = new Set<string>();
    const walk = (path: string, way: readonly string[]): void => {
      if (way.includes(path)) cycles.push([...way.slice(way.indexOf(path)), path].join(' → '));
      else if (!done.has(path)) for (const { target } of importsOf(path)) if (sources.has(target)) walk(target, [...way, path]);
      done.add(path);
    };
    for (const path of sources.keys()) walk(path, []);
    expect(cycles).toEqual([]);
  });
});

describe('parts', () => {
  test('core has no clock, chance or process of its own', () => {
    const core = product.filter((path) => path.startsWith('sync-server/core/'));
    expect(
      holding(
        /\b(?:setTimeout|setInterval|setImmediate|queueMicrotask|Date\.now|Math\.random|performance\.now|new Date)\(|\bprocess\.env/,
        core,
      ),
    ).toEqual([]);
  });

  test('state knows no DOM', () => {
    const state = product.filter((path) => path.startsWith('client/state/'));
    expect(holding(/\b(?:window|navigator|localStorage|sessionStorage)\.|\bdocument\.(?:create|query|get|body|add|title)/, state)).toEqual(
      [],
    );
  });

  test('tokens are verified in one place', () => {
    expect(holding(/\bjwtVerify\(/, product)).toEqual(['sync-server/http/identity/verify-token.ts']);
    const other = [...sources.keys()].flatMap(importsOf).filter(({ target }) => isOf('hono/jwt')(target) || isOf('hono/jwk')(target));
    expect(other).toEqual([]);
  });

  test('text becomes neither markup nor SQL', () => {
    expect(holding(/innerHTML|outerHTML|insertAdjacentHTML|document\.write\b/)).toEqual([]);
    expect(holding(/\.unsafe\(/, product)).toEqual(['sync-server/postgres/migrate.ts']);
  });
});

describe('files', () => {
  test('no barrels, nothing without a subject', () => {
    const named = [...sources.keys()].filter((path) => /^(?:index|utils?|helpers?|common|misc)\.tsx?$/.test(posix.basename(path)));
    expect(named).toEqual([]);
  });

  test('the orchestrators stay small', () => {
    const orchestrators = product.filter((path) => ['room.ts', 'session.ts', 'replica.ts'].includes(posix.basename(path)));
    expect(orchestrators).toEqual(['client/sync/replica.ts', 'sync-server/core/room/room.ts', 'sync-server/core/session/session.ts']);
    for (const path of orchestrators) expect(sources.get(path)!.split('\n').length, path).toBeLessThan(250);
  });
});

describe('installed libraries', () => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, { version: string }> };
  const versionsOf = (name: string): string[] =>
    Object.entries(lock.packages).flatMap(([path, { version }]) => (path.endsWith(`node_modules/${name}`) ? version : []));
  const isBelow = (version: string, floor: string): boolean => version.localeCompare(floor, 'en', { numeric: true }) < 0;

  test.each([
    // Decoders of older ones read beyond their bytes.
    ['lib0', '0.2.119'],
    ['ws', '8.23.0'],
    ['hono', '4.12.4'],
  ])('%s is %s or newer, wherever it is', (name, floor) => {
    expect(versionsOf(name)).not.toEqual([]);
    expect(versionsOf(name).filter((version) => isBelow(version, floor))).toEqual([]);
  });

  test('yjs is there once, in the version whose inner parts accept reads', () => {
    expect(versionsOf('yjs')).toEqual(['13.6.33']);
  });
});
