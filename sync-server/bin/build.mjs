import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root, runNode } from './run.mjs';

/** The built server and the built commands for accounts, reports and backups: importing one runs it. */
export const serverEntry = join(root, 'dist', 'server', 'main.mjs');
export const userEntry = join(root, 'dist', 'server', 'user.mjs');
export const reportsEntry = join(root, 'dist', 'server', 'reports.mjs');
export const backupEntry = join(root, 'dist', 'server', 'backup.mjs');

const stampFile = join(root, 'dist', '.built-from');
const SOURCES = ['client', 'shared', 'sync-server', 'package-lock.json', 'package.json', 'tsconfig.json', 'vite.config.ts'];
const NOT_BUILT = /\.test\.tsx?$|^client\/e2e\/|^sync-server\/bin\//;

/** Builds client and server, unless the last build was made from the same sources. Resolves to whether there is a build now. */
export async function ensureBuilt() {
  const stamp = await hashSources();
  const outputs = [serverEntry, userEntry, reportsEntry, backupEntry, join(root, 'dist', 'client', 'index.html')];
  if (outputs.every(existsSync) && (await readFile(stampFile, 'utf8').catch(() => '')) === stamp) return true;
  console.log('Building client and server.');
  await rm(stampFile, { force: true });
  for (const args of [[], ['--ssr']]) {
    const code = await runNode(['node_modules/vite/bin/vite.js', 'build', ...args, '--logLevel', 'warn'], { NODE_ENV: 'production' });
    if (code !== 0) return false;
  }
  await mkdir(join(root, 'dist'), { recursive: true });
  await writeFile(stampFile, stamp);
  return true;
}

async function hashSources() {
  const hash = createHash('sha256');
  for (const path of await listFiles(SOURCES))
    hash
      .update(`${path}\0`)
      .update(await readFile(join(root, path)))
      .update('\0');
  return hash.digest('hex');
}

/**
 * @param {string[]} paths
 * @returns {Promise<string[]>}
 */
async function listFiles(paths) {
  const files = [];
  for (const path of paths) {
    const entries = await readdir(join(root, path), { withFileTypes: true }).catch(() => null);
    if (entries) files.push(...(await listFiles(entries.map((entry) => `${path}/${entry.name}`))));
    else if (!NOT_BUILT.test(path)) files.push(path);
  }
  return files.sort();
}
