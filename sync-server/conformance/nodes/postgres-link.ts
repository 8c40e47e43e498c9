import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { HINT_CHANNEL } from '../../postgres/hints.ts';

/** A byte proxy between one node and its Postgres, at which its ear for hints can be lost. */
export interface PostgresLink {
  /** The target's address, by way of the proxy. */
  url: string;
  /** Cuts the connection that listens, wherever it is; how many there were. */
  cutListener(): number;
  close(): Promise<void>;
}

/** As long as the channel's name, and nobody notifies it. */
const NOBODY = HINT_CHANNEL.replace('hints', 'other');

/** `deaf`: whatever the node listens to is another channel, on which nothing comes. */
export async function openPostgresLink(targetUrl: string, { deaf = false }: { deaf?: boolean } = {}): Promise<PostgresLink> {
  const target = new URL(targetUrl);
  const open = new Set<Socket>();
  const listeners = new Set<Socket>();

  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const end = (): void => {
      listeners.delete(client);
      for (const socket of [client, upstream]) {
        open.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', end).on('close', end);
    }
    client.on('data', (bytes) => {
      const text = bytes.toString('latin1');
      const listens = text.includes(`listen "${HINT_CHANNEL}"`);
      if (listens) listeners.add(client);
      upstream.write(listens && deaf ? Buffer.from(text.replace(HINT_CHANNEL, NOBODY), 'latin1') : bytes);
    });
    upstream.on('data', (bytes) => client.write(bytes));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(targetUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    cutListener() {
      const { size } = listeners;
      for (const socket of listeners) socket.destroy();
      return size;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
