import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocketServerLike, createAdaptorServer } from '@hono/node-server';
import type { WebSocketServer } from 'ws';

/** Connections that the system may hold until they are accepted: after a restart everybody comes at once. */
const BACKLOG = 4_096;
/** A request's head has to be there by then, or it is somebody who holds connections open (slowloris). */
const HEADERS_MS = 10_000;
/** And all of it: a picture of 5 MiB over a slow line. */
const REQUEST_MS = 120_000;
/** A connection on which nothing moves, in either direction. */
const IDLE_MS = 60_000;
/** How often those times are looked at. */
const LOOK_MS = 2_000;
const HEADER_BYTES = 16 * 1024;
const HEADERS = 100;

/** Listens for requests and sockets, with a limit on everything that a connection may hold. */
export async function listenHttp(options: {
  fetch: Parameters<typeof createAdaptorServer>[0]['fetch'];
  sockets: WebSocketServer;
  port: number;
  host: string;
}): Promise<{ server: Server; port: number }> {
  const server = createAdaptorServer({
    fetch: options.fetch,
    serverOptions: {
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: LOOK_MS,
      maxHeaderSize: HEADER_BYTES,
    },
    websocket: { server: options.sockets as WebSocketServerLike },
  }) as Server;
  server.maxHeadersCount = HEADERS;
  server.timeout = IDLE_MS;
  refuseOtherUpgrades(server);
  server.listen({ port: options.port, host: options.host, backlog: BACKLOG });
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

const OTHER_UPGRADE = 'HTTP/1.1 501 Not Implemented\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/** `@hono/node-server` leaves the connection of an upgrade to anything but a WebSocket open for ever: it is answered here. */
function refuseOtherUpgrades(server: Server): void {
  const [upgrade] = server.listeners('upgrade');
  server.removeAllListeners('upgrade');
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.headers.upgrade?.toLowerCase() === 'websocket') upgrade?.call(server, request, socket, head);
    else socket.on('error', () => {}).end(OTHER_UPGRADE);
  });
}
