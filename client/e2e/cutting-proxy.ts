import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';

/**
 * What the network does to every connection, the open ones and new ones. `cut`: reset, and refused from then on. `black-hole`: all stays open and
 * not a byte arrives. `slow`: every byte takes so long, in order. `half-closed`: the server's side ends, what the browser sends still arrives.
 * `torn`: what a connection brings next arrives by half, and then it is over; new ones are well.
 */
export type Network =
  | { kind: 'well' }
  | { kind: 'cut' }
  | { kind: 'black-hole' }
  | { kind: 'slow'; ms: number }
  | { kind: 'half-closed' }
  | { kind: 'torn' };

/** A byte proxy between browsers and the server, with a network that can be made bad. */
export interface CuttingProxy {
  /** Where browsers find the server. */
  origin: string;
  become: (network: Network) => void;
  close: () => Promise<void>;
}

export async function openCuttingProxy(target: string): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target);
  const pairs = new Set<[Socket, Socket]>();
  /** To be torn by what they bring next. */
  const torn = new Set<[Socket, Socket]>();
  let network: Network = { kind: 'well' };

  /** Does to the other side what one side did, as the network of this moment lets it. */
  function pass(to: Socket, act: () => void): void {
    if (network.kind === 'black-hole') return;
    if (network.kind === 'slow') setTimeout(() => to.destroyed || act(), network.ms);
    else act();
  }
  function bring(pair: [Socket, Socket], to: Socket, bytes: Buffer): void {
    if (!torn.delete(pair)) return pass(to, () => to.write(bytes));
    pairs.delete(pair);
    to.end(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => pair.forEach((socket) => socket.destroy()));
  }
  function reset(pair: [Socket, Socket]): void {
    pairs.delete(pair);
    for (const socket of pair) socket.resetAndDestroy();
  }

  const server = createServer({ allowHalfOpen: true }, (browser) => {
    if (network.kind === 'cut') {
      browser.resetAndDestroy();
      return;
    }
    const upstream = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
    const pair: [Socket, Socket] = [browser, upstream];
    pairs.add(pair);
    for (const [from, to] of [pair, [upstream, browser]] as const) {
      from.on('data', (bytes: Buffer) => bring(pair, to, bytes));
      from.on('end', () => pass(to, () => to.end()));
      from.on('error', () => reset(pair));
      from.on('close', () => pairs.delete(pair) && to.destroySoon());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    become(next) {
      const before = network;
      network = next;
      if (next.kind === 'cut') for (const pair of pairs) reset(pair);
      if (next.kind === 'torn') for (const pair of pairs) torn.add(pair);
      if (next.kind === 'half-closed') for (const [browser] of pairs) browser.end();
      // What a black hole swallowed is lost: its connections are of no use any more, and nobody tells them.
      if (before.kind === 'black-hole' && next.kind === 'well') for (const pair of pairs) reset(pair);
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const pair of pairs) reset(pair);
      await closed;
    },
  };
}
