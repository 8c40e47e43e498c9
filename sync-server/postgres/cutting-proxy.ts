import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';

/** A byte proxy before a Postgres that cuts a connection at a chosen request. */
export interface CuttingProxy {
  /** The target's address, by way of the proxy. */
  url: string;
  /**
   * Cuts the next connection that sends `text`, once: `request` keeps the text from the server, `answer` delivers it, waits until the
   * server answers, and keeps the answer.
   */
  cutAt(text: string, what: 'request' | 'answer'): void;
  /** From now on whoever sends `text` waits so long for what the server answers. */
  delayAt(text: string, ms: number): void;
  /** Cuts all connections and refuses new ones. */
  goDown(): Promise<void>;
  /** Takes connections again, at the same address. */
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

export async function openCuttingProxy(targetUrl: string): Promise<CuttingProxy> {
  const target = new URL(targetUrl);
  const pairs = new Set<() => void>();
  let plan: { text: string; what: 'request' | 'answer' } | null = null;
  let delay: { text: string; ms: number } | null = null;

  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const cut = () => {
      pairs.delete(cut);
      client.destroy();
      upstream.destroy();
    };
    pairs.add(cut);
    for (const socket of [client, upstream]) socket.on('error', cut).on('close', cut);
    upstream.on('data', (bytes) => client.write(bytes));
    client.on('data', (bytes) => pass(bytes, upstream, cut));
  });

  function pass(bytes: Buffer, upstream: Socket, cut: () => void): void {
    if (delay && bytes.includes(delay.text)) {
      upstream.pause();
      setTimeout(() => upstream.resume(), delay.ms);
    }
    if (!plan || !bytes.includes(plan.text)) return void upstream.write(bytes);
    const { what } = plan;
    plan = null;
    if (what === 'request') return cut();
    upstream.removeAllListeners('data');
    upstream.once('data', cut);
    upstream.write(bytes);
  }

  async function listen(port: number): Promise<void> {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  }

  async function goDown(): Promise<void> {
    const closed = once(server, 'close');
    server.close();
    for (const cut of pairs) cut();
    await closed;
  }

  await listen(0);
  const { port } = server.address() as AddressInfo;
  const url = new URL(targetUrl);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return {
    url: url.href,
    cutAt(text, what) {
      plan = { text, what };
    },
    delayAt(text, ms) {
      delay = ms > 0 ? { text, ms } : null;
    },
    goDown,
    comeBack: () => listen(port),
    close: () => (server.listening ? goDown() : Promise.resolve()),
  };
}
