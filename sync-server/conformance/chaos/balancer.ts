import { once } from 'node:events';
import { type Socket, connect, createServer } from 'node:net';
import type { Chance } from '../../core/simulator/chance.ts';
import { findFreePort } from '../server-process.ts';

/** The one address of several nodes: each connection goes to one of those that live, and ends with it. */
export interface Balancer {
  port: number;
  close(): Promise<void>;
}

/** `living` are the ports of nodes that take connections; one that does not is passed over. */
export async function openBalancer(living: () => readonly number[], chance: Chance): Promise<Balancer> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    keep(client);
    forward(client, new Set());
  });

  function keep(socket: Socket): void {
    open.add(socket);
    socket.on('error', () => {}).once('close', () => open.delete(socket));
  }

  function forward(client: Socket, tried: Set<number>): void {
    const port = chance.oneOf(living().filter((one) => !tried.has(one)));
    if (port === undefined || client.destroyed) return void client.destroy();
    const node = connect(port, '127.0.0.1');
    keep(node);
    const next = (): void => forward(client, tried.add(port));
    node.once('error', next);
    node.once('connect', () => {
      node.off('error', next);
      client.pipe(node).pipe(client);
      node.once('close', () => client.destroy());
      client.once('close', () => node.destroy());
    });
  }

  const port = await findFreePort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
