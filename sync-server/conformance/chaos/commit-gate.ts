import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';

/** Where a commit is when it is struck at: not yet with Postgres, just sent there, or done and its answer on the way back. */
export type Moment = 'asked' | 'sent' | 'answered';

/** A byte proxy before a Postgres that knows a commit when it sees one. */
export interface CommitGate {
  /** The target's address, by way of the proxy. */
  url: string;
  /** Calls `strike` when the next commit is at that moment; of `asked` the request and of `answered` the answer is kept for ever. */
  atNextCommit(moment: Moment, strike: () => void): void;
  /** Forgets what was to be struck at. */
  disarm(): void;
  close(): Promise<void>;
}

/** A statement is named when it is first prepared on a connection, and by that name alone from then on. */
const PREPARED = /P[^]{4}([^\0]*)\0commit\0/;

export async function openCommitGate(targetUrl: string): Promise<CommitGate> {
  const target = new URL(targetUrl);
  const open = new Set<Socket>();
  let plan: { moment: Moment; strike: () => void } | null = null;

  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const end = (): void => {
      for (const socket of [client, upstream]) {
        open.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', end).on('close', end);
    }
    let name: string | null = null;
    let isKept = false;
    const isCommit = (bytes: Buffer): boolean => {
      const text = bytes.toString('latin1');
      name = PREPARED.exec(text)?.[1] ?? name;
      return name !== null && text.includes(`\0${name}\0`);
    };
    client.on('data', (bytes) => {
      if (isKept) return;
      if (!isCommit(bytes) || !plan) {
        upstream.write(bytes);
        return;
      }
      const { moment, strike } = plan;
      plan = null;
      isKept = true;
      if (moment !== 'asked') upstream.write(bytes);
      if (moment === 'answered') upstream.once('data', strike);
      else strike();
    });
    upstream.on('data', (bytes) => {
      if (!isKept) client.write(bytes);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(targetUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    atNextCommit: (moment, strike) => void (plan = { moment, strike }),
    disarm: () => void (plan = null),
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
