import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { backupEntry, ensureBuilt } from './build.mjs';
import { ensureInstalled } from './install.mjs';

/** `npm run backup`: makes a backup beside a running server, and restores one. A build is taken as it is. */
await ensureInstalled();
if (!existsSync(backupEntry) && !(await ensureBuilt())) process.exit(1);
await import(pathToFileURL(backupEntry).href);
