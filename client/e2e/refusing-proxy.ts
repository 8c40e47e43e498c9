import { once } from 'node:events';
import { type Server, createServer, request } from 'node:http';
import { type AddressInfo, type Socket, connect } from 'node:net';

/** A bad company proxy between a browser and the server: plain HTTP passes, and while `refuses` is set no WebSocket comes about, nor lives on. */
export interface RefusingProxy {
  origin: string;
  setRefuses: (refuses: boolean) => void;
  /** Upgrades that were refused so far. */
  refused: () => number;
  close: () => Promise<void>;
}

export async function openRefusingProxy(target: string): Promise<RefusingProxy> {
  const { hostname, port } = new URL(target);
  const upgraded = new Set<Socket>();
  let refuses = true;
  let refused = 0;

  const server: Server = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const onward = request({ hostname, port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.on('upgrade', (incoming, browser: Socket, head) => {
    browser.on('error', () => browser.destroy());
    if (refuses) {
      refused += 1;
      browser.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    const upstream = connect({ host: hostname, port: Number(port) }, () => {
      const lines = [`GET ${incoming.url} HTTP/1.1`];
      for (let i = 0; i < incoming.rawHeaders.length; i += 2) lines.push(`${incoming.rawHeaders[i]}: ${incoming.rawHeaders[i + 1]}`);
      upstream.write(`${lines.join('\r\n')}\r\n\r\n`);
      upstream.write(head);
      upstream.pipe(browser).pipe(upstream);
    });
    upgraded.add(browser);
    upstream.on('error', () => browser.destroy());
    upstream.on('close', () => browser.destroy());
    browser.on('close', () => {
      upgraded.delete(browser);
      upstream.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refused: () => refused,
    setRefuses(next) {
      refuses = next;
      if (next) for (const socket of upgraded) socket.destroy();
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
      await closed;
    },
  };
}
