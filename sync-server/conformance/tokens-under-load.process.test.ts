import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { CLOSE } from '../../shared/close-codes.ts';
import { type Writer, openDevice } from './device.ts';
import { NOTHING_FOUND, makeLedger } from './ledger.ts';
import { type Person, register } from './person.ts';
import { openReplica } from './replica.ts';
import { type Server, startServer } from './server-process.ts';
import { signToken } from './sign-token.ts';

/** Tokens of two seconds, and a new signing key, while everybody writes. */
const LIFE_S = 2;
const RENEW_MS = 200;
const PER_SECOND = 100;
const TICK_MS = 20;
const PATIENCE = { timeout: 60_000, interval: 20 };
const until = (check: () => void | Promise<void>): Promise<void> => vi.waitFor(check, PATIENCE);
// In Node each provider listens for the end of the process.
process.setMaxListeners(0);

const makePem = (): string => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

let folder: string;
let keyFile: string;
let server: Server;
const stops: (() => void)[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homing-key-'));
  keyFile = join(folder, 'key.pem');
});
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

function every(ms: number, task: () => void): void {
  const timer = setInterval(task, ms);
  stops.push(() => clearInterval(timer));
}

/** Somebody whose devices, called by names of their own, always have a token, of a short life: it is renewed in good time. */
async function withShortTokens(person: Person, pem: () => string): Promise<{ device: (name: string) => Person; dials: () => number }> {
  const next = (): Promise<string> => signToken(pem(), person, { expiresInS: LIFE_S });
  let token = await next();
  let dials = 0;
  every(RENEW_MS, () => void next().then((renewed) => (token = renewed)));
  const get = (): string => {
    dials++;
    return token;
  };
  return {
    device: (name) => Object.defineProperty({ ...person, handle: `${person.handle}'s ${name}` }, 'token', { get }),
    dials: () => dials,
  };
}

test('[F18] [S4] [S5] tokens run out and the signing key is changed under load: nobody is told, nothing is lost; who signs out is out within a second', async () => {
  const [older, newer] = [makePem(), makePem()];
  let signing = older;
  await writeFile(keyFile, older);
  server = await startServer({ AUTH_PRIVATE_KEY_FILE: keyFile });
  const [ada, grace] = await Promise.all([register(server.origin, 'ada'), register(server.origin, 'grace')]);
  const { id } = await ada.converse(grace);
  const short = [await withShortTokens(ada, () => signing), await withShortTokens(grace, () => signing)];
  const ledger = makeLedger();
  const writers: Writer[] = short.flatMap(({ device }) => [
    openDevice(server, device('device'), id, ledger),
    openDevice(server, device('stock client'), id, ledger, { acks: false }),
  ]);
  stops.push(() => writers.forEach((writer) => writer.close()));
  let count = 0;
  let isWriting = true;
  every(TICK_MS, () => {
    for (let i = 0; isWriting && i < (PER_SECOND * TICK_MS) / 1000; i++) writers[count++ % writers.length]!.write(`message ${count}`);
  });
  const refused = (): string[] => writers.flatMap((writer) => writer.refused());
  const dialAgain = async (times: number): Promise<void> => {
    const before = short.map(({ dials }) => dials());
    await until(() => expect(short.every(({ dials }, i) => dials() >= before[i]! + times || refused().length > 0)).toBe(true));
    expect(refused()).toEqual([]);
  };

  // Each has a root and a segment open on two devices: four dials are one life of a token.
  await dialAgain(3 * 4);
  await writeFile(keyFile, `${newer}\n${older}`);
  await until(async () => {
    const probe = await signToken(newer, grace, { expiresInS: 60 });
    expect((await fetch(`${server.origin}/api/me`, { headers: { authorization: `Bearer ${probe}` } })).status).toBe(200);
  });
  signing = newer;
  await dialAgain(2 * 4);

  const lasting = openReplica(server, ada, `${id}/1`);
  stops.push(() => lasting.close());
  await until(() => expect(lasting.provider.synced).toBe(true));
  const at = Date.now();
  expect((await ada.logOut()).status).toBe(204);
  await until(() => expect(lasting.closes).toEqual([{ code: CLOSE.unauthorized.code, reason: CLOSE.unauthorized.means }]));
  expect(Date.now() - at).toBeLessThan(1_000);
  await until(() => expect(writers.slice(0, 2).every((writer) => writer.refused().length > 0)).toBe(true));
  for (const line of refused()) expect(line).toMatch(/^ada's .*: 4401 /);

  // The other goes on, and what was shown as sent is there.
  const graces = writers.slice(2);
  const sent = graces.map((writer) => writer.state().sent);
  await until(() => graces.forEach((writer, i) => expect(writer.state().sent).toBeGreaterThan(sent[i]! + 50)));
  isWriting = false;
  await until(() => expect(graces.every((writer) => writer.state().waiting === 0)).toBe(true));
  const found = ledger.audit(id, await grace.history(id));
  expect({ ...found, missing: found.missing.filter((line) => !line.startsWith('ada') || line.includes('shown as sent')) }).toEqual(
    NOTHING_FOUND,
  );
});
