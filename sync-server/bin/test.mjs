import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureBuilt } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { root, runNode } from './run.mjs';

/** `npm test`: everything that must hold, from a fresh clone. All of it runs even after a failure, and the exit code is 1 if any failed. */
const CHECKS = {
  format: ['node_modules/oxfmt/bin/oxfmt', '--check', '.'],
  types: ['node_modules/typescript/bin/tsc'],
  lint: ['node_modules/oxlint/bin/oxlint', '--type-aware'],
};
const FIND_CHROMIUM = `import { findChromium } from './client/e2e/chromium.ts'; console.log((await findChromium()).executablePath);`;
const PROJECTS = ['unit', 'pg', 'process', 'web'];
/** Tests start what they need, and must never reach a developer's own database. */
const ENV = { DATABASE_URL: undefined, DATA_DIR: undefined, PORT: undefined, NODE_ENV: undefined };

const failures = [];
const total = { passed: 0, failed: 0, skipped: 0 };

await ensureInstalled();
for (const [name, args] of Object.entries(CHECKS)) await check(name, () => runNode(args, ENV));
const isBuilt = await check('build', async () => ((await ensureBuilt()) ? 0 : 1));
if (isBuilt) {
  await check('chromium', () => runNode(['--import', 'tsx', '--input-type=module', '--eval', FIND_CHROMIUM], ENV));
  await rm(join(root, '.tmp', 'tests'), { recursive: true, force: true });
  await mkdir(join(root, '.tmp', 'tests'), { recursive: true });
  for (const project of PROJECTS) await check(`tests: ${project}`, () => test(project));
}
console.log(failures.length > 0 ? `\nFailed: ${failures.join(', ')}` : '\nAll is well.');
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = failures.length > 0 ? 1 : 0;

async function check(name, run) {
  console.log(`\n== ${name}`);
  const isWell = (await run()) === 0;
  if (!isWell) failures.push(name);
  return isWell;
}

/** A run that fails without a failed test (a file that does not load, no file at all) counts as one. */
async function test(project) {
  const report = join('.tmp', 'tests', `${project}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const code = await runNode(['node_modules/vitest/vitest.mjs', 'run', '--project', project, ...reporters], ENV);
  const counts = JSON.parse(await readFile(join(root, report), 'utf8').catch(() => '{}'));
  total.passed += counts.numPassedTests ?? 0;
  total.failed += counts.numFailedTests || (code === 0 ? 0 : 1);
  total.skipped += (counts.numPendingTests ?? 0) + (counts.numTodoTests ?? 0);
  return code;
}
