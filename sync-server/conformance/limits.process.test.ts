import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { CLOSE } from '../../shared/close-codes.ts';
import { LIMITS } from '../../shared/limits.ts';
import { encodeStep1, encodeUpdate } from '../../shared/protocol.ts';
import { addMessage, editMessage } from '../../shared/segment.ts';
import { newId } from './frames.ts';
import { type Person, register } from './person.ts';
import { OPCODE, type RawTcp, dialTcp, residentBytes, upgradeHead, wsFrame } from './raw-tcp.ts';
import { openRaw } from './raw-socket.ts';
import { type Replica, openReplica } from './replica.ts';
import { type Server, startServer } from './server-process.ts';

/** What a hand-made client may do to a server's memory and time: Ada writes all the while, and nothing of it touches her. */
let server: Server;
let ada: Person;
let grace: Person;
let conversationId: string;
let segment: string;
let a: Replica;
const open: { close(): void }[] = [];
const MB = 1024 * 1024;
const PATIENCE = { timeout: 30_000, interval: 20 };
const until = (check: () => void): Promise<void> => vi.waitFor(check, PATIENCE);

beforeAll(async () => {
  server = await startServer({ TRUST_PROXY: 'true' });
  [ada, grace] = await Promise.all([register(server.origin, 'ada'), register(server.origin, 'grace')]);
  conversationId = (await ada.converse(grace)).id;
  segment = `${conversationId}/1`;
  a = openReplica(server, ada, segment);
  await until(() => expect(a.provider.synced).toBe(true));
});
afterAll(async () => {
  for (const one of open) one.close();
  a.close();
  await server.close();
});

async function dial(): Promise<RawTcp> {
  const raw = await dialTcp(server);
  open.push({ close: () => raw.socket.destroy() });
  return raw;
}
async function upgraded(headers: Record<string, string> = {}, path = segment): Promise<RawTcp> {
  const raw = await dial();
  raw.write(upgradeHead(path, headers));
  await until(() => expect(raw.heard()).toMatch(/^HTTP\/1\.1 \d{3}/));
  return raw;
}
const from = (address: string, person?: Person): Record<string, string> => ({
  'X-Forwarded-For': address,
  ...(person && { Authorization: `Bearer ${person.token}` }),
});

const binary = (bytes: Uint8Array, options = {}): Uint8Array => wsFrame(OPCODE.binary, bytes, options);
const question = encodeStep1(Uint8Array.of(0));

/** Ada's next message is committed and back; answers in how many milliseconds. */
async function adaWrites(): Promise<number> {
  const before = a.messages().length;
  const began = performance.now();
  addMessage(a.doc, ada.id, newId(), ['meanwhile', null, null]);
  await until(() => expect(a.messages().filter(({ seq }) => seq !== null).length).toBeGreaterThan(before));
  return performance.now() - began;
}

describe('below HTTP', () => {
  test('[W14] who says nothing, or a head bit by bit, is hung up on', async () => {
    const [silent, slow] = [await dial(), await dial()];
    slow.write('GET /api/health HTTP/1.1\r\n');
    const drip = setInterval(() => slow.write('X-Slow: loris\r\n'), 500);
    const body = await dial();
    body.write('POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{');
    await Promise.all([silent.ended, slow.ended]);
    clearInterval(drip);
    expect(slow.heard()).toContain('408');
    await adaWrites();
  });

  test('[W14] an upgrade to anything but a WebSocket is answered, and its connection ended', async () => {
    const raw = await dial();
    raw.write(
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n',
    );
    await raw.ended;
    expect(raw.heard()).toMatch(/^HTTP\/1\.1 501 /);
  });

  const cookie = 'x'.repeat(20_000);
  test.each<[string, Record<string, string>]>([
    ['3,000 headers (CVE-2024-37890)', Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`X${i}`, '']))],
    ['extensions named like what every object has (CVE-2017-20165)', { 'Sec-WebSocket-Extensions': 'constructor; __proto__; toString' }],
    ['16 kB of blanks in the sub-protocols (CVE-2021-32640)', { 'Sec-WebSocket-Protocol': `b${' '.repeat(14_000)}x` }],
    ['a huge header', { Cookie: cookie }],
    ['no key', { 'Sec-WebSocket-Key': '' }],
    ['another version', { 'Sec-WebSocket-Version': '99' }],
  ])('[W8] an upgrade with %s is answered or ended, and the server lives', async (_, headers) => {
    const raw = await dial();
    raw.write(upgradeHead(segment, headers));
    await until(() => expect(raw.heard().length > 0 || raw.socket.destroyed).toBe(true));
    expect((await fetch(`${server.origin}/api/health`)).status).toBe(200);
    raw.socket.destroy();
  });
});

describe('frames that are none', () => {
  const ping = wsFrame(OPCODE.ping, new Uint8Array());

  test.each<[string, () => Uint8Array]>([
    ['unmasked', () => binary(question, { masked: false })],
    ['with reserved bits', () => binary(question, { rsv: 0x40 })],
    ['of an unknown kind', () => wsFrame(5, question)],
    ['that declares 2^52 bytes', () => binary(new Uint8Array(10), { declared: 2 ** 52 })],
    ['that declares more than a megabyte', () => binary(new Uint8Array(10), { declared: 2 * MB })],
    ['that goes on with nothing', () => wsFrame(OPCODE.continuation, question)],
    [
      'in a thousand pieces',
      () =>
        Buffer.concat([
          binary(new Uint8Array(1), { fin: false }),
          ...Array(1_000).fill(wsFrame(OPCODE.continuation, new Uint8Array(1), { fin: false })),
        ]),
    ],
    [
      'in 100,000 empty pieces',
      () =>
        Buffer.concat([
          binary(new Uint8Array(), { fin: false }),
          ...Array(100_000).fill(wsFrame(OPCODE.continuation, new Uint8Array(), { fin: false })),
        ]),
    ],
    ['a ping of 126 bytes', () => wsFrame(OPCODE.ping, new Uint8Array(126))],
    ['a ping in pieces', () => wsFrame(OPCODE.ping, new Uint8Array(1), { fin: false })],
    ['text that is none', () => wsFrame(OPCODE.text, Uint8Array.of(0xff, 0xfe))],
    ['a close with one byte', () => wsFrame(OPCODE.close, Uint8Array.of(3))],
    ['a close with a code that is none', () => wsFrame(OPCODE.close, Uint8Array.of(3, 236))],
    ['noise', () => randomBytes(4_096)],
  ])('[W8] a frame %s ends its socket and nothing else', async (_, bytes) => {
    const raw = await upgraded(from('127.0.0.1', grace));
    expect(raw.heard()).toMatch(/^HTTP\/1\.1 101 /);
    raw.write(bytes());
    await raw.ended;
    expect(a.provider.wsconnected).toBe(true);
  });

  test('[W1] a message in a few pieces, with a ping between them, is one message', async () => {
    const raw = await upgraded(from('127.0.0.1', grace));
    const [first, second] = [question.slice(0, 1), question.slice(1)];
    await until(() => expect(raw.heard().split('\r\n\r\n')[1]).not.toBe(''));
    const before = raw.heard().length;
    raw.write(Buffer.concat([binary(first, { fin: false }), ping, wsFrame(OPCODE.continuation, second)]));
    await until(() => expect(raw.heard().slice(before)).toContain(String.fromCharCode(0, 1)));
    expect(raw.socket.destroyed).toBe(false);
  });

  test('[W7] [W8] 200,000 pings of a client that reads no pong cost little, and nobody waits', async () => {
    const before = residentBytes(server.process().pid);
    const raw = await upgraded(from('127.0.0.1', grace));
    raw.socket.pause();
    const flood = Buffer.concat(Array<Uint8Array>(1_000).fill(ping));
    for (let i = 0; i < 200 && !raw.socket.destroyed; i++) raw.write(flood);
    for (let i = 0; i < 20; i++) expect(await adaWrites()).toBeLessThan(2_000);
    expect(residentBytes(server.process().pid) - before).toBeLessThan(64 * MB);
    raw.socket.destroy();
  });
});

describe('sockets that may not be there', () => {
  test('[W14] 2,000 silent ones without a token get their code at once, are gone after 5 s, and hold no memory', async () => {
    const before = residentBytes(server.process().pid);
    const raws: RawTcp[] = [];
    for (let i = 0; i < 2_000; i += 100)
      raws.push(...(await Promise.all(Array.from({ length: 100 }, (_, j) => upgraded(from(`10.1.${Math.floor((i + j) / 50)}.1`))))));
    const held = residentBytes(server.process().pid) - before;
    expect(raws.every((raw) => raw.heard().startsWith('HTTP/1.1 101'))).toBe(true);
    await until(() => expect(raws.every((raw) => raw.heard().includes(CLOSE.unauthorized.means))).toBe(true));
    expect(held).toBeLessThan(100 * MB);
    expect(await adaWrites()).toBeLessThan(2_000);
    await Promise.all(raws.map(({ ended }) => ended));
  });

  test('[W14] one that goes on sending is cut, and nothing of it is taken', async () => {
    const raw = await upgraded(from('10.2.0.1'));
    for (let i = 0; i < 50 && !raw.socket.destroyed; i++) {
      raw.write(wsFrame(OPCODE.binary, new Uint8Array(1_024)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await raw.ended;
    await adaWrites();
  });

  test('[W14] [W4] of one address so many at once, then 429; others are let in all the while', async () => {
    const first = await Promise.all(Array.from({ length: LIMITS.addressRefused }, () => upgraded(from('10.3.0.1'))));
    expect(first.every((raw) => raw.heard().startsWith('HTTP/1.1 101'))).toBe(true);
    expect((await upgraded(from('10.3.0.1'))).heard()).toMatch(/^HTTP\/1\.1 429 /);
    expect((await upgraded(from('10.3.0.2'))).heard()).toMatch(/^HTTP\/1\.1 101 /);
    expect((await upgraded(from('10.3.0.1', grace))).heard()).toMatch(/^HTTP\/1\.1 101 /);
    await Promise.all(first.map(({ ended }) => ended));
    expect((await upgraded(from('10.3.0.1'))).heard()).toMatch(/^HTTP\/1\.1 101 /);
  });

  test('[W14] 2,000 names of documents that are none leave nothing behind', async () => {
    const before = residentBytes(server.process().pid);
    for (let i = 0; i < 2_000; i += 100) {
      const raws = Array.from({ length: 100 }, (_, j) =>
        openRaw(server, `00000000-0000-7000-8000-${String(i + j).padStart(12, '0')}`, { token: grace.token }),
      );
      const ends = await Promise.all(raws.map(({ closed }) => closed));
      expect(ends.every((end) => 'code' in end && end.code === CLOSE.notFound.code)).toBe(true);
    }
    expect(residentBytes(server.process().pid) - before).toBeLessThan(64 * MB);
  });
});

describe('readers that stall', () => {
  const STALLED = 200;

  test('[W7] 200 of them in the busiest room hold a bounded part, nobody waits, and who reads on sees everything', async () => {
    const created = await ada.call('POST', '/api/messaging/conversations', { title: 'Busy', memberIds: [grace.id] });
    const busy = `${(created.body as { conversation: { id: string } }).conversation.id}/1`;
    const [writer, reader] = [openReplica(server, ada, busy), openReplica(server, grace, busy)];
    open.push(writer, reader);
    await until(() => expect(writer.provider.synced && reader.provider.synced).toBe(true));
    const stalled = await Promise.all(Array.from({ length: STALLED }, () => upgraded(from('127.0.0.1', grace), busy)));
    for (const raw of stalled) raw.write(binary(question));
    await until(() => expect(stalled.every((raw) => raw.heard().includes(String.fromCharCode(0, 1)))).toBe(true));
    for (const { socket } of stalled) socket.pause();
    const before = residentBytes(server.process().pid);
    const id = newId();
    addMessage(writer.doc, ada.id, id, ['to be changed', null, null]);
    let slowest = 0;
    for (let i = 0; i < 400; i++) {
      const text = `${i} `.padEnd(7_900, 'x');
      const began = performance.now();
      editMessage(writer.doc, ada.id, id, text, Date.now());
      if (i % 20 !== 19) continue;
      await until(() => expect(reader.messages()[0]?.body).toBe(text));
      slowest = Math.max(slowest, performance.now() - began);
    }
    const held = residentBytes(server.process().pid) - before;
    process.stdout.write(`${STALLED} stalled readers of 3 MB: ${Math.round(held / MB)} MB more, slowest edit ${Math.round(slowest)} ms\n`);
    expect(slowest).toBeLessThan(2_000);
    expect(held).toBeLessThan(128 * MB);
    // Some read again: what was left out comes in one piece, and their connections stand.
    const again = stalled.slice(0, 20);
    for (const { socket } of again) socket.resume();
    await until(() => expect(again.every((raw) => raw.heard().includes('399 xxx'))).toBe(true));
    expect(again.every(({ socket }) => !socket.destroyed)).toBe(true);
    for (const { socket } of stalled) socket.destroy();
  });
});

test('[W13] 10,000 updates at once are taken, what comes on top waits with its sender, and nobody else waits', async () => {
  const flooder = await register(server.origin, 'flooder');
  const id = (await flooder.converse(ada)).id;
  const socket = openRaw(server, `${id}/1`, { token: flooder.token });
  open.push(socket);
  await until(() => expect(socket.frames.length).toBeGreaterThan(0));
  const nothing = encodeUpdate(Y.encodeStateAsUpdate(new Y.Doc()));
  const before = residentBytes(server.process().pid);
  for (let i = 0; i < 50_000; i++) socket.send(nothing);
  for (let i = 0; i < 10; i++) expect(await adaWrites()).toBeLessThan(2_000);
  expect(residentBytes(server.process().pid) - before).toBeLessThan(64 * MB);
  socket.close();
  await socket.closed;
});
