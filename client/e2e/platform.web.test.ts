import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, SignJWT, exportJWK, generateKeyPair } from 'jose';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findChromium } from './chromium.ts';
import { item, marked, meet, send, tabTo } from './person.ts';
import { type TestServer, startServer } from './server.ts';

/** A shop with profiles, on another site than Homing: `localhost` here, `127.0.0.1` there. */
let shop: Server;
let shopOrigin: string;
let key: CryptoKey;
let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  const pair = await generateKeyPair('ES256', { extractable: true });
  key = pair.privateKey;
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'shop', alg: 'ES256' }] });
  shop = createServer((request, response) => {
    if (request.url === '/jwks') response.end(jwks);
    else void profile(request.url ?? '').then((page) => response.setHeader('Content-Type', 'text/html').end(page));
  }).listen(0);
  await once(shop, 'listening');
  const { port } = shop.address() as AddressInfo;
  shopOrigin = `http://localhost:${port}`;
  server = await startServer({
    AUTH_JWKS_URL: `${shopOrigin}/jwks`,
    AUTH_ISSUER: shopOrigin,
    AUTH_AUDIENCE: 'homing',
    ALLOWED_ORIGINS: shopOrigin,
    REGISTRATION: 'closed',
  });
  browser = await chromium.launch(await findChromium());
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
  shop?.close();
});

const sign = (name: string, typ: string): Promise<string> =>
  new SignJWT({ preferred_username: name, name: `${name} of the shop` })
    .setProtectedHeader({ alg: 'ES256', kid: 'shop', typ })
    .setIssuer(shopOrigin)
    .setAudience('homing')
    .setSubject(`shop-${name}`)
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(key);

/** `/seller?visitor` is the profile of the seller, as the visitor sees it. */
async function profile(path: string): Promise<string> {
  const [owner, visitor] = path.slice(1).split('?') as [string, string];
  return `<!doctype html><title>${owner}</title>
    <form method="post" action="${server.origin}/api/auth/enter">
      <input type="hidden" name="token" value="${await sign(visitor, 'at+jwt')}">
      <input type="hidden" name="person" value="${await sign(owner, 'person+jwt')}">
      <button>Send message</button>
    </form>`;
}

test('[S3] [S6] "Send message" on a profile of another site leads to that person here, signed in, and both talk', async () => {
  const addresses: string[] = [];
  const arrive = async (visitor: string, owner: string) => {
    const person = meet(await (await browser.newContext({ locale: 'en-GB' })).newPage(), `${visitor} of the shop`);
    person.page.on('request', (request) => addresses.push(request.url(), request.headers().referer ?? ''));
    person.page.on('websocket', (socket) => addresses.push(socket.url()));
    await person.page.goto(`${shopOrigin}/${owner}?${visitor}`);
    await tabTo(person, person.page.getByRole('button', { name: 'Send message' }));
    await person.page.keyboard.press('Enter');
    await person.page.getByRole('heading', { name: `${owner} of the shop` }).waitFor();
    expect(person.page.url()).toBe(`${server.origin}/people/${owner}`);
    await person.page.getByRole('button', { name: 'Send message' }).click();
    return person;
  };
  const visitor = await arrive('visitor', 'seller');
  await visitor.composer.waitFor();
  await send(visitor, 'Is it still there?');
  await marked(visitor, 'Is it still there?', 'Sent');
  // The seller's account is the one that was made by the visitor's click.
  const seller = await arrive('seller', 'visitor');
  await item(seller, 'Is it still there?').waitFor();
  await seller.page.getByRole('button', { name: 'Accept' }).click();
  await seller.composer.waitFor();
  await send(seller, 'It is.');
  await item(visitor, 'It is.').waitFor();
  // The session is our own: it stays when the page is loaded again.
  await visitor.page.reload();
  await item(visitor, 'It is.').waitFor();
  expect([...visitor.faults, ...seller.faults]).toEqual([]);
  expect(addresses.length).toBeGreaterThan(10);
  expect(addresses.filter((address) => /eyJ|token/i.test(address))).toEqual([]);
});
