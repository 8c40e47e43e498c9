import { systemClock } from '../../../shared/clock.ts';
import { listenHttp } from '../server.ts';
import { keepHeartbeat, makeSocketServer } from '../socket.ts';
import type { TestApi } from '../test-api.ts';

/** The API behind a real port, with its real sockets. */
export async function listen(api: Pick<TestApi, 'app'>) {
  const sockets = makeSocketServer();
  const stopHeartbeat = keepHeartbeat(sockets, systemClock);
  const { server, port } = await listenHttp({ fetch: api.app.fetch, sockets, port: 0, host: '127.0.0.1' });
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
