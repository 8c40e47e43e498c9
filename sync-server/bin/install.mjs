import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { root, runNode } from './run.mjs';

/** Installs exactly what the lock file says, unless that is what is there. Ends the process when it cannot. */
export async function ensureInstalled() {
  if (await isInstalled()) return;
  console.log('Installing packages with npm ci.');
  // Whatever NODE_ENV says: the build needs the development packages, the default database an optional one.
  const code = await runNode([findNpm(), 'ci', '--no-audit', '--no-fund', '--include=dev', '--include=optional']);
  if (code !== 0) {
    console.error(`npm ci failed (exit code ${code}).`);
    process.exit(code);
  }
}

/** npm writes down what it installed as its last act, in the shape of the lock file. */
async function isInstalled() {
  const wanted = await readPackages('package-lock.json');
  const present = await readPackages(join('node_modules', '.package-lock.json'));
  const isSame = (path) => present[path]?.version === wanted[path].version && present[path]?.integrity === wanted[path].integrity;
  const isAbsentRightly = (path) => !(path in present) && wanted[path].optional && !isForThisMachine(wanted[path]);
  return (
    Object.keys(wanted).every((path) => path === '' || isSame(path) || isAbsentRightly(path)) &&
    Object.keys(present).every((path) => path in wanted && existsSync(join(root, path)))
  );
}

async function readPackages(path) {
  try {
    return JSON.parse(await readFile(join(root, path), 'utf8')).packages ?? {};
  } catch {
    return {};
  }
}

/**
 * A folder copied from another platform is not an installed one: it lacks what is for this machine alone. An optional package for every
 * platform tells nothing, it may be needed only by one that is left out here.
 */
function isForThisMachine({ os, cpu, libc }) {
  return os !== undefined && fits(os, process.platform) && fits(cpu, process.arch) && (libc === undefined || fits(libc, ownLibc()));
}

function fits(list, value) {
  if (list === undefined) return true;
  const refused = list.filter((entry) => entry.startsWith('!'));
  return refused.length > 0 ? !refused.includes(`!${value}`) : list.includes(value);
}

function ownLibc() {
  if (process.platform !== 'linux') return '';
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl';
}

/** The npm that started us, else the one beside this Node. */
function findNpm() {
  const node = dirname(process.execPath);
  const candidates = [
    process.env.npm_execpath,
    join(node, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(node, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    '/usr/share/nodejs/npm/bin/npm-cli.js',
  ];
  const found = candidates.find((path) => path && basename(path) === 'npm-cli.js' && existsSync(path));
  if (!found) throw new Error('npm was not found: run `npm ci`, then start again.');
  return found;
}
