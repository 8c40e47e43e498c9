import { pathToFileURL } from 'node:url';
import { ensureBuilt, serverEntry } from './build.mjs';
import { ensureInstalled } from './install.mjs';

/** `npm start`: from a fresh clone to a running server, which then is this very process. */
await ensureInstalled();
if (!(await ensureBuilt())) process.exit(1);
process.env.NODE_ENV ??= 'production';
await import(pathToFileURL(serverEntry).href);
