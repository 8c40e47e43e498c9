import { readFileSync, readdirSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The text of every TypeScript file of ours, by its path from the top. */
export const sources: ReadonlyMap<string, string> = new Map(
  ['shared', 'sync-server', 'client']
    .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
    .map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]),
);

const TEST_FOLDERS = ['e2e', 'testing', 'conformance', 'simulator', 'bench'];
const TEST_FILE = /(?:^test-.*|\.(?:test|contract|bench|child)|^contract-examples)\.tsx?$/;

/** Whether a file is there for tests only. */
export const isTest = (path: string): boolean =>
  TEST_FILE.test(posix.basename(path)) || path.split('/').some((folder) => TEST_FOLDERS.includes(folder));

export interface Import {
  /** A file of ours by its path, or a library as it is named. */
  target: string;
  library: boolean;
  /** Types alone, which nothing runs. */
  types: boolean;
}

const STATEMENT = /^(?:import|export)\b(?<types> type\b)?(?:[^;']*?\bfrom)? '(?<from>[^']+)'|\bimport\('(?<dynamic>[^']+)'\)/gm;

/** What a file imports, in whatever form: statements, re-exports, `import()`. */
export function importsOf(path: string): Import[] {
  return [...sources.get(path)!.matchAll(STATEMENT)].map(({ groups }) => {
    const name = groups!.from ?? groups!.dynamic!;
    const library = !name.startsWith('.');
    return { target: library ? name : posix.join(posix.dirname(path), name), library, types: groups!.types !== undefined };
  });
}
