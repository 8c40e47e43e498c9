import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { ensureBuilt, reportsEntry } from './build.mjs';
import { ensureInstalled } from './install.mjs';

/** `npm run reports`: what people asked the operator to look at. Works beside a running server, and without one; a build is taken as it is. */
await ensureInstalled();
if (!existsSync(reportsEntry) && !(await ensureBuilt())) process.exit(1);
await import(pathToFileURL(reportsEntry).href);
