import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { Sync } from '../open-sync.ts';
import { CLOSE } from '../../../shared/close-codes.ts';
import { conversationAnswer } from '../../../shared/api.ts';
import { addMessage } from '../../../shared/segment.ts';
import { RESTORED_GAP } from '../../../sync-server/core/restore/reopen.ts';
import { findPostgres } from '../../../sync-server/postgres/launcher/launcher.ts';
import { openAppDevice } from '../test-app-device.ts';
import { newId } from '../../../sync-server/conformance/frames.ts';
import { type Person, logIn, register } from '../../../sync-server/conformance/person.ts';
import { type Replica, openReplica } from '../../../sync-server/conformance/replica.ts';
import { START, findFreePort, runProgram, startServer } from '../../../sync-server/conformance/server-process.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});
const soon = { timeout: 60_000, interval: 50 };

/** `npm run backup`, as an operator runs it. */
async function backup(dataDir: string, ...args: string[]): Promise<string> {
  const command = runProgram(['sync-server/bin/backup.mjs', ...args], { DATA_DIR: dataDir });
  expect([await command.ended, command.said.err]).toEqual([0, '']);
  return command.said.out;
}

async function openApp(origin: string, who: Person): Promise<Sync> {
  const device = await openAppDevice(origin, who);
  closers.push(device.close);
  return device;
}
const texts = (device: Sync, id: string): (string | null)[] =>
  device.conversations
    .open(id)
    .messages()
    .map(({ body }) => body);
const hasLeft = ({ outbox }: Sync): boolean => outbox.status() === 'kept' && outbox.entries().length === 0;
const stockTexts = (replica: Replica): (string | null)[] => replica.messages().map(({ body }) => body);

test('[F21] [L14] a backup made under load and restored: what the devices had sent since comes back once, everybody sees the same, and is told', async () => {
  const server = await startServer({ LOG_LEVEL: 'error' });
  closers.push(server.close);
  const people: Person[] = [];
  for (const handle of ['ada', 'grace', 'linus']) people.push(await register(server.origin, handle));
  const [ada, grace, linus] = people as [Person, Person, Person];
  const group = { title: 'All', memberIds: [grace.id, linus.id] };
  const { id } = conversationAnswer.parse((await ada.call('POST', '/api/messaging/conversations', group)).body).conversation;
  await grace.send(id, 'Grace is here');
  await linus.send(id, 'Linus is here');
  const [first, second] = [await openApp(server.origin, ada), await openApp(server.origin, grace)];
  const stock = openReplica(server, linus, `${id}/1`);
  closers.push(stock.close);
  await expect.poll(() => [texts(first, id).length, texts(second, id).length, stockTexts(stock).length], soon).toEqual([2, 2, 2]);

  let written = 0;
  const write = (): void => {
    const number = written++;
    (number % 2 ? first : second).conversations.open(id).send(`message ${number}`);
  };
  const load = setInterval(write, 20);
  closers.push(() => clearInterval(load));
  await expect.poll(() => stockTexts(stock).length, soon).toBeGreaterThan(20);
  const file = join(server.dataDir, 'backup');
  expect(await backup(server.dataDir, 'make', file)).toContain('holds everything');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const atBackup = written;
  await expect.poll(() => written, soon).toBeGreaterThan(atBackup + 20);
  clearInterval(load);
  stock.doc.transact(() => addMessage(stock.doc, linus.id, newId(), ['from a stock client', null, null]));
  const all = 3 + written;
  await expect.poll(() => [texts(first, id).length, texts(second, id).length], soon).toEqual([all, all]);
  await expect.poll(() => hasLeft(first) && hasLeft(second), soon).toBe(true);
  const before = texts(first, id);

  // The disk is lost, the devices go on writing.
  await server.process().signal('SIGTERM');
  first.conversations.open(id).send('written while it was away');
  for (const part of ['postgres', 'postgres.password', 'postgres.log'])
    await rm(join(server.dataDir, part), { recursive: true, force: true });
  expect(await backup(server.dataDir, 'restore', file)).toContain('everybody signs in again');
  await server.start();
  const url = await findPostgres(server.dataDir);
  const port = await findFreePort();
  const otherNode = runProgram(START, { DATABASE_URL: url!, PORT: String(port), HOST: '127.0.0.1', LOG_LEVEL: 'error' });
  closers.push(() => otherNode.signal('SIGTERM'));
  await otherNode.ready;

  expect((await ada.call('GET', '/api/me')).status).toBe(401);
  await expect.poll(() => [first.connection(), second.connection()], soon).toEqual(['ended', 'ended']);
  first.close();
  second.close();
  const [adaAgain, graceAgain, linusAgain] = [
    await logIn(server.origin, 'ada'),
    await logIn(server.origin, 'grace'),
    await logIn(server.origin, 'linus'),
  ];
  const [firstAgain, secondAgain] = [await openApp(server.origin, adaAgain), await openApp(`http://127.0.0.1:${port}`, graceAgain)];

  // A stock client with its old document is told so, and nothing of it is mixed in; with a new one it goes on.
  const old = openReplica(server, linusAgain, `${id}/1`, { doc: stock.doc });
  closers.push(old.close);
  await expect.poll(() => old.closes.at(-1), soon).toEqual({ code: CLOSE.refused.code, reason: 'restored' });
  expect(stockTexts(old)).toContain('from a stock client');

  const expected = [...before.filter((text) => text !== 'from a stock client'), 'written while it was away'].toSorted((a, b) =>
    a! < b! ? -1 : 1,
  );
  const history = async () => (await linusAgain.history(id)).map(({ content }) => content);
  await expect.poll(async () => (await history()).toSorted((a, b) => (a! < b! ? -1 : 1)), soon).toEqual(expected);
  const now = await history();
  const bodies = (device: Sync) => expect.poll(() => texts(device, id), soon).toEqual(now);
  await bodies(firstAgain);
  await bodies(secondAgain);
  await expect.poll(() => hasLeft(firstAgain) && hasLeft(secondAgain), soon).toBe(true);
  const numbersOf = (rest: number) =>
    now.flatMap((text) => (text!.startsWith('message') && Number(text!.slice(8)) % 2 === rest ? Number(text!.slice(8)) : []));
  for (const rest of [0, 1]) expect(numbersOf(rest)).toEqual(numbersOf(rest).toSorted((a, b) => a - b));
  const seqs = (await linusAgain.history(id)).map(({ seq }) => seq);
  expect(
    firstAgain.conversations
      .open(id)
      .messages()
      .map(({ seq }) => seq),
  ).toEqual(seqs);
  expect(seqs.at(-1)).toBeGreaterThan(RESTORED_GAP);
  for (const device of [firstAgain, secondAgain]) expect(device.restored.notice()?.backTo).toBeLessThan(Date.now());

  const fresh = openReplica(server, linusAgain, `${id}/2`);
  closers.push(fresh.close);
  await expect.poll(() => fresh.provider.synced, soon).toBe(true);
  fresh.doc.transact(() => addMessage(fresh.doc, linus.id, newId(), ['and on', null, null]));
  await expect.poll(() => [texts(firstAgain, id).at(-1), texts(secondAgain, id).at(-1)], soon).toEqual(['and on', 'and on']);
});

test('[F21] npm run backup says what it is for, and why it cannot', async () => {
  const { dataDir, close } = await startServer();
  closers.push(close);
  const fails = async (...args: string[]) => {
    const command = runProgram(['sync-server/bin/backup.mjs', ...args], { DATA_DIR: dataDir });
    return [await command.ended, command.said.err];
  };
  expect(await fails('nonsense')).toEqual([1, expect.stringContaining('npm run backup -- make <file>')]);
  expect(await fails('make', join(dataDir, 'no folder', 'file'))).toEqual([1, expect.stringContaining('ENOENT')]);
  const file = join(dataDir, 'backup');
  await backup(dataDir, 'make', file);
  expect(await backup(dataDir, 'restored')).toContain('everybody signs in again');
});
