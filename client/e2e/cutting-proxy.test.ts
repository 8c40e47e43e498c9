import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CuttingProxy, openCuttingProxy } from './cutting-proxy.ts';

let proxy: CuttingProxy;
let closeEcho: () => void;

beforeEach(async () => {
  const open = new Set<Socket>();
  const echo = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  closeEcho = () => {
    echo.close();
    for (const socket of open) socket.destroy();
  };
  proxy = await openCuttingProxy(`http://127.0.0.1:${(echo.address() as AddressInfo).port}`);
});
afterEach(async () => {
  await proxy.close();
  closeEcho();
});

function dial() {
  const socket = connect({ port: Number(new URL(proxy.origin).port), host: '127.0.0.1', allowHalfOpen: true });
  const seen = { text: '', error: '', ended: false };
  socket.on('data', (bytes: Buffer) => (seen.text += bytes.toString()));
  socket.on('error', (error: NodeJS.ErrnoException) => (seen.error = error.code ?? ''));
  socket.on('end', () => (seen.ended = true));
  return { socket, seen };
}

test('a cut resets what is open and what comes, until the network is well', async () => {
  const { socket, seen } = dial();
  socket.write('one');
  await expect.poll(() => seen.text).toBe('one');
  proxy.become({ kind: 'cut' });
  await expect.poll(() => seen.error).toBe('ECONNRESET');
  const late = dial();
  await expect.poll(() => late.seen.error).toBe('ECONNRESET');
  proxy.become({ kind: 'well' });
  const again = dial();
  again.socket.write('two');
  await expect.poll(() => again.seen.text).toBe('two');
});

test('a black hole keeps connections open and brings nothing; afterwards they are useless', async () => {
  const { socket, seen } = dial();
  socket.write('one');
  await expect.poll(() => seen.text).toBe('one');
  proxy.become({ kind: 'black-hole' });
  socket.write('lost');
  const late = dial();
  await once(late.socket, 'connect');
  late.socket.write('lost too');
  expect([seen.error, seen.text, late.seen.text]).toEqual(['', 'one', '']);
  proxy.become({ kind: 'well' });
  await expect.poll(() => seen.error).toBe('ECONNRESET');
});

test('slow bytes come later, in order; a half-close ends one side', async () => {
  proxy.become({ kind: 'slow', ms: 40 });
  const { socket, seen } = dial();
  const began = performance.now();
  for (const text of ['a', 'b', 'c']) socket.write(text);
  await expect.poll(() => seen.text).toBe('abc');
  expect(performance.now() - began).toBeGreaterThan(75);
  proxy.become({ kind: 'half-closed' });
  await expect.poll(() => seen.ended).toBe(true);
  expect(socket.writable).toBe(true);
});

test('torn, half of what comes next arrives, and no more; a new connection is well', async () => {
  const { socket, seen } = dial();
  socket.write('one');
  await expect.poll(() => seen.text).toBe('one');
  proxy.become({ kind: 'torn' });
  const closed = once(socket, 'close');
  socket.write('123456');
  await expect.poll(() => seen.ended).toBe(true);
  socket.end();
  await closed;
  expect(seen.text).toBe('one');
  const again = dial();
  again.socket.write('two');
  await expect.poll(() => again.seen.text).toBe('two');
});
