import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { ensureBuilt, userEntry } from './build.mjs';
import { ensureInstalled } from './install.mjs';

/**
 * `npm run user`: links for people's accounts, from whoever runs the server. Works beside a running server, and without one. A build that is
 * there is taken as it is: a newer one would put its pages before the server that runs.
 */
await ensureInstalled();
if (!existsSync(userEntry) && !(await ensureBuilt())) process.exit(1);
await import(pathToFileURL(userEntry).href);
