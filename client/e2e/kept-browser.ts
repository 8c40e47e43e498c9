import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Page, chromium } from 'playwright-core';
import { findChromium } from './chromium.ts';

/** A browser whose profile is on disk: it can be killed, and started again as the same one. */
export interface KeptBrowser {
  /** Starts it, and opens one empty page. */
  start: () => Promise<Page>;
  /** Ends it as a person does. */
  close: () => Promise<void>;
  /** Ends all its processes at once; nothing is said to any page. */
  kill: () => Promise<void>;
  /** Kills it, and removes the profile. */
  remove: () => Promise<void>;
}

const ARGS = ['--headless=new', '--remote-debugging-port=0', '--lang=en-GB', '--hide-crash-restore-bubble', '--no-default-browser-check'];

export async function makeKeptBrowser(): Promise<KeptBrowser> {
  const profile = await mkdtemp(join(tmpdir(), 'homing-profile-'));
  const { executablePath, args } = await findChromium();
  let end: (how: 'close' | 'kill') => Promise<void> = async () => {};

  return {
    async start() {
      const all = [...args, ...ARGS, `--user-data-dir=${profile}`, 'about:blank'];
      // A group of its own: its children are to end with it.
      const child = spawn(executablePath, all, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
      const ended = once(child, 'exit');
      const { pid } = child;
      if (pid === undefined) throw new Error('The browser did not start.');
      const address = await new Promise<string>((resolve, reject) => {
        let output = '';
        child.stderr.on('data', (bytes: Buffer) => {
          output += bytes.toString();
          const found = /DevTools listening on (\S+)/.exec(output)?.[1];
          if (found) resolve(found);
        });
        ended.then(() => reject(new Error(`The browser ended at once: ${output}`)), reject);
      });
      const browser = await chromium.connectOverCDP(address);
      end = async (how) => {
        end = async () => {};
        if (how === 'kill') process.kill(-pid, 'SIGKILL');
        else await (await browser.newBrowserCDPSession()).send('Browser.close');
        await ended;
        await browser.close();
      };
      const [context] = browser.contexts();
      return context!.pages()[0] ?? context!.newPage();
    },
    close: () => end('close'),
    kill: () => end('kill'),
    async remove() {
      await end('kill');
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
