import { pathToFileURL } from 'node:url';
import { ensureBuilt, userEntry } from './build.mjs';
import { ensureInstalled } from './install.mjs';

/** `npm run user`: links for people's accounts, from whoever runs the server. Works beside a running server, and without one. */
await ensureInstalled();
if (!(await ensureBuilt())) process.exit(1);
await import(pathToFileURL(userEntry).href);
