import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocketServerLike, serve } from '@hono/node-server';
import { keepHeartbeat, makeSocketServer } from '../socket.ts';
import type { TestApi } from '../test-api.ts';

/** The API behind a real port, with its real sockets. */
export async function listen(api: Pick<TestApi, 'app'>) {
  const sockets = makeSocketServer();
  const stopHeartbeat = keepHeartbeat(sockets);
  const server = serve({ fetch: api.app.fetch, port: 0, hostname: '127.0.0.1', websocket: { server: sockets as WebSocketServerLike } });
  if (!server.listening) await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}/api/sync`,
    sockets,
    async close() {
      stopHeartbeat();
      for (const socket of sockets.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
