import { type Browser, type BrowserContextOptions, chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { findChromium } from './chromium.ts';
import { type CuttingProxy, openCuttingProxy } from './cutting-proxy.ts';
import { type Person, openPerson, signUp } from './person.ts';
import { type TestServer, startServer } from './server.ts';

/** What the tests of one file play on. */
export interface Stage {
  readonly server: TestServer;
  readonly browser: Browser;
  /** Whoever sits behind it loses the network by it; the others do not. Each test has its own. */
  readonly proxy: CuttingProxy;
  /** Somebody on the first page. */
  come: (name: string, origin?: string, options?: BrowserContextOptions) => Promise<Person>;
  /** The same, with a new account. */
  arrive: (name: string, origin?: string, options?: BrowserContextOptions) => Promise<Person>;
  /** A page that a test has opened by itself. */
  join: (person: Person) => Person;
}

/** A server, a browser, and everybody who comes: after each test they are sent home, and nothing may have gone wrong in their pages. */
export function setStage(): Stage {
  let server: TestServer;
  let browser: Browser;
  let proxy: CuttingProxy;
  const here: Person[] = [];

  beforeAll(async () => {
    server = await startServer();
    browser = await chromium.launch(await findChromium());
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    proxy = await openCuttingProxy(server.origin);
  });
  afterEach(async () => {
    const people = here.splice(0);
    for (const context of new Set(people.map(({ page }) => page.context()))) await context.close();
    await proxy.close();
    for (const { name, faults } of people) expect(faults, `faults in the page of ${name}`).toEqual([]);
  });

  function join(person: Person): Person {
    here.push(person);
    return person;
  }
  const come: Stage['come'] = async (name, origin = server.origin, options = {}) => join(await openPerson(browser, origin, name, options));

  return {
    get server() {
      return server;
    },
    get browser() {
      return browser;
    },
    get proxy() {
      return proxy;
    },
    join,
    come,
    async arrive(name, origin, options) {
      const person = await come(name, origin, options);
      await signUp(person);
      return person;
    },
  };
}
