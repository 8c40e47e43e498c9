import { named } from './transaction.ts';

type Call = (...args: unknown[]) => Promise<unknown>;

/** The same port, whose calls throw `LogUnavailable` while the database is away or starting: trying again later may help. */
export function tellUnavailable<Port extends object>(port: Port): Port {
  const calls = Object.entries(port) as [string, Call][];
  const told = calls.map(([name, call]): [string, Call] => [
    name,
    (...args) =>
      call(...args).catch((error: unknown) => {
        throw named(error, false);
      }),
  ]);
  return Object.fromEntries(told) as unknown as Port;
}
